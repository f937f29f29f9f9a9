"""Decode heart rates that are advertised: Polar straps, XOSS, and wristbands of Xiaomi and Amazfit.

Layouts: Theengs decoder@d6fdd205 and ble_monitor@0ed19ef. Such a rate tells neither contact nor beats, and the bytes
around it have no public meaning: it is decoded, and no reading is made of it.
"""

from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, battery, piece, unsigned

POLAR, XOSS, WRISTBAND = 0x006B, 0xFF04, 0x0157
"""Companies."""
WRISTBAND_STEPS_UUID = "0000fee0-0000-1000-8000-00805f9b34fb"

_SHORT_BYTES, _WRISTBAND_BYTES, _STEPS_BYTES = 4, 24, 4
_NO_RATE_FROM = 0xF0  # Theengs; ble_monitor leaves out 0xFF alone
_WORN = 0x02


def decode_polar(frame: bytes) -> Advertisement:
    """Decode data of company 0x006B: three bytes, then beats a minute.

    Raises:
        DecodeError: it is short.
    """
    return Advertisement(_rate(piece(frame, 0, _SHORT_BYTES)[3]))


def decode_xoss(frame: bytes) -> Advertisement:
    """Decode data of company 0xFF04: a byte, the battery below a bit, a byte, beats a minute.

    Raises:
        DecodeError: it is short.
    """
    data = piece(frame, 0, _SHORT_BYTES)
    return Advertisement((*_rate(data[3]), *battery(data[1] & 0x7F)))


def decode_wristband(frame: bytes) -> Advertisement:
    """Decode data of company 0x0157: 02 where a rate may be told, two bytes, the rate, filling, address.

    Raises:
        DecodeError: it is short.
    """
    data = piece(frame, 0, _WRISTBAND_BYTES)
    return Advertisement(_rate(data[3]) if data[0] == _WORN else (), address=data[18:])


def decode_wristband_steps(frame: bytes) -> Advertisement:
    """Decode service data of UUID 0xFEE0: the steps of the day.

    Raises:
        DecodeError: it is short.
    """
    return Advertisement((Quantity("step_count", unsigned(piece(frame, 0, _STEPS_BYTES))),))


def _rate(value: int) -> tuple[Quantity, ...]:
    return (Quantity("heart_rate_bpm", Decimal(value)),) if 0 < value < _NO_RATE_FROM else ()
