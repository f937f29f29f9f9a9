"""Fits the score of a course of vital signs, on the stays of `icu2012`."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from kanhu.cloud.errors import RecordingsRefused
from kanhu.cloud.training.recordings import Recording
from kanhu.cloud.training.writing import put_together
from kanhu.vitals.deterioration import Course
from kanhu.vitals.models import Model

__all__ = ["age_of", "course_of", "fit", "fit_on", "load_stays"]

_SIGN_OF = {
    "HR": "heart_rate", "RespRate": "respiration", "SaO2": "spo2", "Temp": "temperature", "GCS": "consciousness",
    "NISysABP": "systolic", "SysABP": "systolic", "NIDiasABP": "diastolic", "DiasABP": "diastolic",
    "Glucose": "glucose_mg_dl",
}  # fmt: skip  # the set's name, and ours
_LIMITS = (
    "Fitted on people in intensive care in the United States, treated and many ventilated: they are not our people.",
    "It ranks stays by death in hospital; it says nothing of any one person, and its number is no probability at home.",
    "A sign that nobody measured has a weight of its own, learned from whom an intensive care unit measures.",
    "It was never tried at home, on readings days apart, or on devices of a village.",
)
# of each sign about what is usual, project choice; a model is scaled by them and nothing hangs on the last digit
_CENTRE = (85.0, 19.0, 97.0, 37.0, 118.0, 59.0, 15.0, 130.0, 65.0)
_SPREAD = (20.0, 6.0, 4.0, 0.9, 24.0, 14.0, 4.0, 60.0, 17.0)


def load_stays(folder: Path) -> list[Recording]:
    """Every stay of every `set_*.npz` of a folder.

    Raises:
        RecordingsRefused: there is none, or a file is damaged.
    """
    stays = []
    for file in sorted(folder.glob("set_*.npz")):
        try:
            with file.with_suffix(".csv").open(encoding="utf-8", newline="") as rows:
                table = list(csv.DictReader(rows))
            with np.load(file) as data:
                offsets, names = data["offsets"].tolist(), data["param_names"]
                arrays = {"minute": data["minute"], "sign": names[data["param"]], "value": data["value"]}
        except (OSError, ValueError, KeyError, IndexError) as error:
            raise RecordingsRefused(str(file), f"is damaged: {error}; fetch it again") from error
        if len(offsets) != len(table) + 1:
            raise RecordingsRefused(str(file), "its table and its arrays do not belong together; fetch it again")
        for index, row in enumerate(table):
            part = {name: array[offsets[index] : offsets[index + 1]] for name, array in arrays.items()}
            stays.append(Recording("icu2012", row["record"], row["record"], row, part))
    if not stays:
        raise RecordingsRefused(str(folder), "holds no set_*.npz; name the folder of icu2012")
    return stays


def course_of(stay: Recording) -> Course:
    """The course of a whole stay, one observation after another."""
    course = Course()
    for sign, value in zip(stay.arrays["sign"].tolist(), stay.arrays["value"].tolist(), strict=True):
        if sign in _SIGN_OF:
            course.update(_SIGN_OF[sign], value)
    return course


def age_of(stay: Recording) -> float | None:
    """In years; None where it is not known."""
    age = stay.number("age")
    return None if age is None or age < 0 else age


def fit(sets: Mapping[str, Path], seed: int, say: Callable[[str], None]) -> Model:
    """The model that comes with the software, on every stay."""
    if "icu2012" not in sets:
        raise RecordingsRefused("kanhu-cloud train deterioration", "needs the set icu2012")
    stays = load_stays(sets["icu2012"])
    say(f"{len(stays)} stays")
    return fit_on(stays, [course_of(stay) for stay in stays], seed=seed)


def fit_on(stays: Sequence[Recording], courses: Sequence[Course], *, seed: int) -> Model:
    """A model of these stays; `courses` are theirs, in the same order."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  # slow to import, and only for a fit

    centre, spread = np.asarray(_CENTRE), np.asarray(_SPREAD)
    rows = np.stack(
        [course.features(centre, spread, age_of(stay)) for course, stay in zip(courses, stays, strict=True)]
    )
    died = np.asarray([stay.row["died"] == "1" for stay in stays])
    fitted = LogisticRegression(C=0.05, max_iter=2000).fit(rows, died)
    numbers = {"centre": centre, "spread": spread, "weights": fitted.coef_[0], "intercept": fitted.intercept_}
    return put_together("deterioration", version="1", numbers=numbers, recordings=stays, seed=seed, limits=_LIMITS)
