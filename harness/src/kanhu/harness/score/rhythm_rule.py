"""The rule RHYTHM of the gateway over the same beats: windows told apart, as docs/rules.md states them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kanhu.cloud.training.recordings import Recording
from kanhu.cloud.training.rhythm import FIBRILLATION, FLUTTER, UNMARKED, beats_of
from kanhu.harness.report import Value
from kanhu.vitals import core_pack
from kanhu.vitals.rhythm import Irregularity, RhythmLimits, irregularity
from kanhu.vitals.rules.records import RhythmTrigger

__all__ = ["Tally", "rule_figures", "tally_of"]

_NAMES = {FIBRILLATION: "fibrillation", FLUTTER: "flutter", UNMARKED: "before the first mark"}
_MEASURED_ON = frozenset({"afdb_rr", "mitdb_beats"})
_STEPS_PER_MS = 1.024  # a strap sends intervals in 1/1024 s


@dataclass(slots=True)
class Tally:
    """Windows of one rhythm, and how many of them the rule called irregular."""

    windows: dict[str, int] = field(default_factory=lambda: {"fibrillation": 0, "flutter": 0, "other": 0})
    irregular: dict[str, int] = field(default_factory=lambda: {"fibrillation": 0, "flutter": 0, "other": 0})

    def percent(self, rhythm: str) -> float:
        """Share of a rhythm's windows called irregular."""
        return round(100 * self.irregular[rhythm] / self.windows[rhythm], 1) if self.windows[rhythm] else 0.0


def rule_figures(name: str, recordings: Sequence[Recording]) -> dict[str, Value]:
    """Figures of one set; none where the rule was never measured on it."""
    if name not in _MEASURED_ON:
        return {}
    tally, prefix = tally_of(beats_of(one) for one in recordings), f"{name}_rule"
    return {
        f"{prefix}_fibrillation_windows": tally.windows["fibrillation"],
        f"{prefix}_found_percent": tally.percent("fibrillation"),
        f"{prefix}_other_windows": tally.windows["other"],
        f"{prefix}_false_percent": tally.percent("other"),
        f"{prefix}_flutter_windows": tally.windows["flutter"],
        f"{prefix}_flutter_found": tally.irregular["flutter"],
    }


def tally_of(records: Iterable[tuple[NDArray[np.float64], NDArray[np.int64]]]) -> Tally:
    """Count windows of one rhythm each, one after another; those in which the rhythm changes are left out."""
    trigger = next(rule.trigger for rule in core_pack().rules if isinstance(rule.trigger, RhythmTrigger))
    limits = RhythmLimits(trigger.symbol_bpm, trigger.entropy_above, trigger.filtered_entropy_above)
    tally = Tally()
    for intervals, marks in records:
        for start in range(0, len(intervals) - trigger.window_beats + 1, trigger.window_beats):
            window = slice(start, start + trigger.window_beats)
            rhythms = {_NAMES.get(mark, "other") for mark in marks[window].tolist()}
            rhythm = rhythms.pop()
            if rhythms or rhythm not in tally.windows:
                continue
            tally.windows[rhythm] += 1
            sent = np.round(intervals[window] * _STEPS_PER_MS) / _STEPS_PER_MS
            tally.irregular[rhythm] += irregularity(sent.tolist(), limits) is Irregularity.IRREGULAR
    return tally
