"""Encrypted BTHome version 2 service data: device information, ciphertext, counter, tag of 4 bytes."""

from kanhu.firmware_sim.wire.aes_ccm import seal

_INFORMATION = 0x41
_UUID_AS_SENT = b"\xd2\xfc"
_TAG_BYTES = 4


def bthome_sealed(objects: bytes, *, key: bytes, address: bytes, counter: int) -> bytes:
    """Service data behind the UUID; `address` in printed order."""
    count = counter.to_bytes(4, "little")
    nonce = address + _UUID_AS_SENT + bytes([_INFORMATION]) + count
    sealed = seal(objects, key=key, nonce=nonce, associated=b"", tag_bytes=_TAG_BYTES)
    return bytes([_INFORMATION]) + sealed[:-_TAG_BYTES] + count + sealed[-_TAG_BYTES:]
