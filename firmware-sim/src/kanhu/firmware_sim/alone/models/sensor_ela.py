"""An ELA Blue Puck on a door."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, service_data
from kanhu.firmware_sim.wire.ela import ela_magnet

_UUID = 0x2A06
_COMPLETE_NAME = 0x09


def make() -> Advertiser:
    """A door that is opened and shut by turns."""
    return Advertiser(
        name="sensor-ela",
        about="ELA Blue Puck MAG: a door is opened and shut by turns",
        every_s=10.0,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    name = b"P MAG " + moment.address[-3:].hex().upper().encode()
    data = service_data(_UUID, ela_magnet(near=moment.number % 2 == 0, changes=moment.number % 0x8000))
    return data + bytes((len(name) + 1, _COMPLETE_NAME)) + name
