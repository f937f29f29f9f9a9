"""Whether the numbers of one rule can work: metrics known, units right, every limit within a sensor's reach."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import chain

from kanhu.contract import METRICS, Metric, MetricKind
from kanhu.vitals.errors import PackRefused
from kanhu.vitals.rules.records import (
    Agreement,
    AlarmTrigger,
    Asked,
    ByHeartbeat,
    ByPerson,
    ByReadings,
    BySustained,
    ClockTrigger,
    Consecutive,
    EventTrigger,
    FloodTrigger,
    GainTrigger,
    IdentityTrigger,
    Limit,
    Once,
    RepeatMean,
    RhythmTrigger,
    Rule,
    SilenceTrigger,
    Sustained,
    ThresholdTrigger,
    TrendTrigger,
    WindowsOnDays,
)

# A window or a baseline is kept in a gateway's memory and checkpoint.
_MAX_BEATS = 512
_LEAST_BEATS = 16
_MAX_COUNT = 20
_MAX_DAYS = 31
_MAX_BASELINE = 400
_MAX_WINDOWS = 1000
_MAX_MORNINGS = 14
_DAY_S = 86_400.0


def supplied_params(rule: Rule) -> frozenset[str]:
    """Names that a sentence of this rule may use."""
    match rule.trigger:
        case EventTrigger():
            said = frozenset({"minutes" if isinstance(rule.confirm, Asked) else "presses"})
            return said | {"value"} if isinstance(rule.clear, ByReadings) else said
        case ThresholdTrigger(metrics=metrics, limits=limits):
            values = chain.from_iterable((limit.metric, f"{limit.metric}_limit") for limit in limits)
            named = frozenset(values) if len(metrics) == 1 else frozenset()  # a reading of another metric has none
            return named | {"value", "limit", "count", "minutes"}
        case RhythmTrigger():
            return frozenset({"windows", "days"})
        case GainTrigger():
            return frozenset({"value", "before", "gain", "limit", "days"})
        case TrendTrigger():
            return frozenset({"changes"})
        case SilenceTrigger():
            return frozenset({"minutes"})
        case AlarmTrigger():
            return frozenset({"part", "fault"})
        case ClockTrigger():
            return frozenset({"device", "number", "unit", "way"})
        case FloodTrigger():
            return frozenset({"messages"})
        case IdentityTrigger():
            return frozenset({"days", "left"})


def check_trigger(rule: Rule) -> None:
    """Refuse numbers that cannot work."""
    for name, number, low, high in _numbers(rule):
        if not low <= number <= high:
            remedy = f"write a number from {low:g} to {high:g}"
            raise PackRefused(rule.id, name, f"{number:g} is out of reach", remedy=remedy)
    match rule.trigger:
        case EventTrigger(metric=code):
            _known(rule, code, (MetricKind.EVENT,))
        case ThresholdTrigger():
            _check_threshold(rule, rule.trigger)
        case RhythmTrigger(metric=code, series=series, unit=unit):
            panel = _known(rule, code, (MetricKind.PANEL,))
            _check_part(rule, panel, series)
            _check_unit(rule, _known(rule, series, (MetricKind.SERIES,)), unit)
        case GainTrigger(metric=code, unit=unit):
            _check_unit(rule, _known(rule, code, (MetricKind.SCALAR,)), unit)
        case TrendTrigger(vitals=vitals):
            if not vitals:
                raise PackRefused(rule.id, "trigger.vitals", "empty", remedy="name at least one vital")
            for vital in vitals:
                _check_unit(rule, _known(rule, vital.metric, (MetricKind.SCALAR,)), vital.unit)
        case SilenceTrigger(technical_s=first, watch_list_s=second, all_s=third):
            if not first < second < third:
                remedy = "let technical_s, watch_list_s and all_s rise"
                raise PackRefused(rule.id, "trigger", "stages out of order", remedy=remedy)
        case AlarmTrigger() | ClockTrigger() | FloodTrigger() | IdentityTrigger():
            pass


def _check_threshold(rule: Rule, trigger: ThresholdTrigger) -> None:
    heard = [_known(rule, code, (MetricKind.PANEL, MetricKind.SCALAR)) for code in trigger.metrics]
    limited = {limit.metric for limit in trigger.limits}
    if not limited or len(limited) != len(trigger.limits) or len(set(trigger.metrics)) != len(trigger.metrics):
        remedy = "name at least one metric and one limit, each once"
        raise PackRefused(rule.id, "trigger.limits", "empty, or named twice", remedy=remedy)
    for limit in trigger.limits:
        row = _known(rule, limit.metric, (MetricKind.SCALAR,))
        if not any(limit.metric in (panel.parts or (panel.code,)) for panel in heard):
            raise PackRefused(
                rule.id, "metric", f"{limit.metric!r} is no part of what is heard", remedy="name its metric in metrics"
            )
        _check_unit(rule, row, limit.unit)
        _check_limit(rule, row, limit)
    for panel in heard:
        if limited.isdisjoint(panel.parts or (panel.code,)):
            remedy = f"limit one of {', '.join(panel.parts or (panel.code,))}, or do not hear it"
            raise PackRefused(rule.id, "metric", f"{panel.code!r} has no limit", remedy=remedy)


def _check_limit(rule: Rule, row: Metric, limit: Limit) -> None:
    field = f"trigger.limits.{limit.metric}"
    if limit.at_or_above is None and limit.at_or_below is None:
        raise PackRefused(rule.id, field, "no limit", remedy="give at_or_above, at_or_below or both")
    if (limit.clear_margin is None) == (limit.clear_below is None):
        raise PackRefused(rule.id, field, "no way to clear, or two", remedy="give clear_margin or clear_below")
    if limit.clear_below is not None and limit.at_or_below is not None:
        raise PackRefused(rule.id, field, "clear_below with at_or_below", remedy="give clear_margin")
    if limit.at_or_below is None and (limit.chronic_lung_below is not None or limit.high_at_or_below is not None):
        raise PackRefused(rule.id, field, "no at_or_below to refine", remedy="give at_or_below")
    if limit.high_at_or_below is not None and not isinstance(rule.confirm, Consecutive):
        raise PackRefused(rule.id, field, "high_at_or_below here", remedy="only readings in a row lift a priority")
    if limit.clear_margin is not None and limit.clear_margin <= 0:
        raise PackRefused(rule.id, field, "no hysteresis", remedy="let clear_margin be above zero")
    for name, value in _reachable(limit):
        if not value.is_finite() or not _within(row, value):
            remedy = f"a sensor reports {row.low} to {row.high} {row.ucum}"
            raise PackRefused(rule.id, f"{field}.{name}", f"{value} is never reached", remedy=remedy)
    if limit.clear_below is not None and limit.at_or_above is not None and limit.clear_below >= limit.at_or_above:
        raise PackRefused(rule.id, field, "clears where it raises", remedy="let clear_below be under at_or_above")
    if limit.at_or_above is not None and limit.at_or_below is not None:
        margin = limit.clear_margin or Decimal(0)
        if limit.at_or_below + margin > limit.at_or_above - margin:
            raise PackRefused(rule.id, field, "never clears", remedy="let the two limits stand further apart")


def _reachable(limit: Limit) -> Iterator[tuple[str, Decimal]]:
    """Values that have to lie within a sensor's range: where it raises, and where it clears."""
    margin = limit.clear_margin
    for name in ("at_or_above", "at_or_below", "chronic_lung_below", "high_at_or_below", "clear_below"):
        value: Decimal | None = getattr(limit, name)
        if value is not None:
            yield name, value
    if margin is not None:
        if limit.at_or_above is not None:
            yield "clear_margin", limit.at_or_above - margin
        if limit.at_or_below is not None:
            yield "clear_margin", limit.at_or_below + margin


