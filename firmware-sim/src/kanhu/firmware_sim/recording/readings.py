"""The shape of every reading: what a gateway would have made of the bytes of each device.

Values are as the device shows them, in whole steps of its display. Times are added by the gateway's clock later, and
with them the subject of a shared device, whose every session is its own.
"""

from collections.abc import Sequence

import msgspec

from kanhu.contract import (
    Context,
    EventWord,
    Meal,
    Observation,
    Part,
    Quality,
    QualityLevel,
    QualityReason,
    Subject,
    SubjectKind,
    Times,
)

__all__ = [
    "BloodPressure",
    "Reading",
    "blood_pressure",
    "daily_event",
    "glucose",
    "heart_rhythm",
    "help_button",
    "observed",
    "oximetry",
    "room_temperature",
    "sensor_change",
    "temperature",
    "weight",
]

_OK = Quality()
_NO_CONTEXT = Context()
_RR_STEPS_PER_1024TH = 125  # rr_interval counts 1/128 ms, the strap 1/1024 s
_HUNDREDTHS, _TENTHS, _THOUSANDTHS = 100, 10, 1000


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One reading before its gateway stamped and numbered it."""

    true_ms: int
    """When it truly was, Unix milliseconds."""
    device: str
    metric: str
    parts: tuple[Part, ...]
    subject: Subject | None
    """None: a shared device, so that nobody knows whose it is."""
    quality: Quality = _OK
    context: Context = _NO_CONTEXT
    device_ms: int | None = None
    """The device's own clock, where it sends one."""
    session_ms: int | None = None
    """When the session of a shared device began, true time; None: with this reading."""


class BloodPressure(msgspec.Struct, frozen=True):
    """What a cuff shows."""

    systolic_mmhg: int
    diastolic_mmhg: int
    pulse_bpm: int


def blood_pressure(
    true_ms: int,
    device: str,
    *,
    subject: Subject | None,
    shown: BloodPressure,
    reasons: tuple[QualityReason, ...] = (),
    device_ms: int | None = None,
) -> Reading:
    """One cuff measurement. A cuff clock that was never set is a note and lowers nothing."""
    mean_mmhg = round(shown.diastolic_mmhg + (shown.systolic_mmhg - shown.diastolic_mmhg) / 3)
    parts = (
        Part("systolic", (shown.systolic_mmhg * _HUNDREDTHS,)),
        Part("diastolic", (shown.diastolic_mmhg * _HUNDREDTHS,)),
        Part("mean_pressure", (mean_mmhg * _HUNDREDTHS,)),
        Part("pulse_cuff", (shown.pulse_bpm * _HUNDREDTHS,)),
    )
    lowering = any(reason is not QualityReason.DEVICE_CLOCK_UNSET for reason in reasons)
    quality = Quality(QualityLevel.QUESTIONABLE if lowering else QualityLevel.OK, reasons) if reasons else _OK
    return Reading(true_ms, device, "bp", parts, subject, quality, _NO_CONTEXT, device_ms)


def oximetry(
    true_ms: int,
    device: str,
    *,
    subject: Subject | None,
    spo2_percent: int,
    pulse_bpm: int,
    reasons: tuple[QualityReason, ...] = (),
    session_ms: int | None = None,
) -> Reading:
    """One window of ten seconds, which ends at `true_ms`."""
    parts = (Part("spo2", (spo2_percent * _TENTHS,)), Part("pulse_oximeter", (pulse_bpm * _TENTHS,)))
    return Reading(true_ms, device, "oximetry", parts, subject, _questionable(reasons), session_ms=session_ms)


def heart_rhythm(
    true_ms: int,
    device: str,
    *,
    subject: Subject | None,
    rate_bpm: int,
    intervals_1024th_s: Sequence[int] = (),
    reasons: tuple[QualityReason, ...] = (),
    session_ms: int | None = None,
) -> Reading:
    """One second of a strap: its rate and the beats that ended in it."""
    rate = Part("heart_rate", (rate_bpm,))
    parts: tuple[Part, ...] = (rate,)
    if intervals_1024th_s:
        parts = (rate, Part("rr_interval", tuple([each * _RR_STEPS_PER_1024TH for each in intervals_1024th_s])))
    return Reading(true_ms, device, "heart_rhythm", parts, subject, _questionable(reasons), session_ms=session_ms)


def help_button(true_ms: int, device: str, *, subject: Subject) -> Reading:
    """One press, however often it was advertised."""
    return Reading(true_ms, device, "help_button", (Part("help_button", (1,)),), subject)


def sensor_change(true_ms: int, device: str, *, metric: str, state: int, dwelling: Subject) -> Reading:
    """A sensor of the dwelling saw (1) or stopped seeing (0): `motion`, `contact`."""
    return Reading(true_ms, device, metric, (Part(metric, (state,)),), dwelling)


def weight(true_ms: int, device: str, *, subject: Subject | None, kg: float) -> Reading:
    """Scales show steps of 100 g."""
    return _single(true_ms, device, "weight", round(kg * _TENTHS) * (_THOUSANDTHS // _TENTHS), subject)


def temperature(true_ms: int, device: str, *, subject: Subject | None, celsius: float) -> Reading:
    """Armpit thermometers show tenths."""
    return _single(true_ms, device, "temperature_axillary", round(celsius * _TENTHS) * _TENTHS, subject)


def room_temperature(true_ms: int, device: str, *, dwelling: Subject, celsius: float) -> Reading:
    """Sensors of a room show tenths, and say nothing of whoever is in it."""
    return _single(true_ms, device, "room_temperature", round(celsius * _TENTHS) * _TENTHS, dwelling)


def daily_event(true_ms: int, device: str, *, word: EventWord, subject: Subject) -> Reading:
    """What a gateway concluded about a day: a sign of wellbeing or a dose."""
    metric, step = word.value
    return Reading(true_ms, device, metric, (Part(metric, (step,)),), subject)


def glucose(true_ms: int, device: str, *, subject: Subject | None, mmol_l: float, meal: Meal) -> Reading:
    """Meters show tenths of whole blood from a finger; the person says which meal it was."""
    steps = round(mmol_l * _TENTHS) * _TENTHS
    return Reading(
        true_ms, device, "glucose_capillary", (Part("glucose_capillary", (steps,)),), subject, _OK, Context(meal=meal)
    )


def observed(reading: Reading, times: Times, *, session: Times) -> Observation:
    """The observation that leaves the gateway; `session` is when a shared device's session began."""
    if reading.subject is not None:
        return Observation(
            reading.metric, reading.parts, reading.subject, reading.device, times, reading.quality, reading.context
        )
    nobody = Subject(SubjectKind.UNIDENTIFIED, f"{reading.device}.{session.boot[:8]}.{session.mono_ns}")
    quality = Quality(QualityLevel.QUESTIONABLE, (*reading.quality.reasons, QualityReason.IDENTITY_UNKNOWN))
    return Observation(reading.metric, reading.parts, nobody, reading.device, times, quality, reading.context)


def _single(true_ms: int, device: str, metric: str, steps: int, subject: Subject | None) -> Reading:
    return Reading(true_ms, device, metric, (Part(metric, (steps,)),), subject)


def _questionable(reasons: tuple[QualityReason, ...]) -> Quality:
    return Quality(QualityLevel.QUESTIONABLE, reasons) if reasons else _OK
