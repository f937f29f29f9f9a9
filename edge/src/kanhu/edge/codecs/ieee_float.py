"""Decode the IEEE 11073-20601 FLOAT: 8 bits of exponent, 24 bits of mantissa, both two's complement, little endian.

Five words stand for something that is not a number; they are looked for before the sign is. Values stay exact.
"""

from decimal import Decimal

from kanhu.edge.errors import DecodeError, DecodeReason

FLOAT_BYTES = 4

_SPECIAL = {
    0x007FFFFF: DecodeReason.NOT_A_NUMBER,
    0x00800000: DecodeReason.NOT_AT_THIS_RESOLUTION,
    0x007FFFFE: DecodeReason.INFINITE,
    0x00800002: DecodeReason.INFINITE,
    0x00800001: DecodeReason.RESERVED_VALUE,
}


def decode_float(frame: bytes, offset: int, *, field: str) -> Decimal:
    """Decode the four bytes at `offset`.

    Raises:
        DecodeError: the frame is short, or the word stands for no number; the detail names `field`.
    """
    if offset < 0 or offset + FLOAT_BYTES > len(frame):
        raise DecodeError(DecodeReason.SHORT, f"{field}: needs {offset + FLOAT_BYTES} bytes, got {len(frame)}")
    word = int.from_bytes(frame[offset : offset + FLOAT_BYTES], "little")
    special = _SPECIAL.get(word)
    if special is not None:
        raise DecodeError(special, f"{field}: 0x{word:08X}")
    mantissa = int.from_bytes(frame[offset : offset + 3], "little", signed=True)
    exponent = int.from_bytes(frame[offset + 3 : offset + FLOAT_BYTES], "little", signed=True)
    return Decimal(mantissa).scaleb(exponent)


def decode_float_or_absent(frame: bytes, offset: int, *, field: str) -> Decimal | None:
    """The same, where a word that stands for no number means that nothing was measured yet.

    Raises:
        DecodeError: the frame is short, or the word is reserved.
    """
    try:
        return decode_float(frame, offset, field=field)
    except DecodeError as error:
        if error.reason in {DecodeReason.SHORT, DecodeReason.RESERVED_VALUE}:
            raise
        return None