def _within(row: Metric, value: Decimal) -> bool:
    return (row.low is None or value >= row.low) and (row.high is None or value <= row.high)


def _numbers(rule: Rule) -> Iterator[tuple[str, float, float, float]]:
    """Counts and times with the range in which they make sense."""
    yield from _confirm_numbers(rule)
    yield from _clear_numbers(rule)
    yield from _trigger_numbers(rule)


def _confirm_numbers(rule: Rule) -> Iterator[tuple[str, float, float, float]]:
    match rule.confirm:
        case Consecutive(count=count, within_s=within_s):
            yield "confirm.count", count, 1, _MAX_COUNT
            yield "confirm.within_s", within_s, 1, _DAY_S
        case RepeatMean(earliest_s=earliest_s, latest_s=latest_s):
            yield "confirm.earliest_s", earliest_s, 1, _DAY_S
            yield "confirm.latest_s", latest_s, earliest_s, _DAY_S
        case Sustained(for_s=for_s, share=share, gap_s=gap_s):
            yield "confirm.for_s", for_s, 1, _DAY_S
            yield "confirm.share", share, 0.01, 1
            yield "confirm.gap_s", gap_s, 1, for_s
        case WindowsOnDays(windows=windows, days=days, within_days=within_days):
            yield "confirm.windows", windows, 1, _MAX_WINDOWS
            yield "confirm.days", days, 1, _MAX_DAYS
            yield "confirm.within_days", within_days, days, _MAX_DAYS
        case Agreement(vitals=vitals, days=days):
            yield "confirm.vitals", vitals, 1, _MAX_COUNT
            yield "confirm.days", days, 1, _MAX_DAYS
        case Asked(prompts=prompts, apart_s=apart_s):
            yield "confirm.prompts", prompts, 1, _MAX_COUNT
            yield "confirm.apart_s", apart_s, 60, _DAY_S / _MAX_COUNT
        case Once():
            pass


