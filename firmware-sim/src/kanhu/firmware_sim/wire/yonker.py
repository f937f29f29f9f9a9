"""The result of a Yonker cuff: 15 bytes, to the minute; what is not known of them is zero."""

from kanhu.firmware_sim.wire.cuff_reading import StoredCuffReading, octets


def yonker_result(reading: StoredCuffReading) -> bytes:
    """One notification."""
    at = reading.measured_at
    values = octets(0x81, reading.systolic, reading.diastolic, reading.pulse, 0, 0)
    return values + octets(at.day, at.month, at.year - 2000, at.hour, at.minute) + bytes(4)
