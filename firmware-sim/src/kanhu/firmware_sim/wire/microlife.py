"""Frames of a Microlife cuff: "M:", length big endian, payload, sum; and the records in its answer."""

from collections.abc import Sequence

from kanhu.firmware_sim.wire.cuff_reading import StoredCuffReading, octets

_EMPTY_SLOT = bytes(10)


def microlife_frame(payload: bytes) -> bytes:
    """A frame from the cuff."""
    begun = b"M:" + (len(payload) + 1).to_bytes(2, "big") + payload
    return begun + bytes([sum(begun) % 256])


def microlife_records(readings: Sequence[StoredCuffReading | None]) -> bytes:
    """The payload that answers "get records"; None is an empty slot."""
    return bytes(38) + b"".join(_EMPTY_SLOT if reading is None else _slot(reading) for reading in readings)


def _slot(reading: StoredCuffReading) -> bytes:
    at = reading.measured_at
    values = octets(reading.systolic, reading.diastolic, reading.pulse)
    return values + octets(at.year - 2000, at.month, at.day, at.hour, at.minute) + bytes(2)
