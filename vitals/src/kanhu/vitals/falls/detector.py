"""From samples to stages: impact suspected, fall likely, unanswered, long lie, recovered."""

from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

from kanhu.vitals.errors import StateRefused
from kanhu.vitals.falls.candidates import Candidates
from kanhu.vitals.falls.features import BEFORE, HZ, Site, after, features_of
from kanhu.vitals.falls.impacts import STEP_MS, Heard, Impacts
from kanhu.vitals.falls.resampling import LATE_IN_A_ROW, Resampler
from kanhu.vitals.models import Model, Trees
from kanhu.vitals.stored_state import read_state

__all__ = ["FallDetector", "FallEvent", "FallStage", "fall_score"]

STATE_VERSION = 2


class FallStage(StrEnum):
    """What has just become true."""

    IMPACT_SUSPECTED = "impact_suspected"
    FALL_LIKELY = "fall_likely"
    FALL_UNANSWERED = "fall_unanswered"
    LONG_LIE = "long_lie"
    RECOVERED = "recovered"


class FallEvent(msgspec.Struct, frozen=True):
    """One stage reached."""

    stage: FallStage
    t_ms: int
    score: float
    """Chance by the model, 0 to 1; 0 where it was not asked."""


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    version: int
    site: Site
    last: tuple[float, ...] = ()
    late: int = 0
    ring: tuple[float, ...] = ()
    waiting: int = -1
    peak_g: float = 0
    likely_ms: int | None = None
    asked: bool = False
    lain: bool = False
    before: tuple[float, ...] = ()
    upright_s: int = 0

    def __post_init__(self) -> None:
        """Refuse what no state can be: stored state is read back into this."""
        length = 3 * (BEFORE + 1 + after(self.site))
        numbers = np.asarray((*self.last, *self.ring, *self.before, self.peak_g))
        late = 0 <= self.late < LATE_IN_A_ROW
        whole = len(self.ring) in {0, length} and len(self.last) in {0, 4} and len(self.before) in {0, 3}
        waits = -1 <= self.waiting < after(self.site) and (self.waiting < 0 or len(self.ring) > 0)
        stands = (self.likely_ms is None) or len(self.before) > 0
        if not (late and whole and waits and stands and np.isfinite(numbers).all()):
            raise ValueError("not the state of a fall detector")


def fall_score(trees: Trees, window_g: NDArray[np.float64]) -> float:
    """Mean chance, by the trees, that this was a fall: 0 to 1."""
    return float(trees.values(features_of(window_g)).mean())


class FallDetector:
    """Falls of one person from one sensor; acceleration alone."""

    def __init__(self, model: Model, site: Site, state: bytes = b"") -> None:
        """Go on from `state`, or begin.

        Raises:
            ModelRefused: the model is no model of falls.
            StateRefused: `state` is not one of this detector and site.
        """
        self._model, self._site, self._trees = model, site, Trees(model)
        self._threshold = model.number("alarm_at")
        self._answer_ms, self._long_lie_ms = model.number("answer_s") * 1000, model.number("long_lie_s") * 1000
        self._upright_rad, self._upright_s = model.number("upright_rad"), model.number("upright_s")
        kept = read_state(_Kept, state, version=STATE_VERSION) if state else _Kept(STATE_VERSION, site)
        if kept.site is not site:
            raise StateRefused(f"of the {kept.site}, not the {site}")
        self._kept = kept
        ring = np.asarray(kept.ring, dtype=np.float64).reshape(-1, 3)
        candidates = Candidates(site, ring, kept.waiting, kept.peak_g)
        self._impacts = Impacts(site, Resampler(kept.last, kept.late), candidates)

    def state(self) -> bytes:
        """What to store; bounded by the seconds around an impact."""
        found = self._impacts.candidates
        kept = msgspec.structs.replace(
            self._kept,
            last=self._impacts.resampler.last,
            late=self._impacts.resampler.late,
            ring=tuple(found.ring_g.ravel().tolist()),
            waiting=found.waiting,
            peak_g=found.peak_g,
        )
        return msgspec.msgpack.encode(kept)

    def answered(self) -> None:
        """The person said that they are fine: nobody is called for no answer; lying on still is a long lie."""
        self._kept = msgspec.structs.replace(self._kept, asked=True)

    def update(self, t_ms: NDArray[np.int64], acceleration_g: NDArray[np.float64]) -> tuple[FallEvent, ...]:
        """Take (n,) times in ms and (n, 3) accelerations in g with gravity; the stages they reach, in order."""
        events: list[FallEvent] = []
        for heard in self._impacts.update(t_ms, acceleration_g):
            self._judge(heard, events)
        return tuple(events)

    def _judge(self, heard: Heard, events: list[FallEvent]) -> None:
        told = [FallEvent(FallStage.IMPACT_SUSPECTED, heard.first_ms + at * STEP_MS, 0.0) for at in heard.suspected]
        for one in heard.ripe:
            score = fall_score(self._trees, one.window_g)
            now_ms = heard.first_ms + one.judged * STEP_MS
            if score >= self._threshold and self._is_news(now_ms):
                told.append(FallEvent(FallStage.FALL_LIKELY, now_ms, score))
                before = tuple(one.window_g[: BEFORE // 2].mean(axis=0).tolist())
                self._kept = _Kept(STATE_VERSION, self._site, likely_ms=now_ms, before=before)
        events += sorted(told, key=lambda event: event.t_ms)
        if self._kept.likely_ms is not None and (heard.end_ms // STEP_MS + 1) % HZ == 0:
            self._follow(self._kept.likely_ms, heard.end_ms, events)

    def _is_news(self, now_ms: int) -> bool:
        """Whether another fall is told: not while the person is still asked about the last one."""
        likely_ms = self._kept.likely_ms
        return likely_ms is None or not 0 <= now_ms - likely_ms < self._answer_ms

    def _follow(self, likely_ms: int, now_ms: int, events: list[FallEvent]) -> None:
        """After a fall, once a second: does the person stand again, and how long have they lain."""
        kept = self._kept
        second = self._impacts.candidates.ring_g[-HZ:].mean(axis=0)
        before = np.asarray(kept.before)
        both = float(np.sqrt((second @ second) * (before @ before)))
        upright = both > 0 and float(second @ before) / both >= np.cos(self._upright_rad)
        upright_s = kept.upright_s + 1 if upright else 0
        kept = msgspec.structs.replace(kept, upright_s=upright_s)
        lain_ms = now_ms - likely_ms
        if upright_s >= self._upright_s and lain_ms >= self._answer_ms:
            events.append(FallEvent(FallStage.RECOVERED, now_ms, 0.0))
            kept = _Kept(STATE_VERSION, self._site)
        elif lain_ms >= self._answer_ms and not kept.asked:
            events.append(FallEvent(FallStage.FALL_UNANSWERED, now_ms, 0.0))
            kept = msgspec.structs.replace(kept, asked=True)
        elif lain_ms >= self._long_lie_ms and not kept.lain:
            events.append(FallEvent(FallStage.LONG_LIE, now_ms, 0.0))
            kept = msgspec.structs.replace(kept, lain=True)
        self._kept = kept
