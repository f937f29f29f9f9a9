"""Rules about limits: confirmed, raised, held, cleared with hysteresis.

    quiet --limit reached--> pending --confirmed--> open --clear of the limit, confirmed--> quiet
      ^                         |  ^                 |
      +---- not confirmed ------+  +---- lapsed -----+  reached anew after `lapse_s`, or still after `renew_s`

Only good readings move anything. A questionable one neither counts, nor breaks a row, nor clears.
"""

from decimal import Decimal

import msgspec

from kanhu.contract import METRICS, Motion, Observation, Phase, Priority, QualityLevel
from kanhu.vitals.decisions import Decision, DecisionReason
from kanhu.vitals.moment import Moment, elapsed_ms
from kanhu.vitals.profile import Profile
from kanhu.vitals.rules.confirming import Run, Step, consecutive, lengthened, repeated, sustained
from kanhu.vitals.rules.episode import Alert, Point, minutes_text, number_text, point_of, raised, told, within
from kanhu.vitals.rules.limits import Bound, Standing, bounds_for, side, standing, urgent
from kanhu.vitals.rules.records import BySustained, Consecutive, RepeatMean, Rule, Sustained, ThresholdTrigger

_MS_PER_S = 1000

_Values = dict[str, Decimal]


class ThresholdState(msgspec.Struct, frozen=True, array_like=True, tag="threshold"):
    """What is pending, what is open, and how far it has cleared."""

    points: tuple[Point, ...] = ()
    run: Run | None = None
    alert: Alert | None = None
    clear_count: int = 0
    clear_run: Run | None = None
    urgent: tuple[Point, ...] = ()
    """The last good readings in a row that call for high priority, as many as it takes."""


def judge_threshold(
    rule: Rule,
    trigger: ThresholdTrigger,
    *,
    state: ThresholdState,
    observation: Observation,
    profile: Profile,
) -> tuple[ThresholdState, list[Decision]]:
    """One reading against one rule."""
    unused = _unused(trigger, observation)
    if unused is not None:
        return state, [Decision(rule.id, unused)]
    bounds = bounds_for(trigger, profile, heard=observation.metric)
    point = point_of(observation, [bound.metric for bound in bounds])
    if not point.values:
        return state, [Decision(rule.id, DecisionReason.NO_VALUE)]
    decisions = []
    values = _values(point)
    if standing(bounds, values) is Standing.REACHED and _lapsed(rule, state.alert, point.moment):
        state = ThresholdState()
        decisions.append(Decision(rule.id, DecisionReason.LAPSED))
    row = (*state.urgent, point)[-_row(rule) :] if urgent(bounds, values) else ()
    state = msgspec.structs.replace(state, urgent=row)
    judge = _open if state.alert is not None and state.alert.open else _quiet
    state, more = judge(rule, state, observation=observation, bounds=bounds, point=point)
    return state, decisions + more


def _unused(trigger: ThresholdTrigger, observation: Observation) -> DecisionReason | None:
    if observation.quality.level is QualityLevel.UNUSABLE:
        return DecisionReason.QUALITY_UNUSABLE
    if observation.quality.level is QualityLevel.QUESTIONABLE:
        return DecisionReason.QUALITY_QUESTIONABLE
    if trigger.at_rest and observation.context.motion is Motion.MOVING:
        return DecisionReason.MOVING
    return None


def _lapsed(rule: Rule, alert: Alert | None, now: Moment) -> bool:
    """Whether an open alert is too old to take this reading in: somebody may long have closed it."""
    if alert is None or not alert.open:
        return False
    return not (within(alert.touched, now, rule.lapse_s) and within(alert.started, now, rule.renew_s))


def _quiet(
    rule: Rule, state: ThresholdState, *, observation: Observation, bounds: tuple[Bound, ...], point: Point
) -> tuple[ThresholdState, list[Decision]]:
    step = _confirm(rule, state, bounds=bounds, point=point)
    state = msgspec.structs.replace(state, points=step.points, run=step.run)
    decisions = [Decision(rule.id, reason) for reason in step.reasons]
    if not step.confirmed:
        return state, decisions
    alert, decision = raised(
        rule,
        observation,
        last=state.alert,
        priority=Priority.HIGH if len(state.urgent) == _row(rule) else rule.priority,
        reasons=(DecisionReason.CONFIRMED, DecisionReason.RECURRED),
        points=step.confirmed,
        params=_params(rule, bounds, points=step.confirmed, run=step.run),
    )
    count = 1 if state.alert is None or alert.id != state.alert.id else state.alert.count + 1
    alert = msgspec.structs.replace(alert, count=count)
    return ThresholdState(alert=alert, urgent=state.urgent), [*decisions, decision]


