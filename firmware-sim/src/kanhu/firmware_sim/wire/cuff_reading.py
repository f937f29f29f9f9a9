"""What a cuff with a private format keeps of one measurement; such cuffs send whole mmHg in single bytes."""

from dataclasses import dataclass
from datetime import datetime

from kanhu.firmware_sim.errors import NotEncodable

_LARGEST_BYTE = 0xFF


@dataclass(frozen=True, slots=True)
class StoredCuffReading:
    """One measurement in the cuff's memory; mmHg and beats per minute."""

    systolic: int
    diastolic: int
    pulse: int
    measured_at: datetime
    irregular: bool = False
    moved: bool = False


def octets(*values: int) -> bytes:
    """One byte a value.

    Raises:
        NotEncodable: a value does not fit.
    """
    if not all(0 <= value <= _LARGEST_BYTE for value in values):
        raise NotEncodable(f"{values} does not fit bytes")
    return bytes(values)
