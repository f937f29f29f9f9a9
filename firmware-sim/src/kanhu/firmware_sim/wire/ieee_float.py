"""IEEE 11073-20601 FLOAT: a decimal number in 32 bits, little endian.

The highest byte is the exponent, the other three the mantissa, both two's complement; mantissa x 10^exponent.
"""

from decimal import Decimal
from enum import IntEnum

from kanhu.firmware_sim.errors import NotEncodable

_MANTISSA_LARGEST = 0x7FFFFD  # 0x7FFFFE and 0x7FFFFF with exponent 0 stand for no number
_EXPONENT_SMALLEST, _EXPONENT_LARGEST = -128, 127


class FloatSpecial(IntEnum):
    """Whole words that stand for no number."""

    NOT_A_NUMBER = 0x007FFFFF
    NOT_AT_THIS_RESOLUTION = 0x00800000
    POSITIVE_INFINITY = 0x007FFFFE
    NEGATIVE_INFINITY = 0x00800002


def ieee_float(value: Decimal | FloatSpecial) -> bytes:
    """Four bytes for `value`, with the digits it was written with; never rounded.

    Raises:
        NotEncodable: the value needs more than 24 bits of mantissa or 8 of exponent.
    """
    if isinstance(value, FloatSpecial):
        return value.to_bytes(4, "little")
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise NotEncodable(f"{value} is not finite; use FloatSpecial")
    mantissa = int("".join(map(str, digits))) * (-1 if sign else 1)
    if abs(mantissa) > _MANTISSA_LARGEST or not _EXPONENT_SMALLEST <= exponent <= _EXPONENT_LARGEST:
        raise NotEncodable(f"{value} does not fit a FLOAT")
    return mantissa.to_bytes(3, "little", signed=True) + exponent.to_bytes(1, "little", signed=True)
