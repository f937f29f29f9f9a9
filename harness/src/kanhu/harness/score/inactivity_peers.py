"""Simple limits on silence that others use, behind the same door as the detector."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import numpy as np

from kanhu.vitals.inactivity import Presence, SilenceReason

__all__ = ["PEERS", "Watching"]

_S_PER_DAY = 86_400.0
_BIN_S = 1800.0
_PERCENTILE = 99.5  # with a margin of half of it and half an hour
_MARGIN = 1.5
_DAY_BEGINS_H, _DAY_H = 7, 16


class Watching(Protocol):
    """What is scored: ours and the baselines."""

    def update(self, where: Presence, at_s: float) -> SilenceReason:
        """As SilenceDetector has it."""
        ...

    def look(self, at_s: float) -> SilenceReason:
        """As SilenceDetector has it."""
        ...

    def state(self) -> bytes:
        """As SilenceDetector has it."""
        ...


class Fixed:
    """Baseline: so many hours of silence between 07 and 23 o'clock, whoever lives there."""

    def __init__(self, limit_h: float) -> None:
        self._limit_h, self._last_s, self._raised = limit_h, math.nan, False

    def update(self, where: Presence, at_s: float) -> SilenceReason:
        """Somebody moved."""
        del where
        self._last_s, self._raised = at_s, False
        return SilenceReason.ACTIVE

    def look(self, at_s: float) -> SilenceReason:
        """Judge the silence."""
        if self._raised:
            return SilenceReason.ALREADY_RAISED
        self._raised = _by_day_h(at_s) - _by_day_h(self._last_s) > self._limit_h
        return SilenceReason.TOO_LONG if self._raised else SilenceReason.AS_USUAL

    def state(self) -> bytes:
        """Not kept."""
        return b""


class Percentile:
    """Baseline: the 99.5th percentile of time since the last act in this half-hour of the day, and half as much."""

    def __init__(self) -> None:
        self._last_s, self._raised = math.nan, False
        self._seen: list[list[float]] = [[] for _ in range(48)]

    def update(self, where: Presence, at_s: float) -> SilenceReason:
        """Somebody moved."""
        del where
        self._last_s, self._raised = at_s, False
        return SilenceReason.ACTIVE

    def look(self, at_s: float) -> SilenceReason:
        """Judge the silence."""
        silence_s = at_s - self._last_s
        seen = self._seen[int(at_s % _S_PER_DAY // _BIN_S)]
        too_long = bool(seen) and silence_s > _MARGIN * float(np.percentile(seen, _PERCENTILE)) + _BIN_S
        seen.append(silence_s)
        if self._raised or not too_long:
            return SilenceReason.ALREADY_RAISED if self._raised else SilenceReason.AS_USUAL
        self._raised = True
        return SilenceReason.TOO_LONG

    def state(self) -> bytes:
        """Not kept."""
        return b""


def _by_day_h(at_s: float) -> float:
    days, second = divmod(at_s, _S_PER_DAY)
    return days * 16 + min(max(second / 3600 - 7, 0.0), 16.0)


PEERS: Mapping[str, Callable[[], Watching]] = {
    **{f"peer_fixed_{limit_h}h": partial(Fixed, limit_h) for limit_h in (4, 6, 8, 12)},
    "peer_percentile": Percentile,
}
"""By the name that their figures begin with."""
