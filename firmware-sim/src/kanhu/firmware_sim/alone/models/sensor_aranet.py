"""An Aranet4."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, manufacturer_data
from kanhu.firmware_sim.wire.aranet import aranet4

_COMPANY = 0x0702
_INTERVAL_S = 60


def make() -> Advertiser:
    """A sensor of carbon dioxide on a shelf."""
    return Advertiser(
        name="sensor-aranet",
        about="Aranet4, 21 C and 40 % give or take",
        every_s=5.0,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    frame = aranet4(
        co2=int(moment.around(800, 50)),
        twentieths_c=int(moment.around(420, 6)),
        tenths_hpa=int(moment.around(10_080, 10)),
        percent=int(moment.around(40, 1)),
        battery=moment.battery_percent,
        colour=1,
        interval_s=_INTERVAL_S,
        ago_s=5 * moment.number % _INTERVAL_S,
        count=moment.number % 256,
    )
    return manufacturer_data(_COMPANY, frame)
