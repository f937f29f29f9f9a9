"""A Teltonika EYE sensor on a door."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, manufacturer_data
from kanhu.firmware_sim.wire.teltonika_eye import eye_frame

_COMPANY = 0x089A


def make() -> Advertiser:
    """A door in a room that is opened and shut by turns."""
    return Advertiser(
        name="sensor-teltonika",
        about="Teltonika EYE, 21 C and 40 % give or take; its door is opened and shut by turns",
        every_s=10.0,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    frame = eye_frame(
        hundredths_c=int(moment.around(2100, 30)),
        percent=int(moment.around(40, 1)),
        magnet=moment.number % 2 == 0,
        moving=False,
        movements=moment.number % 0x8000,
        pitch=11,
        roll=-57,
        millivolt=3000,
    )
    return manufacturer_data(_COMPANY, frame)
