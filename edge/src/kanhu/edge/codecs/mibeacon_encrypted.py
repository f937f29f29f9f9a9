"""Open encrypted Xiaomi MiBeacon, versions 4 and 5 with a tag, versions 2 and 3 without.

From version 4: AES-CCM, nonce of the address reversed, product, counter and its three higher bytes, associated data
0x11; behind the ciphertext stand the higher bytes and the tag of 4. Before: a key of 12 bytes with four fixed ones in
its middle, nonce of frame control, product, counter, its higher bytes and five bytes of the address, and a last byte of
unknown use. Nothing there proves the key or the sender; xiaomi-ble and ble_monitor agree.
"""

from dataclasses import dataclass

from kanhu.edge.codecs.mibeacon import Mibeacon, MibeaconHead, mibeacon_head, read_mibeacon
from kanhu.edge.codecs.sealed import TAG_BYTES, check_address, open_sealed
from kanhu.edge.errors import DecodeError, DecodeReason

LEGACY_KEY_BYTES = 12

_FIRST_WITH_TAG = 4
_ASSOCIATED = b"\x11"
_COUNTER_BYTES = 3
_LEGACY_TRAILER_BYTES = _COUNTER_BYTES + 1
_LEGACY_KEY_MIDDLE = bytes.fromhex("8d3d3c97")
_CCM_FIRST_BLOCK = b"\x00\x01"
_CCM_FLAGS = b"\x01"  # two bytes of length, as RFC 3610 counts them


@dataclass(frozen=True, slots=True)
class SealedMibeacon:
    """One opened advertisement; whether its counter may be believed is not decided here."""

    beacon: Mibeacon
    counter: int  # of four bytes
    authenticated: bool  # False: versions 2 and 3, where anybody may have changed it on the way


def decode_mibeacon_encrypted(frame: bytes, *, key: bytes, address: bytes) -> SealedMibeacon:
    """Open and decode; `address` is the sender's in printed order, and gives way to one within the frame.

    Raises:
        DecodeError: it is plain or tells nothing, the key does not open it, or what is inside does not decode.
    """
    head = mibeacon_head(frame)
    if not head.has_objects:
        raise DecodeError(DecodeReason.NO_VALUE, "no object")
    if not head.encrypted:
        raise DecodeError(DecodeReason.NO_VALUE, "a plain advertisement; a device with a key sends none")
    sender = address if head.address is None else head.address
    check_address(sender)
    if head.version >= _FIRST_WITH_TAG:
        return _opened(head, *_open(frame, head, key, sender), authenticated=True)
    return _opened(head, *_open_legacy(frame, head, key, sender), authenticated=False)


def _opened(head: MibeaconHead, payload: bytes, higher: bytes, *, authenticated: bool) -> SealedMibeacon:
    counter = head.counter | int.from_bytes(higher, "little") << 8
    return SealedMibeacon(read_mibeacon(head, payload), counter, authenticated)


def _open(frame: bytes, head: MibeaconHead, key: bytes, sender: bytes) -> tuple[bytes, bytes]:
    end = len(frame) - _COUNTER_BYTES - TAG_BYTES
    if end < head.start:
        raise DecodeError(DecodeReason.SHORT, f"{len(frame)} bytes hold no counter and no tag")
    higher = frame[end:-TAG_BYTES]
    nonce = sender[::-1] + frame[2:5] + higher
    sealed = frame[head.start : end] + frame[-TAG_BYTES:]
    return open_sealed(sealed, key=key, nonce=nonce, associated=_ASSOCIATED), higher


def _open_legacy(frame: bytes, head: MibeaconHead, key: bytes, sender: bytes) -> tuple[bytes, bytes]:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415  # only with a key

    if len(key) != LEGACY_KEY_BYTES:
        detail = f"a key of this version has {LEGACY_KEY_BYTES} bytes, this one {len(key)}"
        raise DecodeError(DecodeReason.ENCRYPTED, detail)
    end = len(frame) - _LEGACY_TRAILER_BYTES
    if end < head.start:
        raise DecodeError(DecodeReason.SHORT, f"{len(frame)} bytes hold no counter")
    higher = frame[end:-1]
    nonce = frame[:5] + higher + sender[:0:-1]
    whole = key[:6] + _LEGACY_KEY_MIDDLE + key[6:]
    stream = Cipher(algorithms.AES(whole), modes.CTR(_CCM_FLAGS + nonce + _CCM_FIRST_BLOCK)).decryptor()
    payload = stream.update(frame[head.start : end]) + stream.finalize()
    if not _tiled(payload):
        raise DecodeError(DecodeReason.ENCRYPTED, "the key of this device does not open it")
    return payload, higher


def _tiled(payload: bytes) -> bool:
    """Objects fill it to the last byte; with a wrong key they do so by chance only."""
    at = 0
    while at + 3 <= len(payload):
        at += 3 + payload[at + 2]
    return 0 < at == len(payload)
