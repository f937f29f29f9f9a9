"""`./run score deterioration`: courses of vital signs in intensive care, ranked beside NEWS2, SAPS-I and SOFA."""

import time
from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.errors import RecordingsRefused
from kanhu.cloud.training.deterioration import age_of, course_of, fit_on, load_stays
from kanhu.cloud.training.recordings import Recording, find_sets
from kanhu.harness.report import Value
from kanhu.harness.score.command import Measured, Run, conduct
from kanhu.harness.score.deterioration_plot import draw
from kanhu.harness.score.intervals import by_person, with_interval
from kanhu.harness.score.unseen import each_unseen
from kanhu.vitals.models import Model, model_named
from kanhu.vitals.scores.news2 import Consciousness, VitalSigns, news2

__all__ = ["main"]

_SET = "icu2012"
_CALLED_SHARE = 0.05  # of stays that may be called; visits are scarce
_ALERT_FROM = 15  # Glasgow Coma Scale

Pair = tuple[float, bool]


def main(arguments: Sequence[str]) -> int:
    """Run the task; 0 where every limit is kept, 1 where one is broken, 2 for wrong usage."""
    return conduct("deterioration", _measure, arguments, about="Courses of vital signs.", known=(_SET,))


def _measure(run: Run) -> Measured:
    if run.peers:
        run.say("no libraries belong to this task yet")
    sets = find_sets(run.data)
    if _SET not in sets:
        raise RecordingsRefused(str(run.data), f"holds no {_SET}; name the folder that does")
    stays = load_stays(sets[_SET])
    began = time.perf_counter()
    courses = {stay.subject: course_of(stay) for stay in stays}
    took_s = time.perf_counter() - began
    shipped = model_named("deterioration")

    def fit(others: Sequence[Recording]) -> Model:
        return fit_on(others, [courses[one.subject] for one in others], seed=run.seed)

    pairs = {
        stay.subject: (courses[stay.subject].score(model, age_years=age_of(stay)).value, stay.row["died"] == "1")
        for stay, model in each_unseen(stays, shipped, fit, run)
    }
    died = [stay.row["died"] == "1" for stay in stays]
    seen = sum(shipped.has_seen(_SET, stay.subject) for stay in stays)
    figures: dict[str, Value] = {"stays": len(stays), "died": sum(died), "scored_out_of_fold": seen}
    for name, figure in (("auroc", auroc), ("auprc", auprc), ("sensitivity_at_5_per_100", sensitivity)):
        value = figure(list(pairs.values()))
        figures |= {} if value is None else with_interval(name, value, by_person(pairs, figure, seed=run.seed))
    references = {name: list(zip(values, died, strict=True)) for name, values in _references(stays).items()}
    for name, ranked in references.items():
        figures[f"{name}_auroc"] = auroc(ranked) or 0.0
    if run.plot is not None:
        draw(run.plot, {"course": list(pairs.values()), **references}, called=_CALLED_SHARE)
    figures["us_per_sample"] = took_s * 1e6 / max(sum(len(stay.arrays["value"]) for stay in stays), 1)
    figures["state_bytes"] = max(len(course.state()) for course in courses.values())
    return Measured(figures, frozenset({_SET}))


def auroc(pairs: Sequence[Pair]) -> float | None:
    """How often one who died ranks above one who did not; ties count half."""
    scores, died = _columns(pairs)
    if died.all() or not died.any():
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    bad = int(died.sum())
    return float((ranks[died].sum() - bad * (bad + 1) / 2) / (bad * (len(died) - bad)))


def auprc(pairs: Sequence[Pair]) -> float | None:
    """Average precision."""
    scores, died = _columns(pairs)
    if not died.any():
        return None
    ordered = died[np.argsort(-scores, kind="stable")]
    return float((np.cumsum(ordered) / np.arange(1, len(ordered) + 1))[ordered].mean())


def sensitivity(pairs: Sequence[Pair]) -> float | None:
    """Of those who died, the share among the 5 of 100 that rank highest."""
    scores, died = _columns(pairs)
    called = np.argsort(-scores, kind="stable")[: int(_CALLED_SHARE * len(scores))]
    return float(died[called].sum() / died.sum()) if died.any() else None


def _columns(pairs: Sequence[Pair]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    return np.asarray([one for one, _ in pairs], dtype=np.float64), np.asarray(
        [end for _, end in pairs], dtype=np.bool_
    )


def _references(stays: Sequence[Recording]) -> Mapping[str, list[float]]:
    """NEWS2 of the last values of a stay, and the scores its table brings; -1 where they are missing."""
    return {
        "news2": [_news2_of(stay) for stay in stays],
        "saps1": [stay.number("saps1") or 0.0 for stay in stays],
        "sofa": [stay.number("sofa") or 0.0 for stay in stays],
    }


def _news2_of(stay: Recording) -> float:
    last = dict(zip(stay.arrays["sign"].tolist(), stay.arrays["value"].tolist(), strict=True))

    def value(name: str) -> Decimal | None:
        return Decimal(str(last[name])) if name in last else None

    coma = last.get("GCS")
    awake = Consciousness.ALERT if coma is not None and coma >= _ALERT_FROM else Consciousness.CONFUSION
    signs = VitalSigns(
        respiration_per_min=value("RespRate"),
        spo2_percent=value("SaO2"),
        systolic_mmhg=value("NISysABP") or value("SysABP"),
        pulse_bpm=value("HR"),
        consciousness=None if coma is None else awake,
        temperature_celsius=value("Temp"),
    )
    return float(news2(signs).total)
