"""IEEE 11073-20601 SFLOAT: a decimal number in 16 bits, little endian.

Bits 15-12 are the exponent, bits 11-0 the mantissa, both two's complement; the value is mantissa x 10^exponent.
"""

from decimal import Decimal
from enum import IntEnum

from kanhu.firmware_sim.errors import NotEncodable

_MANTISSA_LARGEST = 0x07FD  # 0x07FE and 0x07FF are +infinity and not-a-number
_MANTISSA_SMALLEST = -0x07FD  # 0x0800-0x0802 are not-at-this-resolution, reserved and -infinity
_EXPONENT_SMALLEST, _EXPONENT_LARGEST = -8, 7


class SfloatSpecial(IntEnum):
    """Whole words that stand for no number."""

    NOT_A_NUMBER = 0x07FF
    NOT_AT_THIS_RESOLUTION = 0x0800
    POSITIVE_INFINITY = 0x07FE
    NEGATIVE_INFINITY = 0x0802


def sfloat(value: Decimal | SfloatSpecial) -> bytes:
    """Two bytes for `value`, with the digits it was written with; never rounded.

    Raises:
        NotEncodable: the value needs more than 12 bits of mantissa or 4 of exponent.
    """
    if isinstance(value, SfloatSpecial):
        return value.to_bytes(2, "little")
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise NotEncodable(f"{value} is not finite; use SfloatSpecial")
    mantissa = int("".join(map(str, digits))) * (-1 if sign else 1)
    while exponent > _EXPONENT_LARGEST and abs(mantissa) <= _MANTISSA_LARGEST:
        mantissa, exponent = mantissa * 10, exponent - 1
    while mantissa and mantissa % 10 == 0 and not _MANTISSA_SMALLEST <= mantissa <= _MANTISSA_LARGEST:
        mantissa, exponent = mantissa // 10, exponent + 1
    in_range = _MANTISSA_SMALLEST <= mantissa <= _MANTISSA_LARGEST
    if not in_range or not _EXPONENT_SMALLEST <= exponent <= _EXPONENT_LARGEST:
        raise NotEncodable(f"{value} does not fit an SFLOAT")
    return ((exponent & 0xF) << 12 | mantissa & 0xFFF).to_bytes(2, "little")
