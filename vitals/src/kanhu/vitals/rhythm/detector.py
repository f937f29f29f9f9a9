"""Episodes of irregular pulse in a stream of beat intervals.

Eight beats are a block. Windows of several lengths around it give its features, a fitted weighted sum its evidence, and
smoothing.py weighs evidence along time. An episode is told once it is long enough, dated back to its first block; its
end likewise. So an answer comes later than the beats it is about, by half the longest window and the look ahead: the
stream needs them to tell the order of extra beats from no order.

    beats      ....|........|........|........|........|........|........|........ now
    windows             [ short ]
                   [       longest window      ]
    decided   <-|  look ahead  | evidence |  waits for half a window of beats

A hole in the beats ends what runs. Not here: how often it has to happen before anybody hears of it (a rule).
"""

from collections.abc import Sequence
from enum import StrEnum
from math import isfinite

import msgspec

from kanhu.vitals.errors import ModelRefused, StateRefused
from kanhu.vitals.models import Model
from kanhu.vitals.rhythm.features import FEATURES, LEAST_BEATS, window_features
from kanhu.vitals.rhythm.scoring import WeightedSum
from kanhu.vitals.rhythm.smoothing import forwards, smoothed
from kanhu.vitals.stored_state import read_state

__all__ = ["BLOCK_BEATS", "Episode", "Heard", "Rhythm", "RhythmDetector", "Windows"]

STATE_VERSION = 1
BLOCK_BEATS = 8


class Rhythm(StrEnum):
    """What one beat has led to."""

    COLLECTING = "collecting"
    REGULAR = "regular"
    IRREGULAR = "irregular"
    """An episode goes on."""
    BEGAN = "began"
    ENDED = "ended"
    NO_INTERVAL = "no_interval"
    """Not a number, or none that two beats can be apart: it does not count."""
    OUT_OF_ORDER = "out_of_order"
    """Not later than the beat before: it does not count."""


