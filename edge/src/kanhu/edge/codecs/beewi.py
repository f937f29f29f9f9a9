"""Decode the door sensor of Otio and BeeWi (BSDOO, manufacturer data of company 0x000D), after a published frame."""

from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, battery, piece
from kanhu.edge.errors import DecodeError, DecodeReason

COMPANY = 0x000D

_HEAD = b"\x08\x0c"


def decode_beewi_door(frame: bytes) -> Advertisement:
    """Decode manufacturer data without its company: two bytes of model, state, one byte, battery.

    Raises:
        DecodeError: it is short, or of another model.
    """
    data = piece(frame, 0, 5)
    if data[:2] != _HEAD:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"model {data[:2].hex()} is no door sensor")
    return Advertisement((Quantity("contact_open", Decimal(data[2] & 1)), *battery(data[4])))
