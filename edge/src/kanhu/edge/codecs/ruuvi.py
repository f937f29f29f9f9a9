"""Decode RuuviTag: RAWv1 and RAWv2 (formats 3 and 5 in manufacturer data of company 0x0499) and the older URL.

All is big endian. Acceleration is told in thousandths of standard gravity, as the maker does.
"""

import binascii
from base64 import urlsafe_b64decode
from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, piece
from kanhu.edge.errors import DecodeError, DecodeReason

COMPANY = 0x0499

_RAW_V1, _RAW_V2 = 3, 5
_URL_FORMATS = frozenset({2, 4})
_URL = b"ruu.vi/#"
_URL_AT, _URL_DATA_CHARACTERS = 3, 8
_LEAST_PASCAL = 50_000


def decode_ruuvi(frame: bytes) -> Advertisement:
    """Decode manufacturer data without its company.

    Raises:
        DecodeError: it is short, or of another format.
    """
    kind = piece(frame, 0, 1)[0]
    if kind == _RAW_V1:
        return _raw_v1(piece(frame, 1, 13))
    if kind == _RAW_V2:
        return _raw_v2(piece(frame, 1, 23))
    raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"Ruuvi format {kind}")


def decode_ruuvi_url(frame: bytes) -> Advertisement:
    """Decode the Eddystone URL (service data of UUID 0xFEAA) of formats 2 and 4.

    Raises:
        DecodeError: it is no URL of Ruuvi, or short.
    """
    if piece(frame, 0, 1) != b"\x10" or piece(frame, _URL_AT, len(_URL)) != _URL:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "no address of Ruuvi")
    text = piece(frame, _URL_AT + len(_URL), _URL_DATA_CHARACTERS)
    try:
        data = urlsafe_b64decode(text)
    except binascii.Error as error:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"no base64: {error}") from None
    if piece(data, 0, 1)[0] not in _URL_FORMATS:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"Ruuvi format {data[0]}")
    data = piece(data, 1, 5)
    return Advertisement((_half_percent(data[0]), _sign_magnitude(data[1:3]), _pressure(_number(data[3:5]))))


def _raw_v1(data: bytes) -> Advertisement:
    return Advertisement(
        (
            _half_percent(data[0]),
            _sign_magnitude(data[1:3]),
            _pressure(_number(data[3:5])),
            *_axes(data[5:11]),
            Quantity("voltage_v", _number(data[11:13]) * Decimal("0.001")),
        )
    )


def _raw_v2(data: bytes) -> Advertisement:
    """The highest number of an unsigned value, and the lowest of a signed one, say that it was not measured."""
    values: list[Quantity] = []
    temperature = int.from_bytes(data[:2], "big", signed=True)
    if temperature != -0x8000:
        values.append(Quantity("temperature_c", temperature * Decimal("0.005")))
    if data[2:4] != b"\xff\xff":
        values.append(Quantity("humidity_percent", _number(data[2:4]) * Decimal("0.0025")))
    if data[4:6] != b"\xff\xff":
        values.append(_pressure(_number(data[4:6])))
    values.extend(_axes(data[6:12]))
    power = _number(data[12:14])
    if power >> 5 != 0x7FF:
        values.append(Quantity("voltage_v", (1600 + (power >> 5)) * Decimal("0.001")))
    if power & 0x1F != 0x1F:
        values.append(Quantity("transmit_power_dbm", Decimal(-40 + 2 * (power & 0x1F))))
    if data[14] != 0xFF:
        values.append(Quantity("movement_count", Decimal(data[14])))
    sequence = _number(data[15:17])
    address = data[17:23]
    return Advertisement(
        tuple(values),
        address=None if address == b"\xff" * 6 else address,
        packet=None if sequence == 0xFFFF else sequence,
    )


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _half_percent(value: int) -> Quantity:
    return Quantity("humidity_percent", value * Decimal("0.5"))


def _sign_magnitude(data: bytes) -> Quantity:
    """Whole degrees below a sign bit, then hundredths."""
    magnitude = (data[0] & 0x7F) + data[1] * Decimal("0.01")
    return Quantity("temperature_c", -magnitude if data[0] & 0x80 else magnitude)


def _pressure(value: int) -> Quantity:
    return Quantity("pressure_hpa", (value + _LEAST_PASCAL) * Decimal("0.01"))


def _axes(data: bytes) -> list[Quantity]:
    """None of the three where one was not measured."""
    found = [int.from_bytes(data[at : at + 2], "big", signed=True) for at in (0, 2, 4)]
    if -0x8000 in found:
        return []
    return [Quantity(f"acceleration_{axis}_mg", Decimal(one)) for axis, one in zip("xyz", found, strict=True)]
