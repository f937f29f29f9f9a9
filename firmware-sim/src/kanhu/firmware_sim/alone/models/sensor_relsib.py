"""A Relsib EClerk Eco."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, service_data
from kanhu.firmware_sim.wire.relsib import eclerk_frame

_UUID = 0xAA20


def make() -> Advertiser:
    """A logger on a wall."""
    return Advertiser(
        name="sensor-relsib",
        about="Relsib EClerk Eco, 21 C and 40 % give or take",
        every_s=5.0,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    frame = eclerk_frame(
        hundredths_c=int(moment.around(2100, 30)),
        hundredths_percent=int(moment.around(4000, 100)),
        battery_percent=moment.battery_percent,
    )
    return service_data(_UUID, frame)
