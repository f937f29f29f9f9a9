"""Bluetooth SIG Heart Rate Measurement (characteristic 0x2A37, notified).

Flags, the rate in 8 or 16 bits, the energy in kJ if sent, then as many beat intervals (1/1024 s, oldest first) as
the value has room for.
"""

from dataclasses import dataclass
from enum import IntEnum

from kanhu.firmware_sim.errors import NotEncodable

RR_UNITS_PER_S = 1024
LARGEST_VALUE_BYTES = 20  # what the smallest ATT_MTU of 23 carries; a strap must assume no more

_FLAG_RATE_16_BIT = 1 << 0
_FLAG_ENERGY = 1 << 3
_FLAG_INTERVALS = 1 << 4
_LARGEST_BYTE, _LARGEST_WORD = 0xFF, 0xFFFF


class Contact(IntEnum):
    """Flag bits 2-1, in place."""

    NOT_SUPPORTED = 0b000
    NOT_DETECTED = 0b100
    DETECTED = 0b110


@dataclass(frozen=True, slots=True)
class HeartRateReading:
    """One notification: rate in beats per minute, beat intervals in 1/1024 s."""

    heart_rate_bpm: int
    contact: Contact = Contact.NOT_SUPPORTED
    rr_intervals_1024: tuple[int, ...] = ()
    energy_kj: int | None = None


def heart_rate_measurement(reading: HeartRateReading) -> bytes:
    """The characteristic's value for one notification."""
    if not 0 <= reading.heart_rate_bpm <= _LARGEST_WORD:
        raise NotEncodable(f"heart rate {reading.heart_rate_bpm} does not fit 16 bits")
    flags = int(reading.contact)
    if reading.heart_rate_bpm > _LARGEST_BYTE:
        flags |= _FLAG_RATE_16_BIT
        body = reading.heart_rate_bpm.to_bytes(2, "little")
    else:
        body = bytes([reading.heart_rate_bpm])
    if reading.energy_kj is not None:
        flags |= _FLAG_ENERGY
        body += min(reading.energy_kj, _LARGEST_WORD).to_bytes(2, "little")  # the counter saturates
    if reading.rr_intervals_1024:
        flags |= _FLAG_INTERVALS
        for interval in reading.rr_intervals_1024:
            if not 0 <= interval <= _LARGEST_WORD:
                raise NotEncodable(f"beat interval {interval}/1024 s does not fit 16 bits")
            body += interval.to_bytes(2, "little")
    value = bytes([flags]) + body
    if len(value) > LARGEST_VALUE_BYTES:
        raise NotEncodable(f"{len(reading.rr_intervals_1024)} beat intervals do not fit one notification")
    return value
