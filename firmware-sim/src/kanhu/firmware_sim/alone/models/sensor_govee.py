"""A Govee H5075."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, manufacturer_data
from kanhu.firmware_sim.wire.govee import h5075_frame

_COMPANY = 0xEC88


def make() -> Advertiser:
    """A hygrometer on a wall."""
    return Advertiser(
        name="sensor-govee",
        about="Govee H5075, 21 C and 40 % give or take",
        every_s=5.0,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    frame = h5075_frame(int(moment.around(210, 3)), int(moment.around(400, 10)), moment.battery_percent)
    return manufacturer_data(_COMPANY, frame)
