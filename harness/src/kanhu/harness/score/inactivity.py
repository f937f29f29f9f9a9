"""`./run score inactivity`: false alarms in real homes, and how soon an inserted stop is found."""

import math
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kanhu.harness.report import Value
from kanhu.harness.score.command import Measured, Run, conduct
from kanhu.harness.score.homes import SET, Home, load_homes
from kanhu.harness.score.inactivity_peers import PEERS, Watching
from kanhu.harness.score.intervals import by_person, with_interval
from kanhu.vitals.inactivity import SETTINGS, Presence, SilenceDetector, SilenceReason

__all__ = ["main"]

_S_PER_DAY = 86_400.0
_BIN_S, _BINS = 1800.0, 48
_LOOK_S = 300.0  # as often as a gateway looks
_STOPS = 60  # a home
_STOP_COUNTS_AS_H = 24.0  # waking hours; where a stop is not found before
_AT_MOST_DAYS = 10 * 365.0  # a log in which a clock jumped is not walked through for ever


@dataclass(slots=True)
class Scored:
    """What came of one home."""

    days: float = 0.0
    false: list[float] = field(default_factory=list)
    delays_h: list[float] = field(default_factory=list)
    state_bytes: int = 0
    acts: int = 0
    spent_s: float = 0.0


def main(arguments: Sequence[str]) -> int:
    """Run the task; 0 where every limit is kept, 1 where one is broken, 2 for wrong usage."""
    about = "Silence in homes: false alarms a home-day, and waking hours until an inserted stop is found."
    return conduct("inactivity", _measure, arguments, about=about, known=(SET,))


def _measure(run: Run) -> Measured:
    homes = load_homes(run.data)
    ours = {home.name: _scored(home, SilenceDetector, run.seed) for home in homes}
    figures = _figures(ours, run.seed)
    alarms = [home.is_away(at_s) for home in homes for at_s in ours[home.name].false]
    figures["false_in_absences"] = round(sum(alarms) / len(alarms), 3) if alarms else 0.0
    figures["learning_days"] = SETTINGS.learning_days
    figures["stops"] = sum(len(one.delays_h) for one in ours.values())
    figures["us_per_event"] = round(
        1e6 * sum(one.spent_s for one in ours.values()) / sum(one.acts for one in ours.values()), 1
    )
    figures["state_bytes"] = max(one.state_bytes for one in ours.values())
    for name, one in ours.items():
        for figure, measure in _MEASURES.items():
            value = measure([one])
            if value is not None:
                figures[f"{name}_{figure}"] = round(value, 3)
    if run.peers:
        for peer, begin in PEERS.items():
            walked = {home.name: _scored(home, begin, run.seed) for home in homes}
            figures |= {f"{peer}_{figure}": value for figure, value in _figures(walked, run.seed).items()}
    if run.plot is not None:
        _draw(homes[0], run.plot)
    return Measured(figures, frozenset({SET}))


def _false_per_day(homes: Sequence[Scored]) -> float | None:
    days = sum(one.days for one in homes)
    return sum(len(one.false) for one in homes) / days if days else None


def _median_delay_h(homes: Sequence[Scored]) -> float | None:
    delays = [delay for one in homes for delay in one.delays_h]
    return float(np.median(delays)) if delays else None


_MEASURES: dict[str, Callable[[Sequence[Scored]], float | None]] = {
    "false_per_day": _false_per_day,
    "median_delay_h": _median_delay_h,
}


def _figures(homes: dict[str, Scored], seed: int) -> dict[str, Value]:
    figures: dict[str, Value] = {}
    for name, measure in _MEASURES.items():
        value = measure(list(homes.values()))
        if value is None:
            continue
        figures |= with_interval(name, value, by_person(homes, measure, seed=seed), digits=3)
    return figures


