"""The three ways in which a limit is confirmed: readings in a row, the mean of a repeat, and for so long.

Each takes what is pending and one good reading, and answers what is pending now, and why.
"""

import msgspec

from kanhu.vitals.decisions import DecisionReason
from kanhu.vitals.moment import Moment, elapsed_ms
from kanhu.vitals.rules.episode import Point, within
from kanhu.vitals.rules.limits import Side, Standing
from kanhu.vitals.rules.records import BySustained, Consecutive, RepeatMean, Sustained

_MS_PER_S = 1000


class Run(msgspec.Struct, frozen=True, array_like=True):
    """An unbroken run of good readings on one side of a limit."""

    first: Point
    last: Moment
    lasted_ms: int = 0
    side: Side = Side.INSIDE


class Step(msgspec.Struct, frozen=True):
    """What one reading changed. `confirmed` is empty while nothing is confirmed."""

    points: tuple[Point, ...] = ()
    run: Run | None = None
    confirmed: tuple[Point, ...] = ()
    reasons: tuple[DecisionReason, ...] = ()


def consecutive(confirm: Consecutive, *, points: tuple[Point, ...], point: Point, stands: Standing) -> Step:
    """So many good readings in a row within a span of time."""
    if stands is not Standing.REACHED:
        return Step(reasons=(DecisionReason.NOT_CONFIRMED if points else DecisionReason.WITHIN_LIMIT,))
    kept = tuple(old for old in points if within(old.moment, point.moment, confirm.within_s))
    expired = (DecisionReason.WINDOW_EXPIRED,) if len(kept) < len(points) else ()
    kept = (*kept, point)
    if len(kept) >= confirm.count:
        return Step(confirmed=kept)
    return Step(points=kept, reasons=(*expired, DecisionReason.CONFIRMING))


def repeated(
    confirm: RepeatMean, *, points: tuple[Point, ...], point: Point, stands: Standing, mean_stands: Standing
) -> Step:
    """A second reading after a rest, and the mean of both."""
    reached = stands is Standing.REACHED
    begun = Step(points=(point,), reasons=(DecisionReason.CONFIRMING,))
    if not points:
        return begun if reached else Step(reasons=(DecisionReason.WITHIN_LIMIT,))
    first = points[0]
    passed_ms = elapsed_ms(first.moment, point.moment)
    if passed_ms is None or passed_ms > confirm.latest_s * _MS_PER_S:
        again = begun if reached else Step()
        return msgspec.structs.replace(again, reasons=(DecisionReason.WINDOW_EXPIRED, *again.reasons))
    if passed_ms < confirm.earliest_s * _MS_PER_S:
        return Step(points=points, reasons=(DecisionReason.TOO_SOON,))
    if mean_stands is Standing.REACHED:
        return Step(confirmed=(first, point))
    again = begun if reached else Step()
    return msgspec.structs.replace(again, reasons=(DecisionReason.NOT_CONFIRMED, *again.reasons))


def sustained(confirm: Sustained, *, run: Run | None, point: Point, at: Side) -> Step:
    """Every good reading, on one side, for so long."""
    if at is Side.INSIDE:
        return Step(reasons=(DecisionReason.WITHIN_LIMIT if run is None else DecisionReason.NOT_CONFIRMED,))
    longer = lengthened(confirm, run=run, point=point, at=at)
    if longer.lasted_ms >= confirm.for_s * _MS_PER_S:
        return Step(run=longer, confirmed=(longer.first, point))
    broken = run is not None and longer.first is point
    reasons = (DecisionReason.WINDOW_EXPIRED,) if broken else ()
    return Step(run=longer, reasons=(*reasons, DecisionReason.CONFIRMING))


def lengthened(limits: Sustained | BySustained, *, run: Run | None, point: Point, at: Side) -> Run:
    """The run with this reading in it; a new one after a hole, after a change of side, or where time is not known.

    Time is summed from reading to reading, so a run goes on over a restart even where only the hole between two
    readings has to be told by the wall clock.
    """
    if run is None or run.side is not at:
        return Run(point, point.moment, side=at)
    passed_ms = elapsed_ms(run.last, point.moment)
    if passed_ms is None or passed_ms > limits.gap_s * _MS_PER_S:
        return Run(point, point.moment, side=at)
    return Run(run.first, point.moment, run.lasted_ms + passed_ms, at)
