"""One person's daily summaries against their own baseline, and the agreement that makes a finding of it."""

import math
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec
import numpy as np

from kanhu.contract import METRICS, Evidence, Finding, Phase, Subject, Times, alert_id
from kanhu.vitals.baselines.cusum import levelled, robust_centre_and_spread, shrunk_spread, standardised, summed
from kanhu.vitals.decisions import Decision, DecisionReason
from kanhu.vitals.errors import PackRefused
from kanhu.vitals.rules.records import Agreement, Rule, TrendTrigger, Vital
from kanhu.vitals.stored_state import read_state

STATE_VERSION = 1
_S_PER_DAY = 86_400


class Direction(StrEnum):
    """Which way a vital has moved."""

    ABOVE = "above"
    BELOW = "below"


class TrendScore(msgspec.Struct, frozen=True, array_like=True):
    """How far one vital has moved, as `signal_at` counts; while the baseline is learned its own limit is that much."""

    value: float
    direction: Direction


class TrendSignal(msgspec.Struct, frozen=True, array_like=True):
    """One vital has moved; `evidence` names the day's summary."""

    metric: str
    direction: Direction
    evidence: Evidence


class _Baseline(msgspec.Struct, frozen=True, array_like=True):
    version: int
    last_day: int = 0
    learning: tuple[float, ...] = ()
    """Readings of the baseline until it is complete, then none."""
    count: int = 0
    centre: float = 0.0
    spread: float = 0.0
    up: float = 0.0
    down: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no baseline can be: stored state is read back into this."""
        numbers = (self.centre, self.spread, self.up, self.down, *self.learning)
        if not all(math.isfinite(number) for number in numbers) or len(self.learning) > self.count:
            raise ValueError("not a baseline")
        if self.count > 0 and self.spread <= 0:
            raise ValueError("a baseline without a spread")


class TrendDetector:
    """CUSUM of one vital of one person, one robust summary a day."""

    def __init__(self, rule: Rule, metric: str, state: bytes = b"") -> None:
        """Go on from `state`, or begin.

        Raises:
            PackRefused: the rule is no trend rule, or does not name this vital.
            StateRefused: `state` is not one of this detector.
        """
        self._rule = rule
        self._trigger, self._vital = _named(rule, metric)
        self._kept = read_state(_Baseline, state, version=STATE_VERSION) if state else _Baseline(STATE_VERSION)
        self._signalled: Direction | None = None
        self.score: TrendScore | None = None
        """Of the last update; None while it learned, or took nothing."""

    @property
    def direction(self) -> Direction | None:
        """Which way the last update signalled; None where it did not."""
        return self._signalled

    def state(self) -> bytes:
        """What to store; bounded by the readings of a baseline."""
        return msgspec.msgpack.encode(self._kept)

    def update(self, day: date, summary: Decimal) -> Decision:
        """Take one day's summary: learning, as_usual or shifted; a day is taken once, and in order."""
        kept, self._signalled, self.score = self._kept, None, None
        ordinal = day.toordinal()
        if ordinal <= kept.last_day:
            late = DecisionReason.DUPLICATE if ordinal == kept.last_day else DecisionReason.OUT_OF_ORDER
            return Decision(self._rule.id, late)
        row = METRICS[self._vital.metric]
        if not (summary.is_finite() and (row.low or 0) <= summary <= (row.high or 0)):
            return Decision(self._rule.id, DecisionReason.OUT_OF_RANGE)
        reading = float(summary)
        learned = kept.count >= self._trigger.least_readings
        kept = self._scored(kept, reading) if learned else kept
        kept = self._learned(kept, reading)
        self._kept = msgspec.structs.replace(kept, last_day=ordinal)
        if not learned:
            return Decision(self._rule.id, DecisionReason.LEARNING)
        complete = kept.count > self._trigger.baseline_readings
        limit = self._trigger.signal_at if complete else self._trigger.signal_at_learning
        direction = Direction.ABOVE if kept.up >= kept.down else Direction.BELOW
        self.score = TrendScore(max(kept.up, kept.down) / limit * self._trigger.signal_at, direction)
        if max(kept.up, kept.down) <= limit:
            return Decision(self._rule.id, DecisionReason.AS_USUAL)
        self._signalled = direction
        return Decision(self._rule.id, DecisionReason.SHIFTED)

    def _scored(self, kept: _Baseline, reading: float) -> _Baseline:
        trigger = self._trigger
        deviation = standardised(reading, kept.centre, kept.spread, clip_sd=trigger.clip_sd)
        up, down = summed(kept.up, kept.down, deviation, slack_sd=trigger.slack_sd)
        # A sum without a ceiling would go on saying "shifted" for as many days after the return as the shift lasted.
        ceiling = trigger.signal_at_learning + trigger.clip_sd - trigger.slack_sd
        return msgspec.structs.replace(kept, up=min(float(up), ceiling), down=min(float(down), ceiling))

    def _learned(self, kept: _Baseline, reading: float) -> _Baseline:
        """The baseline with this reading: gathered until complete, then only its level follows, and only in calm."""
        trigger = self._trigger
        count = min(kept.count + 1, trigger.baseline_readings + 1)
        if kept.count >= trigger.baseline_readings:
            centre = kept.centre
            if max(kept.up, kept.down) < trigger.level_below:
                weight, clip_sd = trigger.level_weight, trigger.level_clip_sd
                centre = float(levelled(centre, reading, kept.spread, weight=weight, clip_sd=clip_sd))
            return msgspec.structs.replace(kept, centre=centre, count=count, learning=())
        learning = (*kept.learning, reading)
        centre_of, own = robust_centre_and_spread(np.asarray(learning, dtype=np.float64))
        spread = shrunk_spread(
            float(own),
            population=float(self._vital.population_sd),
            floor=float(self._vital.floor_sd),
            readings=len(learning),
            shrink_readings=trigger.shrink_readings,
        )
        return msgspec.structs.replace(
            kept, learning=learning, count=count, centre=float(centre_of), spread=float(spread)
        )