class Episode(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of irregular pulse, in the milliseconds of the caller's clock."""

    since_ms: int
    """Where the interval of its first beat begins."""
    until_ms: int | None = None
    """The last beat; None while it goes on."""


class Heard(msgspec.Struct, frozen=True):
    """The answer to one beat; each episode that began or ended with it, oldest first."""

    reason: Rhythm
    episodes: tuple[Episode, ...] = ()


class _Block(msgspec.Struct, frozen=True, array_like=True):
    first: int
    """Beats before it since the hole."""
    since_ms: int
    until_ms: int
    odds: float = 0.0
    """Forwards, once it has evidence."""
    evidence: float = 0.0


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    version: int
    last_ms: int | None = None
    beats: tuple[int, ...] = ()
    """The last intervals since a hole, in whole milliseconds."""
    count: int = 0
    """All since the hole."""
    block_since_ms: int = 0
    waiting: tuple[_Block, ...] = ()
    """Full blocks without evidence yet."""
    weighed: tuple[_Block, ...] = ()
    """Blocks with evidence that may yet change their meaning."""
    odds: float | None = None
    run: int = 0
    """Irregular blocks running, up to the number that makes an episode."""
    since_ms: int = 0
    until_ms: int = 0
    told: bool = False

    def __post_init__(self) -> None:
        """Refuse what no state can be."""
        numbers = [self.odds or 0.0, *(number for block in self.weighed for number in (block.odds, block.evidence))]
        if not all(map(isfinite, numbers)) or min((self.count, self.run, *self.beats), default=0) < 0:
            raise ValueError("not the state of a rhythm")
        if len(self.beats) > self.count or not all(self.beats):
            raise ValueError("beats that were not counted")


class Windows:
    """The windows of a model, around the middle of a block of beats."""

    def __init__(self, model: Model) -> None:
        """Take `windows`: of each the beats from the middle of the block to where it begins, and its length.

        Raises:
            ModelRefused: the model has none.
        """
        table = model.array("windows")
        if table.ndim != 2 or table.shape[1] != 2 or not len(table) or not (table[:, 1] >= LEAST_BEATS).all():
            raise ModelRefused(model.name, "its windows are none")
        self._windows: list[tuple[int, int]] = [(int(begins), int(beats)) for begins, beats in table.tolist()]
        self.longest = max(beats for _, beats in self._windows)
        """Beats to keep."""
        self.reach = max(begins + beats for begins, beats in self._windows)
        """Beats that have to follow the middle of a block."""

    def __len__(self) -> int:
        return len(self._windows)

    def features(self, beats: Sequence[float], *, centre: int) -> list[float]:
        """Of all windows around `centre`, a place in `beats`; moved inside where one would stand out."""
        found: list[float] = []
        for begins, length in self._windows:
            size = min(length, len(beats))
            start = min(max(centre + begins, 0), len(beats) - size)
            found += window_features(beats[start : start + size])
        return found


class RhythmDetector:
    """One person's beats, one after another."""

    def __init__(self, model: Model, state: bytes = b"") -> None:
        """Go on from `state`, or begin.

        Raises:
            ModelRefused: the model is not one of rhythms.
            StateRefused: `state` is not one of this detector.
        """
        self._windows = Windows(model)
        self._longest = self._windows.longest
        self._sum = WeightedSum(model, "beats_", features=len(self._windows) * len(FEATURES))
        self._trust = model.number("trust")
        self._switching = model.number("switching")
        self._ahead = int(model.number("ahead_blocks"))
        self._least = int(model.number("least_blocks"))
        self._begin_at, self._end_at = model.number("begin_above"), model.number("end_below")
        self._shortest_ms, self._hole_ms = model.number("shortest_ms"), model.number("hole_ms")
        self._kept = self._read(state) if state else _Kept(STATE_VERSION)

    def state(self) -> bytes:
        """What to store; bounded by the longest window and the look ahead."""
        return msgspec.msgpack.encode(self._kept)

    def update(self, rr_ms: float, at_ms: int) -> Heard:
        """Take the interval that a beat at `at_ms` ends; beats in the order of their times."""
        if not isfinite(rr_ms) or not self._shortest_ms <= rr_ms:
            return Heard(Rhythm.NO_INTERVAL)
        last_ms = self._kept.last_ms
        if last_ms is not None and at_ms <= last_ms:
            return Heard(Rhythm.OUT_OF_ORDER)
        episodes: tuple[Episode, ...] = ()
        if rr_ms > self._hole_ms or (last_ms is not None and at_ms - last_ms - rr_ms > self._hole_ms):
            episodes = self.finish().episodes
        if rr_ms > self._hole_ms:
            self._kept = msgspec.structs.replace(self._kept, last_ms=at_ms)
            return Heard(Rhythm.NO_INTERVAL, episodes)
        interval_ms = round(rr_ms)
        kept = self._kept
        first = kept.count % BLOCK_BEATS == 0
        kept = msgspec.structs.replace(
            kept,
            last_ms=at_ms,
            beats=(*kept.beats, interval_ms)[-self._longest :],
            count=kept.count + 1,
            block_since_ms=at_ms - interval_ms if first else kept.block_since_ms,
        )
        if kept.count % BLOCK_BEATS == 0:
            block = _Block(kept.count - BLOCK_BEATS, kept.block_since_ms, at_ms)
            kept = msgspec.structs.replace(kept, waiting=(*kept.waiting, block))
        self._kept = kept
        if kept.count >= self._longest:
            self._weigh(reach=self._windows.reach)
        episodes += self._decide(leave=self._ahead)
        return Heard(self._reason(episodes), episodes)

    def finish(self) -> Heard:
        """Decide what is left, with what there is: no beat follows, or none for a while."""
        kept = self._kept
        if kept.count % BLOCK_BEATS:
            block = _Block(kept.count - kept.count % BLOCK_BEATS, kept.block_since_ms, kept.last_ms or 0)
            self._kept = msgspec.structs.replace(kept, waiting=(*kept.waiting, block))
        if kept.count >= LEAST_BEATS:
            self._weigh(reach=0)
        episodes = self._decide(leave=0)
        if self._kept.told:
            episodes = (*episodes, Episode(self._kept.since_ms, self._kept.until_ms))
        self._kept = _Kept(STATE_VERSION, last_ms=self._kept.last_ms)
        return Heard(Rhythm.ENDED if episodes else Rhythm.COLLECTING, episodes)

    def _reason(self, episodes: Sequence[Episode]) -> Rhythm:
        kept = self._kept
        if episodes:
            return Rhythm.BEGAN if episodes[-1].until_ms is None else Rhythm.ENDED
        if kept.count < self._longest:
            return Rhythm.COLLECTING
        return Rhythm.IRREGULAR if kept.told else Rhythm.REGULAR

    def _weigh(self, *, reach: int) -> None:
        """Evidence for every full block that `reach` beats have followed, from its middle."""
        kept = self._kept
        beats, count, waiting, weighed, odds = kept.beats, kept.count, kept.waiting, kept.weighed, kept.odds
        while waiting:
            centre = waiting[0].first + BLOCK_BEATS // 2
            if centre + reach > count:
                break
            features = self._windows.features(beats, centre=centre - (count - len(beats)))
            evidence = self._trust * self._sum.log_odds(features)
            odds = forwards(odds, evidence, switching=self._switching)
            weighed = (*weighed, msgspec.structs.replace(waiting[0], odds=odds, evidence=evidence))
            waiting = waiting[1:]
        self._kept = msgspec.structs.replace(kept, waiting=waiting, weighed=weighed, odds=odds)

    def _decide(self, *, leave: int) -> tuple[Episode, ...]:
        """Decide all weighed blocks but the last `leave`."""
        told: list[Episode] = []
        while len(self._kept.weighed) > leave:
            block, *later = self._kept.weighed
            ahead = [one.evidence for one in later[: self._ahead]]
            odds = smoothed(block.odds, ahead, switching=self._switching)
            self._kept = msgspec.structs.replace(self._kept, weighed=tuple(later))
            told += self._step(block, odds)
        return tuple(told)

    def _step(self, block: _Block, odds: float) -> list[Episode]:
        kept = self._kept
        if odds > (self._end_at if kept.told else self._begin_at):
            since_ms = kept.since_ms if kept.run else block.since_ms
            run = min(kept.run + 1, self._least)
            begins = run == self._least and not kept.told
            self._kept = msgspec.structs.replace(
                kept, run=run, since_ms=since_ms, until_ms=block.until_ms, told=kept.told or begins
            )
            return [Episode(since_ms)] if begins else []
        self._kept = msgspec.structs.replace(kept, run=0, told=False)
        return [Episode(kept.since_ms, kept.until_ms)] if kept.told else []

    def _read(self, state: bytes) -> _Kept:
        kept = read_state(_Kept, state, version=STATE_VERSION)
        blocks = self._longest // BLOCK_BEATS + self._ahead + 1
        if len(kept.beats) > self._longest or max(len(kept.waiting), len(kept.weighed)) > blocks:
            raise StateRefused("more than this model keeps")
        return kept
