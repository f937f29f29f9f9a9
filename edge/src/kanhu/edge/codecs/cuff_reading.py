"""What cuffs with a private format have in common: whole mmHg, a pulse, and a clock that may never have been set."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from kanhu.contract import Observation, Part, Quality, QualityLevel, QualityReason, Subject, Times, metric

# Cuffs fall back to a default year between 2010 and 2020 when their battery is changed.
_FIRST_PLAUSIBLE_MS = int(datetime(2021, 1, 1, tzinfo=UTC).timestamp()) * 1000
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def local_ms(year: int, month: int, day: int, hour: int, minute: int, second: int = 0) -> int | None:
    """Local milliseconds as if local time were UTC; None where the parts name no moment."""
    try:
        known = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return (known - _UNIX_EPOCH) // timedelta(milliseconds=1)


def observe_cuff_reading(
    *,
    systolic_mmhg: int,
    diastolic_mmhg: int,
    pulse_bpm: int | None,
    measured_at_ms: int | None,
    doubts: tuple[QualityReason, ...],
    subject: Subject,
    device: str,
    times: Times,
) -> Observation:
    """One reading; any doubt makes it questionable, an unset clock does not."""
    parts = [_part("systolic", systolic_mmhg), _part("diastolic", diastolic_mmhg)]
    if pulse_bpm is not None:
        parts.append(_part("pulse_cuff", pulse_bpm))
    unset = measured_at_ms is None or measured_at_ms < _FIRST_PLAUSIBLE_MS
    return Observation(
        metric="bp",
        parts=tuple(parts),
        subject=subject,
        device=device,
        times=replace(times, device_ms=measured_at_ms),
        quality=Quality(
            QualityLevel.QUESTIONABLE if doubts else QualityLevel.OK,
            (*doubts, QualityReason.DEVICE_CLOCK_UNSET) if unset else doubts,
        ),
    )


def _part(code: str, value: int) -> Part:
    return Part(code, (value * metric(code).steps_per_unit,))
