"""Decode Holy-IOT beacons (service data of UUID 0x5242): one value an advertisement.

0x41, battery, address, two bytes, the kind of value, the value in two bytes. The layout is known from published frames.
"""

from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, battery, piece
from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "00005242-0000-1000-8000-00805f9b34fb"

_FRAME = 0x41
_PRESSED = 1
_PLAIN = {3: "humidity_percent", 4: "vibration", 5: "side"}  # one byte
_TEMPERATURE, _PRESSURE, _BUTTON = 1, 2, 6
_LEAST_PASCAL = 80_000


def decode_holyiot(frame: bytes) -> Advertisement:
    """Decode one frame.

    Raises:
        DecodeError: it is short, another frame, or its kind of value is not known.
    """
    head = piece(frame, 0, 11)
    if head[0] != _FRAME:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"frame 0x{head[0]:02X} is no sensor frame")
    return Advertisement((_value(head[10], piece(frame, 11, 2)), *battery(head[1])), address=head[2:8])


def _value(kind: int, data: bytes) -> Quantity:
    if kind == _TEMPERATURE:
        # Whole degrees with sign, then hundredths away from zero; between 0 and -1 the sign is lost on the way.
        whole = int.from_bytes(data[:1], "big", signed=True)
        hundredths = data[1] * Decimal("0.01")
        return Quantity("temperature_c", whole + hundredths if whole >= 0 else whole - hundredths)
    if kind == _PRESSURE:
        return Quantity("pressure_hpa", (_LEAST_PASCAL + int.from_bytes(data, "big", signed=True)) * Decimal("0.01"))
    if kind == _BUTTON:
        return Quantity("button", Decimal(int(data[0] == _PRESSED)))
    name = _PLAIN.get(kind)
    if name is None:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"kind of value {kind}")
    return Quantity(name, Decimal(data[0]))
