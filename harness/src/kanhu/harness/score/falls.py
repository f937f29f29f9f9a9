"""`./run score falls`: acted falls and daily life through the streaming detector, in the frames of a strap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from kanhu.cloud.training.falls import fit_recordings, is_fall, samples_of
from kanhu.cloud.training.recordings import Recording, find_sets, load_set
from kanhu.harness.errors import RecordingUnusable
from kanhu.harness.report import Value
from kanhu.harness.score.command import Measured, Run, conduct
from kanhu.harness.score.falls_peers import PUBLISHED, forest_scores, steady
from kanhu.harness.score.falls_plot import Curve, draw
from kanhu.harness.score.intervals import by_person, with_interval
from kanhu.harness.score.unseen import each_unseen
from kanhu.vitals.falls import FallDetector, FallStage, Impacts, Site, fall_score
from kanhu.vitals.models import Model, Trees, model_named

_FRAME = 73  # samples in one notification of a Polar strap
_POINTS = 60  # of an operating curve
_REFRACTORY_MS = 30_000  # one alarm stands for those that follow it within half a minute
_SITE = {"sisfall": Site.WAIST, "weda_fall": Site.WRIST, "smartfallmm": Site.WRIST}
_ABOUT = (
    "Alarms of the fall detector in whole recordings: a fall is found by an alarm in it, every other alarm is false."
)


@dataclass(frozen=True, slots=True)
class _Outcome:
    person: str
    elder: bool
    fall: bool
    hours: float
    alarms: int
    largest: float
    """Chance of the likeliest impact of the recording: at every limit up to it there is an alarm."""
    delay_s: float | None
    """From the largest sample to the alarm, in a fall that is found."""


def main(arguments: Sequence[str]) -> int:
    """Score; 0 where every limit is kept, 1 where one is broken, 2 for wrong usage."""
    return conduct("falls", _measure, arguments, about=_ABOUT, known=tuple(_SITE))


def _measure(run: Run) -> Measured:
    sets = {name: place for name, place in find_sets(run.data).items() if name in _SITE}
    if not sets:
        raise RecordingUnusable(str(run.data), f"holds none of {', '.join(_SITE)}")
    recordings = {name: _of_site(load_set(name, sets[name]), site) for name, site in _SITE.items() if name in sets}
    outcomes, figures = _outcomes(recordings, run)
    curves: dict[str, Curve] = {}
    for number, (name, played) in enumerate(outcomes.items()):
        own = _figures(played, run.seed)
        figures |= {f"{name}_{figure}": value for figure, value in own.items()} | (own if number == 0 else {})
        curves[f"kanhu, {name}"] = _curve([(row.fall, row.hours, row.largest) for row in played])
    figures |= _across(recordings, run)
    points: dict[str, tuple[float, float]] = {}
    for name, rows in recordings.items() if run.peers else ():
        run.say(f"{name}: peers")
        figures |= _peers(name, rows, run.seed, curves=curves, points=points)
    if run.plot is not None:
        name, rows = next(iter(recordings.items()))
        example = next((one for one in rows if is_fall(one)), rows[0])
        times, acceleration = samples_of(example)
        events = FallDetector(model_named(f"falls-{_SITE[name]}"), _SITE[name]).update(times, acceleration)
        title = f"{name} {example.name}: shipped model, which has seen this person"
        draw(run.plot, curves, points, (title, times, acceleration, events))
    return Measured(figures, frozenset(sets))


def _outcomes(
    recordings: Mapping[str, list[Recording]], run: Run
) -> tuple[dict[str, list[_Outcome]], dict[str, Value]]:
    """Of every set, each recording played to a model that never saw its person; and what that costs."""
    outcomes: dict[str, list[_Outcome]] = {name: [] for name in recordings}
    spent_s, samples, state_bytes = 0.0, 0, 0
    for site in Site:
        rows = [one for name in recordings if _SITE[name] is site for one in recordings[name]]
        shipped = model_named(f"falls-{site}")

        def fit(others: Sequence[Recording], site: Site = site) -> Model:
            return fit_recordings(f"falls-{site}", site, list(others), run.seed, lambda _: None)

        for recording, model in each_unseen(rows, shipped, fit, run):
            outcome, seconds, size = _played(recording, model, site)
            outcomes[recording.of].append(outcome)
            spent_s, samples, state_bytes = spent_s + seconds, samples + size[0], max(state_bytes, size[1])
    return outcomes, {"us_per_sample": round(spent_s / max(samples, 1) * 1e6, 2), "state_bytes": state_bytes}


def _peers(
    name: str,
    recordings: Sequence[Recording],
    seed: int,
    *,
    curves: dict[str, Curve],
    points: dict[str, tuple[float, float]],
) -> dict[str, Value]:
    """Published limits as their papers have them, and a plain forest on windows."""
    figures: dict[str, Value] = {}
    asked = [(is_fall(one), _hours(one), steady(one)) for one in recordings]
    for peer, called in PUBLISHED.items():
        answers = [(fall, hours, float(called(acceleration))) for fall, hours, acceleration in asked]
        found, false = _at(answers, 0.5)
        figures |= {f"{name}_{peer}_sensitivity": round(found, 4), f"{name}_{peer}_false_per_hour": round(false, 2)}
        points[f"{peer}, {name}"] = (false, found)
    scores = forest_scores(recordings, seed).tolist()
    curve = _curve([(fall, hours, score) for (fall, hours, _), score in zip(asked, scores, strict=True)])
    curves[f"forest on windows, {name}"] = curve
    return figures | _on_curve(f"{name}_forest", curve)


def _across(recordings: dict[str, list[Recording]], run: Run) -> dict[str, Value]:
    """Fitted on one whole set, scored on every other, across sites too; at the limit that the fit chose."""
    figures: dict[str, Value] = {}
    for name, rows in recordings.items():
        if len(recordings) < 2:
            break
        run.say(f"fitted on {name} alone, scored on the others")
        model = fit_recordings(f"falls-{_SITE[name]}", _SITE[name], rows, run.seed, lambda _: None)
        trees, alarm_at = Trees(model), model.number("alarm_at")
        for other, others in recordings.items():
            if other != name:
                scored = [(is_fall(one), _hours(one), _largest(one, trees, _SITE[name])) for one in others]
                found, false = _at(scored, alarm_at)
                figures[f"{name}_to_{other}_sensitivity"] = round(found, 4)
                figures[f"{name}_to_{other}_false_per_hour"] = round(false, 2)
                figures |= _on_curve(f"{name}_to_{other}", _curve(scored))
    return figures


def _largest(recording: Recording, trees: Trees, site: Site) -> float:
    heard = Impacts(site).update(*samples_of(recording))
    return max((fall_score(trees, one.window_g) for each in heard for one in each.ripe), default=0.0)


def _hours(recording: Recording) -> float:
    times, _ = samples_of(recording)
    return float(times[-1] - times[0]) / 3_600_000 if len(times) else 0.0


def _at(scored: Sequence[tuple[bool, float, float]], limit: float) -> tuple[float, float]:
    """Sensitivity, and recordings of daily life with an alarm in an hour, of (fall, hours, score)."""
    falls = [score >= limit for fall, _, score in scored if fall]
    hours = sum(hours for fall, hours, _ in scored if not fall)
    false = sum(score >= limit for fall, _, score in scored if not fall)
    return float(np.mean(falls)) if falls else 0.0, false / hours if hours else 0.0


def _curve(scored: Sequence[tuple[bool, float, float]]) -> Curve:
    """(false an hour, sensitivity) at every limit just above the score of a recording of daily life."""
    limits = sorted({score for fall, _, score in scored if not fall}, reverse=True)
    pairs = (_at(scored, float(np.nextafter(limit, 2))) for limit in limits[:_POINTS])
    return [(false, found) for found, false in pairs]


def _on_curve(prefix: str, curve: Curve) -> dict[str, Value]:
    within = [found for false, found in curve if false <= 1]
    return {f"{prefix}_sensitivity_at_1_per_hour": round(max(within), 4)} if within else {}


def _of_site(recordings: list[Recording], site: Site) -> list[Recording]:
    return [one for one in recordings if site is Site.WAIST or one.row.get("site", "wrist") == "wrist"]


def _played(recording: Recording, model: Model, site: Site) -> tuple[_Outcome, float, tuple[int, int]]:
    times, acceleration = samples_of(recording)
    detector = FallDetector(model, site)
    alarms: list[int] = []
    began = perf_counter()
    for first in range(0, len(times), _FRAME):
        for event in detector.update(times[first : first + _FRAME], acceleration[first : first + _FRAME]):
            if event.stage is FallStage.FALL_LIKELY and (not alarms or event.t_ms - alarms[-1] >= _REFRACTORY_MS):
                alarms.append(event.t_ms)
    spent_s = perf_counter() - began
    hours = _hours(recording)
    largest = _largest(recording, Trees(model), site)
    peak_ms = float(times[(acceleration**2).sum(axis=1).argmax()]) if len(times) else 0.0
    delay_s = (alarms[0] - peak_ms) / 1000 if alarms and is_fall(recording) else None
    elder = recording.row.get("group") == "elder"
    outcome = _Outcome(recording.subject, elder, is_fall(recording), hours, len(alarms), largest, delay_s)
    return outcome, spent_s, (len(times), len(detector.state()))


def _figures(outcomes: list[_Outcome], seed: int) -> dict[str, Value]:
    figures: dict[str, Value] = {}
    kept = {one: [row for row in outcomes if row.person == one] for one in {row.person for row in outcomes}}
    for name, figure in (("sensitivity", _found), ("false_per_hour", _false), ("elder_specificity", _calm)):
        value = figure([outcomes])
        if value is not None:
            figures |= with_interval(name, value, by_person(kept, figure, seed=seed))
    daily = [row for row in outcomes if not row.fall]
    curve = _curve([(row.fall, row.hours, row.largest) for row in outcomes])
    figures |= {key.removeprefix("_"): value for key, value in _on_curve("", curve).items()}
    delays = [row.delay_s for row in outcomes if row.delay_s is not None]
    if delays:
        figures["delay_s"] = round(float(np.median(delays)), 2)
    return figures | {
        "falls": len(outcomes) - len(daily),
        "people": len(kept),
        "daily_life_hours": round(sum(row.hours for row in daily), 2),
    }


def _found(people: Sequence[Sequence[_Outcome]]) -> float | None:
    falls = [row.alarms > 0 for person in people for row in person if row.fall]
    return float(np.mean(falls)) if falls else None


def _false(people: Sequence[Sequence[_Outcome]]) -> float | None:
    daily = [row for person in people for row in person if not row.fall]
    hours = sum(row.hours for row in daily)
    return sum(row.alarms for row in daily) / hours if hours else None


def _calm(people: Sequence[Sequence[_Outcome]]) -> float | None:
    calm = [row.alarms == 0 for person in people for row in person if row.elder and not row.fall]
    return float(np.mean(calm)) if calm else None
