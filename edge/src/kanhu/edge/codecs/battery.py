"""Decode the Bluetooth SIG Battery Level (characteristic 0x2A19): one byte, 0 to 100 percent."""

from kanhu.contract import Observation, Part, Quality, Subject, Times
from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "0000180f-0000-1000-8000-00805f9b34fb"
CHARACTERISTIC_UUID = "00002a19-0000-1000-8000-00805f9b34fb"

_FULL_PERCENT = 100


def decode_battery_percent(frame: bytes) -> int:
    """Percent of a full battery.

    Raises:
        DecodeError: it is not one byte, or above 100.
    """
    if not frame:
        raise DecodeError(DecodeReason.SHORT, "no battery level")
    if len(frame) > 1:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes, not 1")
    if frame[0] > _FULL_PERCENT:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"battery {frame[0]} %")
    return frame[0]


def observe_battery(percent: int, *, subject: Subject, device: str, times: Times) -> Observation:
    """One reading."""
    return Observation("battery", (Part("battery", (percent,)),), subject, device, times, Quality())
