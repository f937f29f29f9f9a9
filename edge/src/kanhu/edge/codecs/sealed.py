"""Open bytes sealed with AES-CCM (RFC 3610, key of 16 bytes, tag of 4) as the sensors of this package send them.

`cryptography` is loaded with the first sealed frame: a gateway without such sensors never pays for it.
"""

from kanhu.edge.errors import DecodeError, DecodeReason

KEY_BYTES = 16
ADDRESS_BYTES = 6
TAG_BYTES = 4


def open_sealed(sealed: bytes, *, key: bytes, nonce: bytes, associated: bytes | None) -> bytes:
    """The plain bytes of `sealed`, which ends in the tag.

    Raises:
        DecodeError: another key was used, the key has a wrong length, or a byte was changed on the way.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  # only where a sensor has a key
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM  # noqa: PLC0415  # the same

    if len(key) != KEY_BYTES:
        raise DecodeError(DecodeReason.ENCRYPTED, f"a key has {KEY_BYTES} bytes, this one {len(key)}")
    if len(sealed) < TAG_BYTES:
        raise DecodeError(DecodeReason.SHORT, f"{len(sealed)} bytes hold no tag")
    try:
        return AESCCM(key, tag_length=TAG_BYTES).decrypt(nonce, sealed, associated)
    except InvalidTag:
        raise DecodeError(DecodeReason.ENCRYPTED, "the key of this device does not open it") from None


def check_address(address: bytes) -> None:
    """Refuse what is no address; it is part of what a frame was sealed with."""
    if len(address) != ADDRESS_BYTES:
        raise DecodeError(DecodeReason.ENCRYPTED, f"an address has {ADDRESS_BYTES} bytes, this one {len(address)}")
