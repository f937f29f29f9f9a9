"""What the formats of Nonin oximeters share: how values and doubts are told, and the reading that they make."""

from typing import Protocol

from kanhu.contract import Observation, Part, Quality, QualityLevel, QualityReason, Subject, Times, metric
from kanhu.edge.errors import DecodeError, DecodeReason

LOW_BATTERY = 0x01
SMARTPOINT = 0x20

_NO_PULSE = frozenset({0, 511})
_MAX_SPO2_PERCENT = 100  # above it, and at 127 by the maker's word, there is no value


class NoninLive(Protocol):
    """What every live format tells, five bytes a frame or one packet a second."""

    @property
    def spo2_percent(self) -> int | None:
        """None where the device has none."""

    @property
    def pulse_bpm(self) -> int | None:
        """None where the device has none."""

    @property
    def doubts(self) -> tuple[QualityReason, ...]:
        """Why the device itself does not trust its values."""

    @property
    def no_contact(self) -> bool:
        """The sensor gives nothing usable."""


def pulse_bpm_of(high: int, low: int) -> int | None:
    """Nine bits: bits 1 and 0 of the first byte above the seven of the second."""
    pulse = (high & 0x03) << 7 | low & 0x7F
    return None if pulse in _NO_PULSE else pulse


def spo2_percent_of(raw: int) -> int | None:
    """Seven bits."""
    value = raw & 0x7F
    return value if 0 < value <= _MAX_SPO2_PERCENT else None


def doubts_of(*, out_of_track: bool, low_perfusion: bool, artifact: bool) -> tuple[QualityReason, ...]:
    """Out of track: no good pulses in a row. Artifact: a beat that does not fit the ones before it."""
    told = (
        (QualityReason.SEARCHING, out_of_track),
        (QualityReason.LOW_PERFUSION, low_perfusion),
        (QualityReason.UNSTABLE, artifact),
    )
    return tuple(reason for reason, holds in told if holds)


def observe_nonin(record: NoninLive, *, subject: Subject, device: str, times: Times) -> Observation:
    """One live reading.

    Raises:
        DecodeError: no finger is in, or there is neither saturation nor pulse.
    """
    if record.no_contact:
        raise DecodeError(DecodeReason.NO_CONTACT, "the sensor is off the finger or unplugged")
    return observe_values(
        spo2_percent=record.spo2_percent,
        pulse_bpm=record.pulse_bpm,
        doubts=record.doubts,
        subject=subject,
        device=device,
        times=times,
    )


def observe_values(
    *,
    spo2_percent: int | None,
    pulse_bpm: int | None,
    doubts: tuple[QualityReason, ...],
    subject: Subject,
    device: str,
    times: Times,
) -> Observation:
    """One reading; any doubt makes it questionable.

    Raises:
        DecodeError: there is neither saturation nor pulse.
    """
    named = (("spo2", spo2_percent), ("pulse_oximeter", pulse_bpm))
    parts = tuple(Part(code, (metric(code).steps(value),)) for code, value in named if value is not None)
    if not parts:
        raise DecodeError(DecodeReason.NO_VALUE, "neither saturation nor pulse")
    level = QualityLevel.QUESTIONABLE if doubts else QualityLevel.OK
    return Observation("oximetry", parts, subject, device, times, Quality(level, doubts))
