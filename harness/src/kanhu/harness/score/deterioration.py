"""`./run score deterioration`: courses of vital signs in intensive care, ranked beside NEWS2, SAPS-I and SOFA."""

import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.training.deterioration import age_of, course_of, fit_on, load_stays
from kanhu.cloud.training.recordings import Recording
from kanhu.harness.score.command import Measured, Run, conduct
from kanhu.harness.score.intervals import by_person, folds
from kanhu.vitals.models import model_named
from kanhu.vitals.scores.news2 import Consciousness, VitalSigns, news2

__all__ = ["main"]

_FOLDS = 5
_CALLED_SHARE = 0.05  # of stays that may be called; visits are scarce
_ALERT_FROM = 15  # Glasgow Coma Scale

Pair = tuple[float, bool]


def main(arguments: Sequence[str]) -> int:
    """Run the task; 0 where every limit is kept, 1 where one is broken, 2 for wrong usage."""
    return conduct("deterioration", _measure, arguments, about="Courses of vital signs.", known=("icu2012",))


def _measure(run: Run) -> Measured:
    if run.peers or run.plot is not None:
        run.say("no libraries and no picture belong to this task yet")
    stays = load_stays(_folder(run.data))
    began = time.perf_counter()
    courses = [course_of(stay) for stay in stays]
    took_s = time.perf_counter() - began
    model = model_named("deterioration")
    scores = [course.score(model, age_years=age_of(stay)).value for course, stay in zip(courses, stays, strict=True)]
    seen = sorted({stay.subject for stay in stays if model.has_seen("icu2012", stay.subject)})
    for part in folds(seen, _FOLDS, seed=run.seed) if len(seen) > _FOLDS else ():
        run.say(f"out of fold: {len(part)} of {len(seen)} stays")
        kept = [index for index, stay in enumerate(stays) if stay.subject not in part]
        other = fit_on([stays[index] for index in kept], [courses[index] for index in kept], seed=run.seed)
        for index, stay in enumerate(stays):
            if stay.subject in part:
                scores[index] = courses[index].score(other, age_years=age_of(stay)).value
    died = [stay.row["died"] == "1" for stay in stays]
    pairs = {stay.subject: (score, end) for stay, score, end in zip(stays, scores, died, strict=True)}
    figures: dict[str, float] = {"stays": len(stays), "died": sum(died), "scored_out_of_fold": len(seen)}
    for name, figure in (("auroc", auroc), ("auprc", auprc), ("sensitivity_at_5_per_100", sensitivity)):
        low, high = by_person(pairs, figure, seed=run.seed)
        figures |= {name: figure(list(pairs.values())) or 0.0, f"{name}_low": low, f"{name}_high": high}
    for name, values in _references(stays).items():
        figures[f"{name}_auroc"] = auroc(list(zip(values, died, strict=True))) or 0.0
    figures["us_per_sample"] = took_s * 1e6 / max(sum(len(stay.arrays["value"]) for stay in stays), 1)
    figures["state_bytes"] = max(len(course.state()) for course in courses)
    return Measured(figures, frozenset({"icu2012"}))


def _folder(data: Path) -> Path:
    inner = data / "icu2012"
    return inner if inner.is_dir() else data


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
