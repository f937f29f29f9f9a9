"""Look at a reading before any rule does, and lower its quality where it cannot be trusted. Never the other way.

The limits here are about sensors, not about health: what a living person or a working device cannot show.
"""

from collections import OrderedDict
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from kanhu.contract import METRICS, Motion, Observation, Quality, QualityLevel, QualityReason, SubjectKind
from kanhu.vitals.moment import elapsed_ms, moment_of
from kanhu.vitals.profile import Profile, check_profiles

_MS_PER_MINUTE = 60_000
_MS_PER_DAY = 86_400_000

# More than this much change in one span of time is a sensor that was moved, not a body: (most per span, span).
_FASTEST: dict[str, tuple[Decimal, int]] = {
    "temperature": (Decimal(1), _MS_PER_MINUTE),
    "temperature_axillary": (Decimal(1), _MS_PER_MINUTE),
    "temperature_oral": (Decimal(1), _MS_PER_MINUTE),
    "temperature_ear": (Decimal(1), _MS_PER_MINUTE),
    "weight": (Decimal(3), _MS_PER_DAY),
}

# Two cuff readings within this time that differ by more call for a third.
_REPEAT_MS = 10 * _MS_PER_MINUTE
_REPEAT_MMHG = Decimal(10)

# So many readings in a row, equal in every one of at least so many values, are a device that repeats itself. A cuff
# never measures the same three numbers three times; an oximeter's two whole numbers stay for minutes in a calm person.
_STUCK: dict[str, tuple[int, int]] = {"bp": (3, 3), "oximetry": (60, 2), "heart_rhythm": (300, 2)}

_MOTION_SPOILS = frozenset({"bp", "oximetry"})
_MOST_REMEMBERED = 256
_NOTES = frozenset({QualityReason.REPEAT_DISAGREES})


def assess(observation: Observation, *, previous: Observation | None, profile: Profile) -> Observation:
    """The reading with its quality lowered where range, pair, person or change say so.

    `previous` is the last reading of the same metric from the same device and person. Two readings cannot show a
    device that repeats itself: QualityGate counts.
    """
    reasons = [*_alone(observation, profile)]
    if previous is not None and _comparable(previous, observation):
        reasons += _compared(previous, observation)
    return _lowered(observation, reasons)


class QualityGate:
    """Assesses readings one after another, remembering the last of each device, person and metric."""

    def __init__(self, profiles: Mapping[str, Profile]) -> None:
        """Profiles by subject id; a person without one is somebody about whom nothing is recorded.

        Raises:
            ProfileMismatch: a profile stands under another person's id.
        """
        check_profiles(profiles)
        self._profiles = profiles
        self._last: OrderedDict[tuple[str, str, str], tuple[Observation, int]] = OrderedDict()

    def assess(self, observation: Observation) -> Observation:
        """The reading with its quality lowered where needed."""
        key = (observation.subject.id, observation.device, observation.metric)
        previous, equal = self._last.pop(key, (None, 0))
        profile = self._profiles.get(observation.subject.id, Profile(subject=observation.subject.id))
        assessed = assess(observation, previous=previous, profile=profile)
        count, values = _STUCK.get(observation.metric, (0, 0))
        equal = equal + 1 if previous is not None and previous.parts == observation.parts else 1
        if count and equal >= count and sum(len(part.steps) for part in observation.parts) >= values:
            assessed = _lowered(assessed, [QualityReason.STUCK])
        self._last[key] = (assessed, equal)
        if len(self._last) > _MOST_REMEMBERED:
            self._last.popitem(last=False)
        return assessed


def _alone(observation: Observation, profile: Profile) -> list[QualityReason]:
    reasons = []
    if any(_out_of_range(part.metric, part.steps) for part in observation.parts):
        reasons.append(QualityReason.OUT_OF_RANGE)
    systolic, diastolic = observation.series("systolic"), observation.series("diastolic")
    if systolic and diastolic and diastolic[0] >= systolic[0]:
        reasons.append(QualityReason.IMPLAUSIBLE_PAIR)
    if observation.context.motion is Motion.MOVING and observation.metric in _MOTION_SPOILS:
        reasons.append(QualityReason.MOTION)
    stranger = observation.subject.kind is SubjectKind.RESIDENT and profile.subject != observation.subject.id
    if stranger or observation.subject.kind is SubjectKind.UNIDENTIFIED:
        reasons.append(QualityReason.IDENTITY_UNKNOWN)
    return reasons


def _out_of_range(code: str, steps: tuple[int, ...]) -> bool:
    row = METRICS[code]
    low = None if row.low is None else row.low * row.steps_per_unit
    high = None if row.high is None else row.high * row.steps_per_unit
    return any((low is not None and step < low) or (high is not None and step > high) for step in steps)


def _comparable(previous: Observation, observation: Observation) -> bool:
    return (
        previous.metric == observation.metric
        and previous.subject == observation.subject
        and previous.quality.level is QualityLevel.OK
    )


def _compared(previous: Observation, observation: Observation) -> list[QualityReason]:
    passed_ms = elapsed_ms(moment_of(previous), moment_of(observation))
    if passed_ms is None or passed_ms < 0:
        return []
    reasons = []
    for part in observation.parts:
        most, span_ms = _FASTEST.get(part.metric, (None, 1))
        change = _change(previous, observation, part.metric)
        if most is not None and change is not None and change > most * max(Decimal(1), Decimal(passed_ms) / span_ms):
            reasons.append(QualityReason.RATE_OF_CHANGE)
    if passed_ms <= _REPEAT_MS:
        for code in ("systolic", "diastolic"):
            change = _change(previous, observation, code)
            if change is not None and change > _REPEAT_MMHG:
                reasons.append(QualityReason.REPEAT_DISAGREES)
    return reasons


def _change(previous: Observation, observation: Observation, code: str) -> Decimal | None:
    before, now = previous.value(code), observation.value(code)
    return None if before is None or now is None else abs(now - before)


def _lowered(observation: Observation, reasons: list[QualityReason]) -> Observation:
    """Reasons added, none lost; the level falls to questionable unless all that is new is a note.

    Two cuff readings that disagree are both kept as they are: a third is asked for, and the mean still decides.
    """
    new = [reason for reason in dict.fromkeys(reasons) if reason not in observation.quality.reasons]
    level = observation.quality.level
    if level is QualityLevel.OK and not _NOTES.issuperset(reasons):
        level = QualityLevel.QUESTIONABLE
    if not new and level is observation.quality.level:
        return observation
    return msgspec.structs.replace(observation, quality=Quality(level, (*observation.quality.reasons, *new)))