def _clear_numbers(rule: Rule) -> Iterator[tuple[str, float, float, float]]:
    match rule.clear:
        case ByReadings(count=count):
            yield "clear.count", count, 1, 1 if isinstance(rule.trigger, EventTrigger) else _MAX_COUNT
        case BySustained(for_s=for_s, gap_s=gap_s):
            yield "clear.for_s", for_s, 1, _DAY_S
            yield "clear.gap_s", gap_s, 1, for_s
        case ByPerson() | ByHeartbeat():
            pass


def _trigger_numbers(rule: Rule) -> Iterator[tuple[str, float, float, float]]:
    match rule.trigger:
        case RhythmTrigger() as rhythm:
            yield "trigger.window_beats", rhythm.window_beats, _LEAST_BEATS, _MAX_BEATS
            yield "trigger.gap_s", rhythm.gap_s, 1, 60
            yield "trigger.symbol_bpm", rhythm.symbol_bpm, 1, 50
            yield "trigger.entropy_above", rhythm.entropy_above, 0, 0.99
            yield "trigger.filtered_entropy_above", rhythm.filtered_entropy_above, 0, 0.99
        case GainTrigger() as weight:
            yield "trigger.gain", float(weight.gain), 0.1, 20
            yield "trigger.days", weight.days, 1, _MAX_MORNINGS
            yield "trigger.over", float(weight.over), 0, float(weight.gain)
            yield "trigger.from_hour", weight.from_hour, 0, 24
            yield "trigger.to_hour", weight.to_hour, weight.from_hour + 1, 24
        case TrendTrigger() as trend:
            yield "trigger.slack_sd", trend.slack_sd, 0.01, trend.clip_sd
            yield "trigger.signal_at", trend.signal_at, 0.01, 1000
            yield "trigger.signal_at_learning", trend.signal_at_learning, trend.signal_at, 1000
            yield "trigger.least_readings", trend.least_readings, 2, trend.baseline_readings
            yield "trigger.baseline_readings", trend.baseline_readings, 2, _MAX_BASELINE
            yield "trigger.shrink_readings", trend.shrink_readings, 0, 10_000
            yield "trigger.level_weight", trend.level_weight, 0, 1
            for vital in trend.vitals:
                yield f"trigger.vitals.{vital.metric}.population_sd", float(vital.population_sd), 1e-6, 1e6
                yield f"trigger.vitals.{vital.metric}.floor_sd", float(vital.floor_sd), 1e-6, 1e6
        case SilenceTrigger() as silence:
            yield "trigger.technical_s", silence.technical_s, 1, _DAY_S
            yield "trigger.all_s", silence.all_s, 1, 30 * _DAY_S
            yield "trigger.grace_s", silence.grace_s, 0, _DAY_S
        case AlarmTrigger(for_s=for_s):
            yield "trigger.for_s", for_s, 0, 30 * _DAY_S
            yield "renew_s", rule.renew_s, _DAY_S, 366 * _DAY_S
        case ClockTrigger() as clock:
            yield "trigger.ahead_s", clock.ahead_s, 60, _DAY_S
            yield "trigger.behind_s", clock.behind_s, 60, _DAY_S
            yield "trigger.ahead_for_s", clock.ahead_for_s, 0, 30 * _DAY_S
            yield "trigger.behind_for_s", clock.behind_for_s, 0, 30 * _DAY_S
            yield "trigger.clear_s", clock.clear_s, 0, min(clock.ahead_s, clock.behind_s)
            yield "renew_s", rule.renew_s, _DAY_S, 366 * _DAY_S
        case FloodTrigger() as flood:
            yield "trigger.for_s", flood.for_s, 0, _DAY_S
            yield "trigger.clear_s", flood.clear_s, 60, _DAY_S
            yield "renew_s", rule.renew_s, _DAY_S, 366 * _DAY_S
        case IdentityTrigger():
            yield "renew_s", rule.renew_s, _DAY_S, 366 * _DAY_S
        case EventTrigger() | ThresholdTrigger():
            pass


def _known(rule: Rule, code: str, kinds: tuple[MetricKind, ...]) -> Metric:
    row = METRICS.get(code)
    if row is None:
        raise PackRefused(rule.id, "metric", f"unknown metric {code!r}", remedy="use a code of the metric table")
    if row.kind not in kinds:
        raise PackRefused(rule.id, "metric", f"{code!r} is a {row.kind}", remedy=f"use a {' or '.join(kinds)}")
    return row


def _check_part(rule: Rule, panel: Metric, code: str) -> None:
    if code not in (panel.parts or (panel.code,)):
        remedy = f"use one of {', '.join(panel.parts or (panel.code,))}"
        raise PackRefused(rule.id, "metric", f"{code!r} is no part of {panel.code!r}", remedy=remedy)


def _check_unit(rule: Rule, row: Metric, unit: str) -> None:
    if unit != row.ucum:
        raise PackRefused(rule.id, "unit", f"unknown unit {unit!r} for {row.code!r}", remedy=f"write {row.ucum!r}")
