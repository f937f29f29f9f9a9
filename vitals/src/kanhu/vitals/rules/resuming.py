"""Going on from a state that was taken elsewhere, after a time in which nothing was measured.

What was known stays known: an open alert is open, a day that counted counts. What needs time without a hole does not go
on over one: nothing lasted, nothing came nearer to being clear, no window of beats is half full. Where readings came
before the state did, both are joined: what they showed counts, and so does what was known before them.
"""

from collections.abc import Set as AbstractSet

from msgspec.structs import replace

from kanhu.vitals.rules.episode import Alert
from kanhu.vitals.rules.event import EventState
from kanhu.vitals.rules.gain import GainState
from kanhu.vitals.rules.rhythm import Day, RhythmState
from kanhu.vitals.rules.threshold import ThresholdState

DetectorState = EventState | ThresholdState | RhythmState | GainState


def after_gap(state: DetectorState, *, ended: AbstractSet[str], unknown: AbstractSet[str]) -> DetectorState:
    """The state with the time since then unmeasured.

    `ended` are alerts whose condition ended meanwhile; `unknown` those that nobody ever got, to be raised anew.
    """
    alert = state.alert
    if alert is not None and alert.id in unknown:
        alert = None
    over = alert is not None and alert.id in ended
    if alert is not None and over:
        alert = replace(alert, open=False)
    match state:
        case EventState():
            return EventState(alert, called_off=alert is not None and (over or state.called_off))
        case ThresholdState():
            return ThresholdState(points=state.points, alert=alert, urgent=state.urgent)
        case RhythmState():
            return RhythmState(days=state.days, alert=alert, unweighed=True)
        case GainState():
            return replace(state, alert=alert)


def joined(before: DetectorState, since: DetectorState) -> DetectorState:
    """One state of what was known before, as `after_gap` gives it, and of what readings since then showed."""
    match before, since:
        case EventState(), EventState():
            return since if since.alert is not None else before
        case ThresholdState(), ThresholdState():
            if since.alert is not None:
                return since
            if before.alert is not None and before.alert.open:
                return ThresholdState(alert=before.alert, urgent=since.urgent)
            return replace(since, alert=before.alert)
        case RhythmState(), RhythmState():
            alert: Alert | None = since.alert if since.alert is not None else before.alert
            return replace(since, days=_both(before.days, since.days), alert=alert, unweighed=True)
        case GainState(), GainState():  # mornings since then are few, those before are what a gain is seen against
            return GainState(before.mornings, since.alert if since.alert is not None else before.alert)
        case _:
            return since


def _both(before: tuple[Day, ...], since: tuple[Day, ...]) -> tuple[Day, ...]:
    days = {day.ordinal: day for day in before}
    for day in since:
        known = days.get(day.ordinal)
        days[day.ordinal] = day if known is None else replace(day, windows=known.windows + day.windows)
    return tuple(days[ordinal] for ordinal in sorted(days))
