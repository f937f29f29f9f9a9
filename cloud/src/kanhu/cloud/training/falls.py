"""What the models of falls have in common: windows of recordings, a forest, and where the threshold goes."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.errors import RecordingsRefused
from kanhu.cloud.training.recordings import Recording, load_set
from kanhu.cloud.training.writing import forest_arrays, put_together
from kanhu.vitals.falls import Impacts, Site, features_of
from kanhu.vitals.models import Model

__all__ = ["fit_recordings", "fit_site", "is_fall", "plain_forest", "samples_of"]

_G_CMS2 = 980.665
_PARTS = 5
_TREES, _LEAST, _TRIED = 60, 2, 24  # trees; least windows of a leaf; features tried at a node
_DIGITS = 4  # of a leaf
_FALSE_PER_HOUR = {Site.WAIST: 0.2, Site.WRIST: 1.0}  # the limits that the scores are held to
_SETS = {Site.WAIST: ("sisfall",), Site.WRIST: ("weda_fall", "smartfallmm")}
_LIMITS = (
    "Every fall there is acted, by young people but for one; real falls of the old look otherwise.",
    "Slow falls, slides from a chair and falls that end against furniture were hardly tried.",
    "It was fitted on sensors of the site it is named after, and says nothing of any other.",
)


def fit_site(name: str, site: Site, sets: Mapping[str, Path], seed: int, say: Callable[[str], None]) -> Model:
    """The model of one site on all recordings of it.

    Raises:
        RecordingsRefused: no set of this site is there.
    """
    recordings = [one for known in _SETS[site] if known in sets for one in load_set(known, sets[known])]
    recordings = [one for one in recordings if one.row.get("site", "wrist") == "wrist" or site is Site.WAIST]
    if not recordings:
        raise RecordingsRefused(name, f"none of {', '.join(_SETS[site])} is there")
    return fit_recordings(name, site, recordings, seed, say)


def samples_of(recording: Recording) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Times in ms and (n, 3) g."""
    if recording.of == "sisfall":
        acceleration = recording.arrays["acc_mg"].astype(np.float64) / 1000
        return np.arange(1, len(acceleration) + 1, dtype=np.int64) * 20, acceleration
    return recording.arrays["t_ms"].astype(np.int64), recording.arrays["acc_cms2"].astype(np.float64) / _G_CMS2


def is_fall(recording: Recording) -> bool:
    """As the set labels it; smartfallmm by its activities 10 to 14."""
    flag = recording.row.get("fall")
    return flag == "1" if flag else int(recording.row["activity"]) >= 10


def _windows(recording: Recording, site: Site) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The features and the peak, in g, of every impact that the detector would judge."""
    windows = [one.window_g for heard in Impacts(site).update(*samples_of(recording)) for one in heard.ripe]
    peaks = [float(np.sqrt((window_g**2).sum(axis=1)).max()) for window_g in windows]
    return np.asarray([features_of(window_g) for window_g in windows]), np.asarray(peaks)


def fit_recordings(
    name: str, site: Site, recordings: Sequence[Recording], seed: int, say: Callable[[str], None]
) -> Model:
    """Fit; the threshold keeps the false alarms of people left out within the limit, in every set."""
    rows, falls, owners = [], [], []
    for number, recording in enumerate(recordings):
        features, peaks = _windows(recording, site)
        if not len(features):
            continue
        chosen = features[[int(peaks.argmax())]] if is_fall(recording) else features
        rows.append(chosen)
        falls += [is_fall(recording)] * len(chosen)
        owners += [number] * len(chosen)
    table, fall, owner = np.concatenate(rows), np.asarray(falls), np.asarray(owners)
    say(f"{len(table)} impacts, {int(fall.sum())} of them falls")
    people = np.asarray([recordings[one].of + "/" + recordings[one].subject for one in owner])
    of = np.asarray([recordings[one].of for one in owner])
    order = np.random.default_rng(seed).permutation(np.unique(people))
    score = np.zeros(len(table))
    for start in range(_PARTS):
        left_out = np.isin(people, order[start::_PARTS])
        score[left_out] = _chances(_forest(table[~left_out], fall[~left_out], seed), table[left_out])
    threshold = -np.inf
    for one in np.unique(of):
        hours = sum(_hours(recording) for recording in recordings if recording.of == one and not is_fall(recording))
        wrong = np.sort(score[(of == one) & ~fall])[::-1]
        allowed = int(_FALSE_PER_HOUR[site] * hours * 0.8)  # a fifth of room: other people are wilder
        own = float(wrong[min(allowed, len(wrong) - 1)]) + 1e-4 if len(wrong) else -np.inf
        found = (score[(of == one) & fall] >= own).mean() if (fall & (of == one)).any() else 1.0
        say(f"{one}: {hours:.2f} h, threshold {own:.3f}, of the falls with an impact {found:.3f} found")
        threshold = max(threshold, own)
    fitted = _forest(table, fall, seed)
    numbers = forest_arrays(
        (one.tree_ for one in fitted.estimators_),
        value_of=lambda tree: np.round(tree.value[:, 0, 1] / tree.value[:, 0].sum(axis=1), _DIGITS),
    )
    numbers |= {
        "alarm_at": np.asarray([threshold]),
        "answer_s": np.asarray([30.0]),  # clinical 6.3: 30 s to answer
        "long_lie_s": np.asarray([3600.0]),  # clinical 6.3: an hour on the floor
        "upright_rad": np.asarray([0.6]),
        "upright_s": np.asarray([5.0]),
    }
    return put_together(name, version="2", numbers=numbers, recordings=recordings, seed=seed, limits=_LIMITS)


def _hours(recording: Recording) -> float:
    times, _ = samples_of(recording)
    return float(times[-1] - times[0]) / 3_600_000 if len(times) else 0.0


def _forest(table: NDArray[np.float64], fall: NDArray[np.bool_], seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier  # noqa: PLC0415

    forest = ExtraTreesClassifier(_TREES, min_samples_leaf=_LEAST, max_features=_TRIED, random_state=seed)
    return forest.fit(table.astype(np.float32), fall)


def _chances(forest: Any, table: NDArray[np.float64]) -> NDArray[np.float64]:
    chances: NDArray[np.float64] = forest.predict_proba(table.astype(np.float32))[:, 1]
    return chances


def plain_forest(
    table: NDArray[np.float64], fall: NDArray[np.bool_], seed: int
) -> Callable[[Any], NDArray[np.float64]]:
    """Chances of rows by scikit-learn's forest as it comes: what the models of falls are compared with."""
    from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415

    forest = RandomForestClassifier(60, random_state=seed).fit(table, fall)
    return lambda rows: _chances(forest, rows)
