"""Decode MikroTik tags TG-BT5: manufacturer data of company 0x094F, little endian.

The vendor states acceleration and temperature as signed numbers of 1/256, acceleration in m/s2, and flags that say why
it was sent (help.mikrotik.com, MikroTik Tag advertisement formats).
"""

from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, battery, piece, signed, unsigned
from kanhu.edge.errors import DecodeError, DecodeReason

COMPANY = 0x094F

_VERSION, _ENCRYPTED = 1, 0x01
_SECRET_AT, _SECRET_BYTES = 2, 16
_STEP = "0.00390625"  # 1/256
_WITHOUT_THERMOMETER_C = -128  # what the indoor model says
_FLAGS = ("reed_closed", "tilted", "dropped", "impact_x", "impact_y", "impact_z")
"""By bit."""


def decode_mikrotik(frame: bytes) -> Advertisement:
    """Decode manufacturer data without its company.

    Raises:
        DecodeError: it is short, of another version, or encrypted.
    """
    version, user = piece(frame, 0, _SECRET_AT)
    if version != _VERSION:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"MikroTik version {version}")
    if user & _ENCRYPTED:
        raise DecodeError(DecodeReason.ENCRYPTED, "a MikroTik tag with a key")
    data = piece(frame, _SECRET_AT, _SECRET_BYTES)
    warmth = signed(data[8:10], _STEP)
    return Advertisement(
        (
            *(() if warmth == _WITHOUT_THERMOMETER_C else (Quantity("temperature_c", warmth),)),
            *(
                Quantity(f"acceleration_{axis}_m_s2", signed(data[at : at + 2], _STEP))
                for axis, at in zip("xyz", (2, 4, 6), strict=True)
            ),
            Quantity("uptime_s", unsigned(data[10:14])),
            *(Quantity(name, Decimal(data[14] >> bit & 1)) for bit, name in enumerate(_FLAGS)),
            *battery(data[15]),
        )
    )
