"""Decode ThermoPro hygrometers (TP350, TP357 to TP359, TP393, TP397): manufacturer data whose company is data.

Layout: thermopro-ble@4253e5d src/thermopro_ble/parser.py; the first byte and the lower bits of the battery:
theengs/decoder src/devices/TPTH_json.h. Thermometers for meat (TP96x, TP97x) begin with the number of a probe.
"""

from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, piece, signed
from kanhu.edge.errors import DecodeError, DecodeReason

HEAD = 0xC2
"""The lower byte of every company."""

_FULL_HALVES = 2
_BATTERY_AT = {7: 6}  # of a TP357S; else behind the humidity


def decode_thermopro(frame: bytes) -> Advertisement:
    """Decode manufacturer data with its company in front.

    Raises:
        DecodeError: it is short, or no hygrometer of ThermoPro.
    """
    data = piece(frame, 0, 6)
    if data[0] != HEAD:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"begins with 0x{data[0]:02X}, no hygrometer of ThermoPro")
    values = [Quantity("temperature_c", signed(data[1:3], "0.1"))]
    if data[3] <= 100:
        values.append(Quantity("humidity_percent", Decimal(data[3])))
    halves = frame[_BATTERY_AT.get(len(frame), 4)]
    if halves <= _FULL_HALVES:
        values.append(Quantity("battery_halves", Decimal(halves)))
    return Advertisement(tuple(values))
