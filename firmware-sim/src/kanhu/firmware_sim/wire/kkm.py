"""KKM beacons: service data of UUID 0xFEAA, big endian, as their maker's kbeaconlib2 reads it."""

import struct


def kkm_sensor_frame(
    *, millivolt: int, c_256ths: int, percent_256ths: int | None = None, axes_mg: tuple[int, int, int] | None = None
) -> bytes:
    """Kind 0x21, a mask of two bytes whose upper is 1, then what the mask names."""
    mask, values = 0b11, struct.pack(">Hh", millivolt, c_256ths)
    if percent_256ths is not None:
        mask, values = mask | 0b100, values + struct.pack(">h", percent_256ths)
    if axes_mg is not None:
        mask, values = mask | 0b1000, values + struct.pack(">3h", *axes_mg)
    return bytes((0x21, 1, mask)) + values
