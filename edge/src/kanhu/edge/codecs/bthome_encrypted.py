"""Decode encrypted BTHome version 2 service data (UUID 0xFCD2).

Device information, [address], ciphertext, counter in 4 bytes, tag of 4. The nonce is the address in printed order,
the UUID as sent, the device information and the counter; nothing else is authenticated.
"""

from dataclasses import dataclass

from kanhu.edge.codecs.bthome import ENCRYPTED, HAS_ADDRESS, BthomePacket, check_information, decode_bthome
from kanhu.edge.codecs.sealed import ADDRESS_BYTES, TAG_BYTES, check_address, open_sealed
from kanhu.edge.errors import DecodeError, DecodeReason

_UUID = b"\xd2\xfc"
_COUNTER_BYTES = 4


@dataclass(frozen=True, slots=True)
class SealedBthome:
    """One opened packet; whether its counter may be believed is not decided here."""

    packet: BthomePacket
    counter: int


def decode_bthome_encrypted(frame: bytes, *, key: bytes, address: bytes) -> SealedBthome:
    """Open and decode one packet; `address` is the sender's, in printed order.

    Raises:
        DecodeError: it is not encrypted, the key does not open it, or what is inside does not decode.
    """
    information = check_information(frame)
    if not information & ENCRYPTED:
        raise DecodeError(DecodeReason.NO_VALUE, "a plain packet; a device with a key sends none")
    check_address(address)
    start = 1 + (ADDRESS_BYTES if information & HAS_ADDRESS else 0)
    end = len(frame) - _COUNTER_BYTES - TAG_BYTES
    if end < start:
        raise DecodeError(DecodeReason.SHORT, f"{len(frame)} bytes hold no counter and no tag")
    counter = frame[end : end + _COUNTER_BYTES]
    nonce = address + _UUID + frame[:1] + counter
    objects = open_sealed(frame[start:end] + frame[-TAG_BYTES:], key=key, nonce=nonce, associated=None)
    plain = bytes([information & ~(ENCRYPTED | HAS_ADDRESS)]) + objects
    return SealedBthome(decode_bthome(plain), int.from_bytes(counter, "little"))


def decode_bthome_with(frame: bytes, *, key: bytes | None, address: bytes) -> tuple[BthomePacket, int | None]:
    """Decode a packet of a device that may have a key; with the counter of one that the key opened.

    Raises:
        DecodeError: it cannot be opened, or does not decode.
    """
    if key is None or not check_information(frame) & ENCRYPTED:
        return decode_bthome(frame), None
    opened = decode_bthome_encrypted(frame, key=key, address=address)
    return opened.packet, opened.counter
