"""The three ways in which a limit is confirmed: readings in a row, the mean of a repeat, and enough of so long a time.

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
    """A run of good readings on one side of a limit. At the limit, some of them may be inside."""

    first: Point
    last: Moment
    lasted_ms: int = 0
    side: Side = Side.INSIDE
    reached_ms: int = 0
    """How much of it was at the limit."""
    away_ms: int = 0
    """Since the last reading at the limit; 0 where that is the last reading."""


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
    """Enough of the time on one side, for so long; confirmed by a reading that is there itself."""
    goes_on = DecisionReason.WITHIN_LIMIT if run is None else _continued(confirm, run=run, point=point, at=at)
    if isinstance(goes_on, Run):
        if at is goes_on.side and goes_on.lasted_ms >= confirm.for_s * _MS_PER_S:
            return Step(run=goes_on, confirmed=(goes_on.first, point))
        return Step(run=goes_on, reasons=(DecisionReason.CONFIRMING,))
    if at is Side.INSIDE:
        return Step(reasons=(goes_on,))
    ended = () if run is None else (goes_on,)
    return Step(run=Run(point, point.moment, side=at), reasons=(*ended, DecisionReason.CONFIRMING))


def _continued(confirm: Sustained, *, run: Run, point: Point, at: Side) -> Run | DecisionReason:
    """The run with this reading in it, or why it ends here.

    One reading inside must not end it: a fast irregular pulse dips inside every few seconds. Two things do: too little
    of its time at the limit, and too long without a reading there, so that a pulse that calmed down minutes ago is
    never raised by a single late reading.
    """
    passed_ms = elapsed_ms(run.last, point.moment)
    if passed_ms is None or run.away_ms + passed_ms > confirm.gap_s * _MS_PER_S:
        return DecisionReason.WINDOW_EXPIRED
    if at not in {run.side, Side.INSIDE}:
        return DecisionReason.NOT_CONFIRMED
    reached = at is run.side
    # The time between two readings counts in full with both at the limit, and half with one.
    ends_there = int(run.away_ms == 0) + int(reached)
    longer = Run(
        run.first,
        point.moment,
        run.lasted_ms + passed_ms,
        run.side,
        run.reached_ms + (passed_ms * ends_there + 1) // 2,
        0 if reached else run.away_ms + passed_ms,
    )
    if longer.reached_ms < confirm.share * longer.lasted_ms:
        return DecisionReason.NOT_CONFIRMED
    return longer


def lengthened(clear: BySustained, *, run: Run | None, point: Point) -> Run:
    """The run clear of the limit with this reading in it; a new one after a hole, or where time is not known.

    Time is summed from reading to reading, so a run goes on over a restart even where only the hole between two
    readings has to be told by the wall clock.
    """
    passed_ms = None if run is None else elapsed_ms(run.last, point.moment)
    if run is None or passed_ms is None or passed_ms > clear.gap_s * _MS_PER_S:
        return Run(point, point.moment)
    return Run(run.first, point.moment, run.lasted_ms + passed_ms)
