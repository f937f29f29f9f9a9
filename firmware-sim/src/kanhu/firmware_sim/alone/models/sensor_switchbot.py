"""A SwitchBot contact sensor."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, service_data
from kanhu.firmware_sim.wire.switchbot import contact_frame

_UUID = 0xFD3D


def make() -> Advertiser:
    """A door that is opened and shut by turns."""
    return Advertiser(
        name="sensor-switchbot",
        about="SwitchBot contact sensor: opened and shut by turns",
        every_s=10.0,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    frame = contact_frame(
        state=moment.number % 2,
        moved=False,
        tested=False,
        battery_percent=moment.battery_percent,
        bright=True,
        moved_s=60,
        changed_s=5,
        counts=(moment.number % 4, 0, 0),
    )
    return service_data(_UUID, frame)
