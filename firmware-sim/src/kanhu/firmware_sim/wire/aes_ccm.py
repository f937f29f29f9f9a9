"""AES-CCM as RFC 3610 writes it, from single blocks: a seal does not come from the library that opens it."""

from kanhu.firmware_sim.errors import NotEncodable

_BLOCK = 16
_KEY_BYTES = 16


def seal(plain: bytes, *, key: bytes, nonce: bytes, associated: bytes, tag_bytes: int) -> bytes:
    """The ciphertext and behind it the tag."""
    if len(key) != _KEY_BYTES or not 7 <= len(nonce) <= 13 or len(associated) >= 0xFF00:
        raise NotEncodable("a key has 16 bytes, a nonce 7 to 13")
    width = _BLOCK - 1 - len(nonce)
    flags = (0x40 if associated else 0) | (tag_bytes - 2) // 2 << 3 | width - 1
    blocks = bytes([flags]) + nonce + len(plain).to_bytes(width, "big")
    if associated:
        blocks += _padded(len(associated).to_bytes(2, "big") + associated)
    blocks += _padded(plain)
    state = bytes(_BLOCK)
    for at in range(0, len(blocks), _BLOCK):
        state = _encrypt(key, _xor(state, blocks[at : at + _BLOCK]))
    counters = [
        bytes([width - 1]) + nonce + number.to_bytes(width, "big") for number in range(1 + len(plain) // _BLOCK + 1)
    ]
    stream = b"".join(_encrypt(key, counter) for counter in counters)
    return _xor(plain, stream[_BLOCK:]) + _xor(state[:tag_bytes], stream)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _BLOCK)


def _xor(data: bytes, other: bytes) -> bytes:
    return bytes(one ^ two for one, two in zip(data, other, strict=False))


def _encrypt(key: bytes, block: bytes) -> bytes:
    from bumble.crypto.builtin import e  # noqa: PLC0415  # of a whole Bluetooth host, for sealed sensors only

    return e(key[::-1], block[::-1])[::-1]  # it takes and gives the bytes in Bluetooth's order
