"""An Oria T301."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, manufacturer_data
from kanhu.firmware_sim.wire.oria import oria_frame

_COMPANY = 0xAA55


def make() -> Advertiser:
    """A hygrometer on a wall."""
    return Advertiser(
        name="sensor-oria",
        about="Oria T301, 21 C and 40 % give or take",
        every_s=5.0,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    warmth, damp = int(moment.around(2100, 30)), int(moment.around(4000, 100))
    return manufacturer_data(_COMPANY, oria_frame(moment.address, warmth, damp, moment.battery_percent))
