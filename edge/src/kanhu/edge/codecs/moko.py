"""Decode Mokosmart beacons: BeaconX Pro (service data of UUID 0xFEAB) and the first MokoBeacon (0xFF01).

The layouts are known from published frames; of their heads only what is named here is understood.
"""

from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, battery, piece
from kanhu.edge.errors import DecodeError, DecodeReason

PRO_SERVICE_UUID = "0000feab-0000-1000-8000-00805f9b34fb"
FIRST_SERVICE_UUID = "0000ff01-0000-1000-8000-00805f9b34fb"

_DEVICE, _AXES, _CLIMATE = 0x40, 0x60, 0x70


def decode_moko_pro(frame: bytes) -> Advertisement:
    """Decode one frame, big endian; axes are raw counts, 16 of them a thousandth of gravity at the narrowest range.

    Raises:
        DecodeError: it is short, or another frame.
    """
    kind = piece(frame, 0, 1)[0]
    if kind == _DEVICE:
        return Advertisement((_volts(piece(frame, 3, 2)),))
    if kind == _AXES:
        data = piece(frame, 6, 8)
        return Advertisement(
            (
                *(Quantity(f"axis_{axis}_count", _signed(data[at : at + 2])) for axis, at in _PLACES),
                _volts(data[6:8]),
            )
        )
    if kind == _CLIMATE:
        data = piece(frame, 3, 6)
        tenth = Decimal("0.1")
        return Advertisement(
            (
                Quantity("temperature_c", _signed(data[:2]) * tenth),
                Quantity("humidity_percent", int.from_bytes(data[2:4], "big") * tenth),
                _volts(data[4:6]),
            )
        )
    raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"frame 0x{kind:02X} is no sensor frame")


def decode_mokobeacon(frame: bytes) -> Advertisement:
    """Decode one frame: battery, six bytes, three axes LITTLE endian.

    Read so, a beacon at rest measures gravity; as big endian, as one published decoder reads it, it measures 2.6 of it.
    """
    charge, data = piece(frame, 0, 1)[0], piece(frame, 7, 6)
    axes = (
        Quantity(f"acceleration_{axis}_mg", Decimal(int.from_bytes(data[at : at + 2], "little", signed=True)))
        for axis, at in _PLACES
    )
    return Advertisement((*battery(charge), *axes))


_PLACES = (("x", 0), ("y", 2), ("z", 4))


def _signed(data: bytes) -> Decimal:
    return Decimal(int.from_bytes(data, "big", signed=True))


def _volts(data: bytes) -> Quantity:
    return Quantity("voltage_v", int.from_bytes(data, "big") * Decimal("0.001"))
