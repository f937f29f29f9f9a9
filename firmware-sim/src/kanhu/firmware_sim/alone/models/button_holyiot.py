"""A Holy-IOT beacon whose button is pressed."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, service_data
from kanhu.firmware_sim.wire.holyiot import BUTTON, holyiot_frame

_UUID = 0x5242


def make() -> Advertiser:
    """A pendant that is pressed again and again, more than a minute apart."""
    return Advertiser(
        name="button-holyiot",
        about="Holy-IOT pendant: every press is a call",
        every_s=120.0,
        times=15,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    frame = holyiot_frame(BUTTON, b"\x01", address=moment.address, battery_percent=moment.battery_percent)
    return service_data(_UUID, frame)
