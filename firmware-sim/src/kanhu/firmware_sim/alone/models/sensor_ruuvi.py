"""A RuuviTag, format 5."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, manufacturer_data
from kanhu.firmware_sim.wire.ruuvi import ruuvi_raw_v2

_COMPANY = 0x0499


def make() -> Advertiser:
    """A tag that lies still."""
    return Advertiser(
        name="sensor-ruuvi",
        about="RuuviTag, 21 C and 40 % give or take",
        every_s=5.0,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    return manufacturer_data(
        _COMPANY,
        ruuvi_raw_v2(
            two_hundredths_c=int(moment.around(4200, 60)),
            four_hundredths_percent=int(moment.around(16_000, 400)),
            pascal=int(moment.around(100_800, 100)),
            axes_mg=(8, -4, 1012),
            millivolt=2900,
            transmit_dbm=4,
            movements=3,
            sequence=moment.number % 65_535,
            address=moment.address,
        ),
    )
