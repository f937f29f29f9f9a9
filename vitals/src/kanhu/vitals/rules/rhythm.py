"""Rules about rhythm: enough irregular windows on enough local days.

Beats gather until a window is full; a hole starts the window anew. Days are those of the dwelling's time zone, so a
clock that was never set cannot count any.
"""

from datetime import tzinfo
from decimal import Decimal

import msgspec

from kanhu.contract import METRICS, Motion, Observation, QualityLevel
from kanhu.vitals.decisions import Decision, DecisionReason
from kanhu.vitals.moment import Moment, elapsed_ms, local_time, moment_of
from kanhu.vitals.rhythm.irregularity import Irregularity, RhythmLimits, irregularity
from kanhu.vitals.rules.episode import Alert, Point, raised, within
from kanhu.vitals.rules.records import RhythmTrigger, Rule, WindowsOnDays

_MS_PER_S = 1000


class Day(msgspec.Struct, frozen=True, array_like=True):
    """Irregular windows of one local day."""

    ordinal: int
    windows: int
    last: Point


class RhythmState(msgspec.Struct, frozen=True, array_like=True, tag="rhythm"):
    """Beats of the unfinished window, days that had irregular ones, and the last alert."""

    beats: tuple[int, ...] = ()
    last: Moment | None = None
    days: tuple[Day, ...] = ()
    alert: Alert | None = None
    unweighed: bool = False
    """Days came in from a state taken elsewhere: the next beats ask whether they are enough."""


def judge_rhythm(
    rule: Rule,
    trigger: RhythmTrigger,
    *,
    state: RhythmState,
    observation: Observation,
    timezone: tzinfo,
) -> tuple[RhythmState, list[Decision]]:
    """One notification with its intervals."""
    steps = observation.series(trigger.series)
    unused = _unused(observation, steps)
    if unused is not None or not isinstance(rule.confirm, WindowsOnDays):
        return state, [Decision(rule.id, unused or DecisionReason.NOT_APPLICABLE)]
    now = moment_of(observation)
    broken = state.last is not None and not _follows(trigger, state.last, now, steps)
    beats = steps if broken else (*state.beats, *steps)
    state = msgspec.structs.replace(state, beats=beats[-trigger.window_beats :], last=now)
    decisions = [Decision(rule.id, DecisionReason.WINDOW_EXPIRED)] if broken else []
    if state.unweighed:
        state, weighed = _weigh_restored(rule, rule.confirm, state=state, observation=observation, timezone=timezone)
        decisions += weighed
    if len(state.beats) < trigger.window_beats:
        return state, [*decisions, Decision(rule.id, DecisionReason.COLLECTING)]
    shown = _window(trigger, state.beats)
    state = msgspec.structs.replace(state, beats=())
    if shown is not Irregularity.IRREGULAR:
        calm = DecisionReason.REGULAR if shown is Irregularity.REGULAR else DecisionReason.EXTRA_BEATS
        return state, [*decisions, Decision(rule.id, calm)]
    today = _local_day(observation, timezone)
    if today is None:
        return state, [*decisions, Decision(rule.id, DecisionReason.CLOCK_UNSET)]
    point = Point(now, ((trigger.series, sorted(steps)[len(steps) // 2]),))
    state = msgspec.structs.replace(state, days=_counted(rule.confirm, state.days, today, point))
    state, decision = _weigh(rule, rule.confirm, state=state, observation=observation)
    return state, [*decisions, decision]


def _unused(observation: Observation, steps: tuple[int, ...]) -> DecisionReason | None:
    if observation.quality.level is QualityLevel.UNUSABLE:
        return DecisionReason.QUALITY_UNUSABLE
    if observation.quality.level is QualityLevel.QUESTIONABLE:
        return DecisionReason.QUALITY_QUESTIONABLE
    if observation.context.motion is Motion.MOVING:
        return DecisionReason.MOVING
    return None if steps else DecisionReason.NO_VALUE


def _follows(trigger: RhythmTrigger, last: Moment, now: Moment, steps: tuple[int, ...]) -> bool:
    """Whether these beats join on: the time since the last ones is that of these beats, give or take `gap_s`."""
    passed_ms = elapsed_ms(last, now)
    covered_ms = METRICS[trigger.series].value(sum(steps))
    return passed_ms is not None and passed_ms - covered_ms <= Decimal(trigger.gap_s) * _MS_PER_S


def _window(trigger: RhythmTrigger, beats: tuple[int, ...]) -> Irregularity:
    per_ms = METRICS[trigger.series].steps_per_unit
    limits = RhythmLimits(trigger.symbol_bpm, trigger.entropy_above, trigger.filtered_entropy_above)
    return irregularity([step / per_ms for step in beats], limits)


def _local_day(observation: Observation, timezone: tzinfo) -> int | None:
    local = local_time(observation, timezone)
    return None if local is None else local.date().toordinal()


def _weigh_restored(
    rule: Rule, confirm: WindowsOnDays, *, state: RhythmState, observation: Observation, timezone: tzinfo
) -> tuple[RhythmState, list[Decision]]:
    """Whether the days known by now are enough: the last irregular window may have come before the others did."""
    today = _local_day(observation, timezone)
    if today is None:
        return state, []
    days = tuple(day for day in state.days if 0 <= today - day.ordinal < confirm.within_days)
    state, decision = _weigh(
        rule, confirm, state=msgspec.structs.replace(state, days=days, unweighed=False), observation=observation
    )
    return state, [decision] if decision.finding is not None else []


def _counted(confirm: WindowsOnDays, days: tuple[Day, ...], today: int, point: Point) -> tuple[Day, ...]:
    """One more window today; days too long ago, or still to come, are forgotten."""
    kept = {day.ordinal: day for day in days if 0 <= today - day.ordinal < confirm.within_days}
    before = kept[today].windows if today in kept else 0
    kept[today] = Day(today, before + 1, point)
    return tuple(kept[ordinal] for ordinal in sorted(kept))


def _weigh(
    rule: Rule, confirm: WindowsOnDays, *, state: RhythmState, observation: Observation
) -> tuple[RhythmState, Decision]:
    days = [day for day in state.days if day.windows >= confirm.windows]
    if len(days) < confirm.days:
        return state, Decision(rule.id, DecisionReason.CONFIRMING)
    if state.alert is not None and within(state.alert.started, moment_of(observation), rule.dedupe_s):
        return state, Decision(rule.id, DecisionReason.ALREADY_RAISED)
    alert, decision = raised(
        rule,
        observation,
        last=None,
        priority=rule.priority,
        reasons=(DecisionReason.CONFIRMED, DecisionReason.RECURRED),
        points=tuple(day.last for day in days),
        params={"windows": str(sum(day.windows for day in days)), "days": str(len(days))},
    )
    # The fourteen days run from the day it was said, not from the first evidence.
    return msgspec.structs.replace(state, alert=msgspec.structs.replace(alert, started=alert.touched)), decision
