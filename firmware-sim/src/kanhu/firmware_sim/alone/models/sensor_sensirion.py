"""A Sensirion gadget with a sensor SHT4x."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, manufacturer_data
from kanhu.firmware_sim.wire.sensirion import sensirion_gadget

_COMPANY = 0x06D5
_SHT4X = 6


def make() -> Advertiser:
    """A gadget on a shelf."""
    return Advertiser(
        name="sensor-sensirion",
        about="Sensirion SHT4x gadget, 21 C and 40 % give or take",
        every_s=5.0,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    values = {"t": moment.around(21, 0.3, step="0.01"), "rh": moment.around(40, 1, step="0.01")}
    return manufacturer_data(_COMPANY, sensirion_gadget(_SHT4X, int.from_bytes(moment.address[-2:], "big"), values))
