"""A Jaalee JHT."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, manufacturer_data
from kanhu.firmware_sim.wire.jaalee import jaalee_frame

_COMPANY = 0x004C


def make() -> Advertiser:
    """A hygrometer on a wall."""
    return Advertiser(
        name="sensor-jaalee",
        about="Jaalee JHT, 21 C and 40 % give or take",
        every_s=5.0,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    warmth, damp = int(moment.around(24_716, 112)), int(moment.around(26_214, 655))
    return manufacturer_data(_COMPANY, jaalee_frame(warmth, damp, moment.battery_percent))
