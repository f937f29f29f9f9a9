"""Decode ThermoBeacon hygrometers (WS02, WS08; the model stands where others have the company); little endian.

Two bytes of model, two of state, address reversed, then by length the reading or the highest and lowest of the memory.
"""

from kanhu.edge.codecs.advertised import Advertisement, Quantity, piece, signed, unsigned
from kanhu.edge.errors import DecodeError, DecodeReason

MODELS = frozenset({0x10, 0x11, 0x14, 0x15, 0x18, 0x1B, 0x30})
"""What stands in the place of a company."""

_READING_BYTES, _EXTREMES_BYTES = 18, 20
_SIXTEENTH = "0.0625"


def decode_thermobeacon(frame: bytes) -> Advertisement:
    """Decode manufacturer data without its first two bytes.

    Raises:
        DecodeError: it has the length of neither form.
    """
    if len(frame) == _READING_BYTES:
        return Advertisement(
            (
                Quantity("voltage_v", unsigned(frame[8:10], "0.001")),
                Quantity("temperature_c", signed(frame[10:12], _SIXTEENTH)),
                Quantity("humidity_percent", unsigned(frame[12:14], _SIXTEENTH)),
                Quantity("uptime_s", unsigned(frame[14:18])),
            ),
            address=frame[7:1:-1],
        )
    if len(frame) == _EXTREMES_BYTES:
        return Advertisement(
            (
                Quantity("highest_temperature_c", signed(frame[8:10], _SIXTEENTH)),
                Quantity("highest_at_s", unsigned(frame[10:14])),
                Quantity("lowest_temperature_c", signed(frame[14:16], _SIXTEENTH)),
                Quantity("lowest_at_s", unsigned(frame[16:20])),
            ),
            address=frame[7:1:-1],
        )
    piece(frame, 0, _READING_BYTES)
    raise DecodeError(DecodeReason.TOO_LONG, f"no form has {len(frame)} bytes")
