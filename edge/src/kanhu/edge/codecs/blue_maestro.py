"""Decode Blue Maestro: manufacturer data of company 0x0133; the Tempo Discs big endian, the Pebble little endian.

Layouts: theengs/decoder@1f40770, src/devices/BM*IN1_json.h, and custom-components/ble_monitor@8e21785,
ble_parser/bluemaestro.py.
"""

from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, battery, piece, signed, unsigned
from kanhu.edge.errors import DecodeError, DecodeReason

COMPANY = 0x0133

_PEBBLE, _WARMTH = 0x01, 0x0D
_DEW_POINT = frozenset({0x16, 0x17})
_PRESSURE = 0x1B


def decode_blue_maestro(frame: bytes) -> Advertisement:
    """Decode manufacturer data without its company.

    Raises:
        DecodeError: it is short, or of another model.
    """
    model = piece(frame, 0, 1)[0]
    if model == _PEBBLE:
        return _pebble(piece(frame, 1, 9))
    if model == _WARMTH:
        return Advertisement(_disc(piece(frame, 1, 7)))
    if model not in _DEW_POINT and model != _PRESSURE:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"Blue Maestro model 0x{model:02X}")
    data = piece(frame, 1, 11)
    humidity = Quantity("humidity_percent", _tenths(data[7:9]))
    if model == _PRESSURE:
        return Advertisement((*_disc(data), humidity, Quantity("pressure_hpa", _tenths(data[9:11]))))
    return Advertisement((*_disc(data), humidity, Quantity("dew_point_c", _signed_tenths(data[9:11]))))


def _disc(data: bytes) -> tuple[Quantity, ...]:
    """What all Tempo Discs tell."""
    return (
        *battery(data[0]),
        Quantity("interval_s", Decimal(int.from_bytes(data[1:3], "big"))),
        Quantity("log_count", Decimal(int.from_bytes(data[3:5], "big"))),
        Quantity("temperature_c", _signed_tenths(data[5:7])),
    )


def _pebble(data: bytes) -> Advertisement:
    """The second of three temperatures is what it measures now."""
    return Advertisement(
        (
            Quantity("temperature_c", signed(data[2:4], "0.1")),
            Quantity("humidity_percent", Decimal(data[6])),
            Quantity("pressure_hpa", unsigned(data[7:9])),
        )
    )


def _tenths(word: bytes) -> Decimal:
    return int.from_bytes(word, "big") * Decimal("0.1")


def _signed_tenths(word: bytes) -> Decimal:
    return int.from_bytes(word, "big", signed=True) * Decimal("0.1")
