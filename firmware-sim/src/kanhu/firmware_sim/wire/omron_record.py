"""Records in the memory of Omron cuffs, 14 bytes, in both layouts; what is not known of them is zero."""

from kanhu.firmware_sim.errors import NotEncodable
from kanhu.firmware_sim.wire.cuff_reading import StoredCuffReading, octets


def omron_little_record(reading: StoredCuffReading, *, sequence: int) -> bytes:
    """Byte aligned, with two words little endian."""
    at = reading.measured_at
    day = at.hour + at.day * 32 + at.month * 1024 + reading.irregular * 16384 + reading.moved * 32768
    time = at.second + at.minute * 64
    head = octets(reading.systolic - 25, reading.diastolic, reading.pulse, at.year - 2000)
    return head + day.to_bytes(2, "little") + time.to_bytes(2, "little") + bytes(2) + sequence.to_bytes(4, "little")


def omron_big_record(reading: StoredCuffReading) -> bytes:
    """Bits packed from the highest on."""
    at = reading.measured_at
    bits = "".join(
        (
            _bits(reading.diastolic, 8),
            _bits(reading.systolic - 25, 8),
            _bits(at.year - 2000, 8),
            _bits(reading.pulse, 8),
            _bits(reading.moved, 1),
            _bits(reading.irregular, 1),
            _bits(at.month, 4),
            _bits(at.day, 5),
            _bits(at.hour, 5),
            "0000",
            _bits(at.minute, 6),
            _bits(at.second, 6),
        )
    )
    return int(bits, 2).to_bytes(8, "big") + bytes(6)


def _bits(value: int, width: int) -> str:
    if not 0 <= value < 1 << width:
        raise NotEncodable(f"{value} does not fit {width} bits")
    return f"{int(value):0{width}b}"
