"""Decode the Bluetooth SIG Heart Rate Measurement (characteristic 0x2A37).

Field order and flags follow the Heart Rate Service specification: flags, rate, [energy], [beat intervals].
Beat intervals come in 1/1024 s and stay in that unit, exactly.
"""

from dataclasses import dataclass

from kanhu.contract import Observation, Part, Quality, QualityLevel, QualityReason, Subject, Times
from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "0000180d-0000-1000-8000-00805f9b34fb"
CHARACTERISTIC_UUID = "00002a37-0000-1000-8000-00805f9b34fb"

_RATE_IS_16_BIT = 0x01
_CONTACT_DETECTED = 0x02
_CONTACT_SUPPORTED = 0x04
_HAS_ENERGY = 0x08
_HAS_INTERVALS = 0x10

# The longest attribute value in ATT; a longer one was never sent by a strap.
_MAX_BYTES = 512
# rr_interval has 128 steps a millisecond, so 1/1024 s is 125 of them.
_STEPS_PER_1024TH = 125


@dataclass(frozen=True, slots=True)
class HeartRate:
    """One notification of a strap."""

    rate_bpm: int
    contact: bool | None  # None: this strap cannot tell
    energy_kj: int | None  # since its last reset; stays at 65535 once reached
    intervals_1024th_s: tuple[int, ...]  # oldest first; not corrected for ectopic beats


def decode_heart_rate(frame: bytes) -> HeartRate:
    """Decode one frame; bytes behind the fields that the flags name are left unread.

    Raises:
        DecodeError: the frame is shorter than its flags say, or longer than any can be.
    """
    if len(frame) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    if not frame:
        raise DecodeError(DecodeReason.SHORT, "no flags")
    flags = frame[0]
    rate_end = 3 if flags & _RATE_IS_16_BIT else 2
    energy_end = rate_end + 2 if flags & _HAS_ENERGY else rate_end
    if len(frame) < energy_end:
        raise DecodeError(DecodeReason.SHORT, f"flags 0x{flags:02X} need {energy_end} bytes, got {len(frame)}")
    intervals: tuple[int, ...] = ()
    if flags & _HAS_INTERVALS:
        rest = frame[energy_end:]
        if not rest or len(rest) % 2:
            raise DecodeError(DecodeReason.SHORT, f"{len(rest)} bytes are no beat intervals")
        intervals = tuple(rest[i] | rest[i + 1] << 8 for i in range(0, len(rest), 2))
    return HeartRate(
        rate_bpm=int.from_bytes(frame[1:rate_end], "little"),
        contact=bool(flags & _CONTACT_DETECTED) if flags & _CONTACT_SUPPORTED else None,
        energy_kj=int.from_bytes(frame[rate_end:energy_end], "little") if flags & _HAS_ENERGY else None,
        intervals_1024th_s=intervals,
    )


def observe_heart_rate(record: HeartRate, *, subject: Subject, device: str, times: Times) -> Observation:
    """One reading of heart rate with beat intervals.

    Raises:
        DecodeError: the strap found no rate, and says so with a zero.
    """
    if record.rate_bpm == 0:
        if record.contact is False:
            raise DecodeError(DecodeReason.NO_CONTACT, "the strap touches no skin")
        raise DecodeError(DecodeReason.NO_VALUE, "rate 0: the strap found no beat")
    parts = [Part("heart_rate", (record.rate_bpm,))]
    if record.intervals_1024th_s:
        parts.append(Part("rr_interval", tuple(interval * _STEPS_PER_1024TH for interval in record.intervals_1024th_s)))
    quality = Quality()
    if record.contact is False:
        quality = Quality(QualityLevel.QUESTIONABLE, (QualityReason.NO_CONTACT,))
    return Observation("heart_rhythm", tuple(parts), subject, device, times, quality)