class _Running(msgspec.Struct, frozen=True, array_like=True):
    signal: TrendSignal
    days: int


class _Agreed(msgspec.Struct, frozen=True, array_like=True):
    version: int
    last_day: int = 0
    running: dict[str, _Running] = {}
    raised_day: int | None = None


class TrendAgreement:
    """One vital alone says little: two of different groups on one day, or one on days running, make a finding."""

    def __init__(self, rule: Rule, subject: Subject, state: bytes = b"") -> None:
        """Go on from `state`, or begin.

        Raises:
            PackRefused: the rule is no trend rule.
            StateRefused: `state` is not one of this combiner.
        """
        if not isinstance(rule.trigger, TrendTrigger) or not isinstance(rule.confirm, Agreement):
            raise PackRefused(rule.id, "kind", "no trend rule", remedy="give the rule TREND")
        self._rule = rule
        self._confirm = rule.confirm
        self._groups = {vital.metric: vital.group for vital in rule.trigger.vitals}
        self._subject = subject
        self._kept = read_state(_Agreed, state, version=STATE_VERSION) if state else _Agreed(STATE_VERSION)

    def state(self) -> bytes:
        """What to store; bounded by the number of vitals."""
        return msgspec.msgpack.encode(self._kept)

    def update(self, day: date, signals: Sequence[TrendSignal], times: Times) -> Decision:
        """Take all signals of one day, an empty list included; a day is taken once, and in order."""
        kept, rule, ordinal = self._kept, self._rule, day.toordinal()
        if ordinal <= kept.last_day:
            late = DecisionReason.DUPLICATE if ordinal == kept.last_day else DecisionReason.OUT_OF_ORDER
            return Decision(rule.id, late)
        known = sorted((signal for signal in signals if signal.metric in self._groups), key=lambda one: one.metric)
        running = {signal.metric: self._longer(signal, ordinal) for signal in known}
        kept = msgspec.structs.replace(kept, last_day=ordinal, running=running)
        self._kept = kept
        if not known:
            return Decision(rule.id, DecisionReason.AS_USUAL)
        groups = {self._groups[signal.metric] for signal in known}
        longest = max(run.days for run in running.values())
        if len(groups) < self._confirm.vitals and longest < self._confirm.days:
            return Decision(rule.id, DecisionReason.CONFIRMING)
        if kept.raised_day is not None and (ordinal - kept.raised_day) * _S_PER_DAY < rule.dedupe_s:
            return Decision(rule.id, DecisionReason.ALREADY_RAISED)
        if not rule.approved():
            return Decision(rule.id, DecisionReason.SHADOW)
        self._kept = msgspec.structs.replace(kept, raised_day=ordinal)
        return Decision(rule.id, DecisionReason.CONFIRMED, self._finding(known, times))

    def _longer(self, signal: TrendSignal, ordinal: int) -> _Running:
        before = self._kept.running.get(signal.metric)
        follows = self._kept.last_day == ordinal - 1
        if before is None or not follows or before.signal.direction is not signal.direction:
            return _Running(signal, 1)
        return _Running(signal, before.days + 1)

    def _finding(self, signals: Sequence[TrendSignal], times: Times) -> Finding:
        rule = self._rule
        evidence = tuple(signal.evidence for signal in signals)
        return Finding(
            alert_id=alert_id(self._subject, rule.id, evidence[0]),
            rule=rule.id,
            rule_version=rule.version,
            subject=self._subject,
            priority=rule.priority,
            phase=Phase.START,
            reason=DecisionReason.CONFIRMED.value,
            times=times,
            evidence=evidence,
            params={"changes": ",".join(f"{signal.metric}:{signal.direction}" for signal in signals)},
        )


def _named(rule: Rule, metric: str) -> tuple[TrendTrigger, Vital]:
    if isinstance(rule.trigger, TrendTrigger):
        for vital in rule.trigger.vitals:
            if vital.metric == metric:
                return rule.trigger, vital
    raise PackRefused(rule.id, "trigger.vitals", f"no trend of {metric!r}", remedy="name the vital in the pack")