def _scored(home: Home, begin: Callable[[], Watching], seed: int) -> Scored:
    """One walk through the log as it comes: acts, looks between them, and a copy that hears no more at each stop."""
    first_s, last_s = home.acts[0][0], home.acts[-1][0]
    counted_from_s = first_s + SETTINGS.learning_days * _S_PER_DAY
    scored = Scored(days=max(0.0, last_s - counted_from_s) / _S_PER_DAY, acts=len(home.acts))
    stops = _stops(home, counted_from_s, seed)
    detector, waking, look_s = begin(), home.waking(), first_s
    if last_s - first_s > _AT_MOST_DAYS * _S_PER_DAY:
        return scored
    for at_s, where in [*home.acts, (math.inf, Presence.INSIDE)]:
        until_s = min(at_s, last_s)
        while look_s < until_s:
            while stops and stops[0] <= look_s:
                scored.delays_h.append(_found_h(detector, stops.pop(0), waking))
            before_s = time.perf_counter()
            raised = detector.look(look_s).raises
            scored.spent_s += time.perf_counter() - before_s
            if raised and look_s >= counted_from_s:
                scored.false.append(look_s)
            look_s += _LOOK_S
        if at_s > last_s:
            break
        while stops and stops[0] <= at_s:
            scored.delays_h.append(_found_h(detector, stops.pop(0), waking))
        before_s = time.perf_counter()
        detector.update(where, at_s)
        scored.spent_s += time.perf_counter() - before_s
    scored.state_bytes = len(detector.state())
    return scored


def _stops(home: Home, from_s: float, seed: int) -> list[float]:
    """Random waking seconds at which the person was at home and up, as they wrote down themselves."""
    last_s, waking = home.acts[-1][0], home.waking()
    if last_s <= from_s:
        return []
    drawn = np.random.default_rng([seed, *home.name.encode()]).uniform(from_s, last_s, 40 * _STOPS)
    good = (at_s for at_s in drawn.tolist() if _is_waking(waking, at_s))
    return sorted([at_s for at_s in good if not home.is_away(at_s) and not home.is_abed(at_s)][:_STOPS])


def _is_waking(waking: NDArray[np.bool_], at_s: float) -> bool:
    return bool(waking[int(at_s % _S_PER_DAY // _BIN_S)])


def _found_h(detector: Watching, stop_s: float, waking: NDArray[np.bool_]) -> float:
    """Waking hours from the stop until somebody is told."""
    alone = deepcopy(detector)
    delay_h, at_s = 0.0, stop_s
    if alone.look(at_s) is SilenceReason.ALREADY_RAISED:
        return _STOP_COUNTS_AS_H  # that alarm was false, and is counted as one: it found nothing
    while delay_h < _STOP_COUNTS_AS_H:
        if alone.look(at_s).raises:
            return delay_h
        delay_h += _LOOK_S / 3600 if _is_waking(waking, at_s) else 0.0
        at_s += _LOOK_S
        if at_s > stop_s + 14 * _S_PER_DAY:
            break
    return _STOP_COUNTS_AS_H


def _draw(home: Home, to: Path) -> None:
    """One home's silences by the hour at which they ended, absences apart, and its learned limit."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # slow to import, and only where a picture is asked for

    detector = SilenceDetector()
    hours, silences, limits = [], [], []
    for at_s, where in home.acts:
        silence_h = detector.silence_h(at_s)
        if silence_h > SETTINGS.counted_from_h:
            hours.append(at_s % _S_PER_DAY / 3600)
            silences.append(silence_h)
            limits.append(detector.look(at_s) is SilenceReason.AWAY)
        detector.update(where, at_s)
    figure = Figure(figsize=(8, 4))
    axes = figure.subplots()
    colours = ["tab:gray" if away else "tab:blue" for away in limits]
    axes.scatter(hours, silences, s=9, c=colours)
    axes.axhline(detector.limit_h, color="tab:red", label=f"learned limit {detector.limit_h:.1f} h")
    axes.stairs(detector.waking(), np.arange(_BINS + 1) / 2, color="tab:green", label="weight of the half-hour")
    axes.set(xlabel="hour of the day at which the silence ended", ylabel="waking hours", title=home.name)
    axes.legend()
    figure.tight_layout()
    figure.savefig(to, dpi=90)
