"""Evidence along time: two states that seldom change, weighed with a bounded look ahead.

A hidden Markov model of two states, of which the odds are kept: forwards for all that was heard, backwards over the
last few pieces of evidence only (fixed-lag smoothing; Rabiner 1989, "A tutorial on hidden Markov models").
"""

from collections.abc import Sequence
from math import exp, log

__all__ = ["forwards", "smoothed"]

_MOST = 40.0  # log odds; beyond, a sum of exponentials would lose the smaller one


def forwards(odds: float | None, evidence: float, *, switching: float) -> float:
    """Log odds of the state after one more piece of evidence; `switching`: the chance of a change before it."""
    return evidence if odds is None else _carried(odds, switching) + evidence


def smoothed(odds: float, ahead: Sequence[float], *, switching: float) -> float:
    """Log odds of a state, given also the evidence that came after it, the earliest first."""
    behind = 0.0
    for evidence in reversed(ahead):
        behind = _carried(behind + evidence, switching)
    return odds + behind


def _carried(odds: float, switching: float) -> float:
    """Log odds of the neighbouring state."""
    ratio = exp(min(max(odds, -_MOST), _MOST))
    return log((ratio * (1 - switching) + switching) / (ratio * switching + 1 - switching))
