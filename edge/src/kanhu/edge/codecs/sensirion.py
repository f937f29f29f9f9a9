"""Decode the gadgets of Sensirion: manufacturer data of company 0x06D5, little endian.

The type of the sample says which values follow the two bytes of the device's number. Types and conversions are the
vendor's own (Sensirion/ble-services, data_source/ble-ad-sample-types.yml).
"""

from decimal import Decimal
from typing import NamedTuple

from kanhu.edge.codecs.advertised import Advertisement, Quantity, piece
from kanhu.edge.errors import DecodeError, DecodeReason

COMPANY = 0x06D5

_SAMPLE, _NO_SAMPLE = 0x00, 0xFF
_VALUES_AT = 4


class _Field(NamedTuple):
    """A word times `span` divided by `steps`, above `least`."""

    name: str
    span: int = 1
    steps: int = 1
    least: int = 0


_FULL = 0xFFFF
_WARMTH = _Field("temperature_c", 175, _FULL, -45)
_DAMP = _Field("humidity_percent", 100, _FULL)
_DAMP_BEYOND_ITS_ENDS = _Field("humidity_percent", 125, _FULL, -6)
_CO2 = _Field("carbon_dioxide_ppm")
_VOC, _NOX = _Field("voc_index"), _Field("nox_index")
_HCHO = _Field("formaldehyde_ppb", 1, 5)
_PM25_TO_1000 = _Field("pm25_ug_m3", 1000, _FULL)
_PM1, _PM25, _PM4, _PM10 = (_Field(f"pm{size}_ug_m3", 1, 10) for size in ("1", "25", "4", "10"))
_WIND = _Field("air_velocity_m_s", 1024, _FULL)

_CLIMATE = (_WARMTH, _DAMP)
_TYPES = {
    3: (*_CLIMATE, _VOC),
    4: _CLIMATE,
    6: (_WARMTH, _DAMP_BEYOND_ITS_ENDS),
    8: (*_CLIMATE, _CO2),
    10: (*_CLIMATE, _CO2),
    12: (*_CLIMATE, _CO2, _PM25_TO_1000),
    14: (*_CLIMATE, _HCHO),
    16: (*_CLIMATE, _VOC, _PM25_TO_1000),
    20: (*_CLIMATE, _CO2, _VOC, _PM25_TO_1000, _HCHO),
    22: (*_CLIMATE, _VOC, _NOX),
    24: (*_CLIMATE, _VOC, _NOX, _PM25),
    26: (*_CLIMATE, _CO2, _VOC, _NOX, _PM25),
    28: (*_CLIMATE, _CO2, _PM25),
    30: (*_CLIMATE, _VOC, _PM25),
    32: (*_CLIMATE, _CO2, _VOC, _PM25, _HCHO),
    34: (_PM1, _PM25, _PM4, _PM10),
    36: (_CO2,),
    38: (_WIND, _WARMTH),
}


def decode_sensirion(frame: bytes) -> Advertisement:
    """Decode manufacturer data without its company; bytes behind the last value are reserved.

    Raises:
        DecodeError: it is short, of another type, or says that samples are switched off.
    """
    kind, sample = piece(frame, 0, 2)
    if kind == _NO_SAMPLE:
        raise DecodeError(DecodeReason.NO_VALUE, "samples are switched off")
    if kind != _SAMPLE or sample not in _TYPES:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"Sensirion advertisement {kind}, sample {sample}")
    fields = _TYPES[sample]
    words = piece(frame, _VALUES_AT, 2 * len(fields))
    return Advertisement(tuple(_value(one, words[2 * at : 2 * at + 2]) for at, one in enumerate(fields)))


def _value(field: _Field, word: bytes) -> Quantity:
    return Quantity(field.name, Decimal(int.from_bytes(word, "little") * field.span) / field.steps + field.least)
