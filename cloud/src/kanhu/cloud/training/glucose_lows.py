"""What counts as a low, as warned of and as a false warning: the same where a limit is set and where it is scored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from kanhu.vitals.glucose.features import LOW_MG_DL

__all__ = ["AHEAD_MIN", "LOW_MG_DL", "LowsCounted", "count_lows", "false_per_day", "warned_share"]

AHEAD_MIN = 60
"""A warning speaks of so long a time ahead."""
APART_MIN = 30
"""A low after a shorter time without a low value is the same low."""
_BRIDGED_MIN = 35  # a longer silence is no time watched
_MIN_PER_DAY = 1440


@dataclass(frozen=True, slots=True)
class LowsCounted:
    """Of one recording."""

    days: float
    onsets_min: tuple[float, ...]
    """Of each low that begins at least an hour after the recording does: its first value."""
    leads_min: tuple[float, ...]
    """Of each low that was warned of within the hour before its first value, from the first such warning."""
    lasting: int
    """Lows of at least 15 min."""
    lasting_warned: int
    false: int
    """Warnings without a low value within the hour after, where the recording holds that hour."""
    true: int


def count_lows(
    minutes: NDArray[np.float64], values_mg_dl: NDArray[np.float64], warned_min: Iterable[float]
) -> LowsCounted:
    """Count one recording, whose warnings were given at `warned_min`."""
    gaps = np.diff(minutes)
    low_min = minutes[values_mg_dl < LOW_MG_DL]
    warnings = np.asarray(sorted(warned_min), dtype=np.float64)
    onsets = [
        onset
        for before, onset in pairwise((-np.inf, *low_min.tolist()))
        if onset - before > APART_MIN and onset - minutes[0] >= AHEAD_MIN
    ]
    leads, lasting, lasting_warned = [], 0, 0
    for onset in onsets:
        standing = warnings[(warnings < onset) & (warnings >= onset - AHEAD_MIN)]
        leads += [onset - float(standing[0])] if len(standing) else []
        lasts = bool(((low_min > onset) & (low_min <= onset + APART_MIN)).any())
        lasting += lasts
        lasting_warned += lasts and len(standing) > 0
    followed = [bool(((low_min > one) & (low_min <= one + AHEAD_MIN)).any()) for one in warnings]
    whole = warnings <= minutes[-1] - AHEAD_MIN
    return LowsCounted(
        days=float(gaps[gaps <= _BRIDGED_MIN].sum()) / _MIN_PER_DAY,
        onsets_min=tuple(onsets),
        leads_min=tuple(leads),
        lasting=lasting,
        lasting_warned=lasting_warned,
        false=int((whole & ~np.asarray(followed, dtype=bool)).sum()) if followed else 0,
        true=sum(followed),
    )


def warned_share(counted: Sequence[LowsCounted]) -> float | None:
    """Of all lows, 0 to 1; None without a low."""
    lows = sum(len(one.onsets_min) for one in counted)
    return sum(len(one.leads_min) for one in counted) / lows if lows else None


def false_per_day(counted: Sequence[LowsCounted]) -> float | None:
    """False warnings a day of all days together; None without a day."""
    days = sum(one.days for one in counted)
    return sum(one.false for one in counted) / days if days else None
