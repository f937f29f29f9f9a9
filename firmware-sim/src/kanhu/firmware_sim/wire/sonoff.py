"""Sonoff remotes: a structure of 32-bit UUIDs, the press behind a table and a seed."""

_HEAD = bytes.fromhex("ffffee1bc878f64a")
_TABLE = (0x0F, 0x39, 0xBE, 0x5F, 0x27, 0x05, 0xBE, 0xF9, 0x66, 0xB5)


def sonoff_press(*, model: int, number: bytes, button: int, press: int, count: int, seed: int, sequence: int) -> bytes:
    """The last two bytes are a checksum whose rule is not published; zeros stand for it."""
    plain = bytes((0, button, press)) + count.to_bytes(4, "big") + bytes(3)
    hidden = bytes(plain[at] ^ _TABLE[at] ^ seed for at in range(len(plain)))
    return _HEAD + bytes((model, 0x90, sequence)) + number + bytes((seed,)) + hidden