def _open(
    rule: Rule, state: ThresholdState, *, observation: Observation, bounds: tuple[Bound, ...], point: Point
) -> tuple[ThresholdState, list[Decision]]:
    if state.alert is None:
        return state, []
    alert = state.alert
    stands = standing(bounds, _values(point))
    if stands is not Standing.CLEAR:
        if stands is Standing.REACHED:
            alert = msgspec.structs.replace(alert, touched=point.moment)
        state = ThresholdState(alert=alert, urgent=state.urgent)
        if stands is Standing.BETWEEN:
            return state, [Decision(rule.id, DecisionReason.HOLDING)]
        if len(state.urgent) < _row(rule) or alert.priority is Priority.HIGH:
            return state, [Decision(rule.id, DecisionReason.ALREADY_RAISED)]
        alert = msgspec.structs.replace(alert, priority=Priority.HIGH)
        phase, reason, points = Phase.CONTINUE, DecisionReason.LEVEL_RAISED, state.urgent
        state = msgspec.structs.replace(state, alert=alert)
    else:
        state = _towards_clear(rule, state, point=point)
        if not _is_clear(rule, state):
            return state, [Decision(rule.id, DecisionReason.CLEARING)]
        alert = msgspec.structs.replace(alert, open=False)
        phase, reason, points = Phase.END, DecisionReason.CLEARED, (point,)
        state = ThresholdState(alert=alert)
    params = _params(rule, bounds, points=points, run=None)
    evidence = tuple(piece for one in points for piece in one.evidence())
    decision = told(rule, observation, alert=alert, phase=phase, reason=reason, evidence=evidence, params=params)
    return state, [decision]


def _confirm(rule: Rule, state: ThresholdState, *, bounds: tuple[Bound, ...], point: Point) -> Step:
    values = _values(point)
    stands = standing(bounds, values)
    match rule.confirm:
        case Consecutive() as confirm:
            return consecutive(confirm, points=state.points, point=point, stands=stands)
        case RepeatMean() as confirm:
            mean = _mean((*state.points[:1], point))
            mean_stands = standing(bounds, mean)
            return repeated(confirm, points=state.points, point=point, stands=stands, mean_stands=mean_stands)
        case Sustained() as confirm:
            return sustained(confirm, run=state.run, point=point, at=side(bounds, values))
        case _:  # refused when the pack was loaded
            return Step(reasons=(DecisionReason.NOT_APPLICABLE,))


def _row(rule: Rule) -> int:
    """How many urgent readings in a row make the priority high: as many as raise."""
    return rule.confirm.count if isinstance(rule.confirm, Consecutive) else 1


def _towards_clear(rule: Rule, state: ThresholdState, *, point: Point) -> ThresholdState:
    if isinstance(rule.clear, BySustained):
        run = lengthened(rule.clear, run=state.clear_run, point=point)
        return msgspec.structs.replace(state, clear_run=run)
    return msgspec.structs.replace(state, clear_count=state.clear_count + 1)


def _is_clear(rule: Rule, state: ThresholdState) -> bool:
    if isinstance(rule.clear, BySustained):
        return state.clear_run is not None and state.clear_run.lasted_ms >= rule.clear.for_s * _MS_PER_S
    return state.clear_count >= getattr(rule.clear, "count", 1)


def _values(point: Point) -> _Values:
    return {code: METRICS[code].value(steps) for code, steps in point.values}


def _mean(points: tuple[Point, ...]) -> _Values:
    """The mean of each component that every reading has."""
    tables = [_values(point) for point in points]
    shared = [code for code in tables[-1] if all(code in table for table in tables)]
    return {code: sum((table[code] for table in tables), Decimal(0)) / len(tables) for code in shared}


def _params(rule: Rule, bounds: tuple[Bound, ...], *, points: tuple[Point, ...], run: Run | None) -> dict[str, str]:
    """What the sentence may name: values, limits, how many readings, over how long, and which value decided."""
    values = _mean(points) if isinstance(rule.confirm, RepeatMean) else _values(points[-1])
    passed_ms = elapsed_ms(points[0].moment, points[-1].moment) if run is None else run.lasted_ms
    params = {"count": str(len(points)), "minutes": minutes_text(passed_ms)}
    for bound in bounds:
        value = values.get(bound.metric)
        params[bound.metric] = "-" if value is None else number_text(value)
        params[f"{bound.metric}_limit"] = bound.text()
    known = [bound for bound in bounds if bound.metric in values]
    deciding = next((bound for bound in known if bound.reached(values[bound.metric])), known[0])
    params["value"], params["limit"] = params[deciding.metric], params[f"{deciding.metric}_limit"]
    return params
