"""Checks of 16 bits by long division of the message's bits, as the specifications draw it.

CRC-16/MCRF4XX (E2E-CRC of Bluetooth health services) takes each byte lowest bit first and hands the remainder on
mirrored; CRC-16/CCITT-FALSE takes each byte highest bit first.
"""

_DIVISOR = 0x11021  # x^16 + x^12 + x^5 + 1
_WIDTH = 16


def e2e_crc(message: bytes) -> bytes:
    """Two bytes to append, little endian."""
    remainder = _remainder("".join(f"{byte:08b}"[::-1] for byte in message))
    return int(f"{remainder:016b}"[::-1], 2).to_bytes(2, "little")


def ccitt_false(message: bytes) -> bytes:
    """Two bytes to append, little endian as LifeScan meters send it."""
    return _remainder("".join(f"{byte:08b}" for byte in message)).to_bytes(2, "little")


def _remainder(bits: str) -> int:
    # A first value of all ones is the same as the first sixteen bits inverted, zeros appended where there are fewer.
    dividend = int(bits + "0" * _WIDTH, 2) ^ 0xFFFF << len(bits)
    for place in range(len(bits) - 1, -1, -1):
        if dividend >> place + _WIDTH & 1:
            dividend ^= _DIVISOR << place
    return dividend
