"""Decode Acconeer radar sensors XM122 and XM126 (manufacturer data of company 0xACC0): somebody is there, or how far.

Model, battery % in two bytes, temperature C, presence or distance mm, eight bytes unused.
"""

from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, battery, piece, signed, unsigned
from kanhu.edge.errors import DecodeError, DecodeReason

COMPANY = 0xACC0

_PRESENCE_MODELS = frozenset({0x80, 0x91})
_DISTANCE_MODELS = frozenset({0x90})


def decode_acconeer(frame: bytes) -> Advertisement:
    """Decode manufacturer data without its company.

    Raises:
        DecodeError: it is short, or of another model.
    """
    model = piece(frame, 0, 1)[0]
    data = piece(frame, 1, 14)
    if model in _PRESENCE_MODELS:
        found = Quantity("presence", Decimal(int(any(data[4:6]))))
    elif model in _DISTANCE_MODELS:
        found = Quantity("distance_mm", unsigned(data[4:6]))
    else:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"Acconeer model 0x{model:02X}")
    charge = battery(int.from_bytes(data[:2], "little"))
    return Advertisement((found, Quantity("temperature_c", signed(data[2:4])), *charge))
