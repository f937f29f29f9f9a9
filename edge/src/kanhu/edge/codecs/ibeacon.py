"""Decode iBeacon: manufacturer data of company 0x004C, kind 0x02 with 0x15 bytes, big endian.

The solar sensors of Cypress put humidity and temperature into the two bytes of `minor`, in the upper eight bits of the
words of a Si7020; their UUID is the one by which citruz/beacontools knows them (beacontools/const.py).
"""

from dataclasses import dataclass
from decimal import Decimal

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs.advertised import Quantity, observe_advertised, piece
from kanhu.edge.errors import DecodeError, DecodeReason

COMPANY = 0x004C
CYPRESS = bytes.fromhex("0005000100001000800000805f9b0131")
"""The UUID of beacons whose `minor` is a climate."""

_HEAD = b"\x02\x15"
_UUID_BYTES = 16


@dataclass(frozen=True, slots=True)
class IBeacon:
    """Whose beacon it is, and which of his."""

    uuid: bytes
    major: int
    minor: int
    power_dbm: int
    """What a receiver at one metre measures."""

    @property
    def climate(self) -> tuple[Quantity, Quantity]:
        """`minor` as a sensor of Cypress means it; without meaning where the UUID is another."""
        damp, warmth = self.minor.to_bytes(2, "big")
        return (
            Quantity("temperature_c", Decimal("175.72") * warmth / 256 - Decimal("46.85")),
            Quantity("humidity_percent", Decimal(125) * damp / 256 - 6),
        )


def decode_ibeacon(frame: bytes) -> IBeacon:
    """Decode manufacturer data without its company.

    Raises:
        DecodeError: it is short, or no iBeacon.
    """
    if piece(frame, 0, len(_HEAD)) != _HEAD:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "no iBeacon")
    data = piece(frame, len(_HEAD), _UUID_BYTES + 5)
    return IBeacon(
        data[:_UUID_BYTES],
        int.from_bytes(data[16:18], "big"),
        int.from_bytes(data[18:20], "big"),
        int.from_bytes(data[20:21], "big", signed=True),
    )


def observe_ibeacon(record: IBeacon, *, subject: Subject, device: str, times: Times) -> tuple[Observation, ...]:
    """Room temperature and humidity of a sensor of Cypress.

    Raises:
        DecodeError: the beacon is no sensor.
    """
    values = record.climate if record.uuid == CYPRESS else ()
    return observe_advertised(values, subject=subject, device=device, times=times)
