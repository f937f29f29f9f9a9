"""Decode Almendo bluSensor: manufacturer data of company 0x06E8, version 1, little endian.

Of its models only the bluSensor Mini (0x0A) is published: custom-components/ble_monitor@db73c11,
ble_parser/almendo.py. Its carbon dioxide is an estimate from volatile organic compounds, not a measurement.
"""

from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, piece, signed, unsigned
from kanhu.edge.errors import DecodeError, DecodeReason

COMPANY = 0x06E8

_VERSION, _MINI = 1, 0x0A
_MODEL_AT = 2
_VALUES_AT, _VALUE_BYTES = 7, 9


def decode_almendo(frame: bytes) -> Advertisement:
    """Decode manufacturer data without its company.

    Raises:
        DecodeError: it is short, of another version, or of another model.
    """
    head = piece(frame, 0, _MODEL_AT + 1)
    if head[0] != _VERSION or head[_MODEL_AT] != _MINI:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"Almendo version {head[0]}, model {head[_MODEL_AT]}")
    data = piece(frame, _VALUES_AT, _VALUE_BYTES)
    return Advertisement(
        (
            Quantity("temperature_c", signed(data[:2], "0.01")),
            Quantity("humidity_percent", unsigned(data[2:4], "0.01")),
            Quantity("carbon_dioxide_equivalent_ppm", unsigned(data[4:6])),
            Quantity("voc_count", unsigned(data[6:8])),  # no unit is published
            Quantity("air_quality_index", Decimal(data[8])),
        )
    )
