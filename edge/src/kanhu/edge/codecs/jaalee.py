"""Decode Jaalee JHT: an iBeacon with a battery behind it, or service data of UUID 0xF525.

Layout: ble_monitor@5690220 ble_parser/jaalee.py, theengs/decoder src/devices/JAALEE_json.h; big endian.
"""

from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, battery, piece
from kanhu.edge.codecs.ibeacon import COMPANY, decode_ibeacon
from kanhu.edge.errors import DecodeError, DecodeReason

__all__ = ["BEACON", "COMPANY", "SERVICE", "decode_jaalee", "decode_jaalee_service"]

SERVICE = 0xF525
BEACON = bytes.fromhex("ebefd08370a247c89837e7b5634df525")
"""The UUID of its beacons."""

_BATTERY_AT = 23
_SERVICE_BYTES = 11


def decode_jaalee(frame: bytes) -> Advertisement:
    """Decode manufacturer data without its company.

    Raises:
        DecodeError: it is short, no iBeacon, or the beacon of another maker.
    """
    beacon = decode_ibeacon(frame)
    if beacon.uuid != BEACON:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"beacon {beacon.uuid.hex()}")
    charge = piece(frame, _BATTERY_AT, 1)[0]
    return Advertisement(_climate(beacon.major, beacon.minor) + battery(charge))


def decode_jaalee_service(frame: bytes) -> Advertisement:
    """Decode service data.

    Raises:
        DecodeError: it is of another length.
    """
    data = piece(frame, 0, _SERVICE_BYTES)
    if len(frame) > _SERVICE_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    warmth, damp = int.from_bytes(data[7:9], "big"), int.from_bytes(data[9:11], "big")
    return Advertisement(_climate(warmth, damp) + battery(data[0]), address=data[6:0:-1])


def _climate(warmth: int, damp: int) -> tuple[Quantity, ...]:
    """The whole range of a word is 175 degrees from -45, and 100 %."""
    return (
        Quantity("temperature_c", Decimal(175 * warmth) / 65_535 - 45),
        Quantity("humidity_percent", Decimal(100 * damp) / 65_535),
    )
