"""Decode the IEEE 11073-20601 SFLOAT: 4 bits of exponent, 12 bits of mantissa, both two's complement, little endian.

Five words stand for something that is not a number; they are looked for before the sign is. Values stay exact.
"""

from decimal import Decimal

from kanhu.edge.errors import DecodeError, DecodeReason

_SPECIAL = {
    0x07FF: DecodeReason.NOT_A_NUMBER,
    0x0800: DecodeReason.NOT_AT_THIS_RESOLUTION,
    0x07FE: DecodeReason.INFINITE,
    0x0802: DecodeReason.INFINITE,
    0x0801: DecodeReason.RESERVED_VALUE,
}


def decode_sfloat(frame: bytes, offset: int, *, field: str) -> Decimal:
    """Decode the two bytes at `offset`.

    Raises:
        DecodeError: the frame is short, or the word stands for no number; the detail names `field`.
    """
    if offset < 0 or offset + 2 > len(frame):
        raise DecodeError(DecodeReason.SHORT, f"{field}: needs {offset + 2} bytes, got {len(frame)}")
    word = frame[offset] | frame[offset + 1] << 8
    special = _SPECIAL.get(word)
    if special is not None:
        raise DecodeError(special, f"{field}: 0x{word:04X}")
    mantissa = word & 0x0FFF
    exponent = word >> 12
    if mantissa >= 0x0800:
        mantissa -= 0x1000
    if exponent >= 8:
        exponent -= 16
    return Decimal(mantissa).scaleb(exponent)


def decode_sfloat_or_absent(frame: bytes, offset: int, *, field: str) -> Decimal | None:
    """The same, where a word that stands for no number means that this field was not measured.

    Raises:
        DecodeError: the frame is short, or the word is reserved.
    """
    try:
        return decode_sfloat(frame, offset, field=field)
    except DecodeError as error:
        if error.reason in {DecodeReason.SHORT, DecodeReason.RESERVED_VALUE}:
            raise
        return None
