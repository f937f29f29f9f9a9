"""`./run score falls`: acted falls and daily life through the streaming detector, in the frames of a strap."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from kanhu.cloud.training.falls import fit_recordings, is_fall, samples_of
from kanhu.cloud.training.recordings import Recording, find_sets, load_set
from kanhu.harness.errors import RecordingUnusable
from kanhu.harness.report import Value
from kanhu.harness.score.command import Measured, Run, conduct
from kanhu.harness.score.intervals import by_person, folds
from kanhu.vitals.falls import FallDetector, FallStage, Site
from kanhu.vitals.models import Model, model_named

_FRAME = 73  # samples in one notification of a Polar strap
_PARTS = 5
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Score; 0 where every limit is kept, 1 where one is broken, 2 for wrong usage."""
    return conduct("falls", _measure, arguments or (), about=_ABOUT, known=tuple(_SITE))


def _measure(run: Run) -> Measured:
    sets = {name: place for name, place in find_sets(run.data).items() if name in _SITE}
    if not sets:
        raise RecordingUnusable(str(run.data), f"holds none of {', '.join(_SITE)}")
    recordings = {name: _of_site(load_set(name, place), _SITE[name]) for name, place in sets.items()}
    figures: dict[str, Value] = {}
    spent_s, samples, state_bytes = 0.0, 0, 0
    main_set = next(name for name in _SITE if name in sets)
    for name in sets:
        site = _SITE[name]
        together = [one for other, rows in recordings.items() if _SITE[other] is site for one in rows]
        outcomes = []
        for model, scored in _models(name, site, recordings[name], together, run):
            for recording in scored:
                outcome, seconds, size = _played(recording, model, site)
                outcomes.append(outcome)
                spent_s, samples, state_bytes = spent_s + seconds, samples + size[0], max(state_bytes, size[1])
        own = _figures(outcomes, run.seed)
        figures |= {f"{name}_{figure}": value for figure, value in own.items()}
        if name == main_set:
            figures = {**own, **figures}
    figures |= {"us_per_sample": round(spent_s / max(samples, 1) * 1e6, 2), "state_bytes": state_bytes}
    return Measured(figures, frozenset(sets))


def _of_site(recordings: list[Recording], site: Site) -> list[Recording]:
    return [one for one in recordings if site is Site.WAIST or one.row.get("site", "wrist") == "wrist"]


def _models(
    name: str, site: Site, scored: list[Recording], together: list[Recording], run: Run
) -> list[tuple[Model, list[Recording]]]:
    """The shipped model for people it has not seen; for the others one fitted without them."""
    shipped = model_named(f"falls-{site}")
    unseen = [one for one in scored if not shipped.has_seen(name, one.subject)]
    pairs = [(shipped, unseen)] if unseen else []
    seen = sorted({one.subject for one in scored if shipped.has_seen(name, one.subject)})
    for part in folds(seen, _PARTS, seed=run.seed):
        others = [one for one in together if not (one.of == name and one.subject in part)]
        refitted = fit_recordings(shipped.name, site, others, run.seed, lambda _: None)
        pairs.append((refitted, [one for one in scored if one.subject in part]))
        run.say(f"{name}: a part of the people scored with a model that never saw them")
    return pairs


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
    hours = float(times[-1] - times[0]) / 3_600_000 if len(times) else 0.0
    elder = recording.row.get("group") == "elder"
    outcome = _Outcome(recording.subject, elder, is_fall(recording), hours, len(alarms))
    return outcome, spent_s, (len(times), len(detector.state()))


def _figures(outcomes: list[_Outcome], seed: int) -> dict[str, Value]:
    figures: dict[str, Value] = {}
    kept = {one: [row for row in outcomes if row.person == one] for one in {row.person for row in outcomes}}
    for name, figure in (("sensitivity", _found), ("false_per_hour", _false), ("elder_specificity", _calm)):
        value = figure([outcomes])
        if value is not None:
            low, high = by_person(kept, figure, seed=seed)
            figures |= {name: round(value, 4), f"{name}_low": round(low, 4), f"{name}_high": round(high, 4)}
    daily = [row for row in outcomes if not row.fall]
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
