"""A chest strap: one reading a second with the beats that ended in it.

| what | how much | source |
|---|---|---|
| beat to beat, sinus rhythm | breathing 1.5 %, jitter 1 % | project choice; falls with age: Umetani 1998 |
| extra beats | 15 % of wearers: half as in a record of such a heart, else 2 to 6 % of beats | project choice |
| counts double | one session in twelve, for 5 to 20 s | project choice |
| skin still dry | one session in eight begins with 3 to 12 s without contact, flagged | project choice |
"""

import math
import random
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from kanhu.contract import QualityReason
from kanhu.firmware_sim.recording.diary import Bound, Diary
from kanhu.firmware_sim.recording.readings import heart_rhythm
from kanhu.firmware_sim.recording.rhythms import Rhythms
from kanhu.firmware_sim.recording.trouble import Trouble, TroubleKind
from kanhu.firmware_sim.truth import HappeningKind

_UNITS_A_MS: Final = 1.024
_BREATHING, _JITTER = 0.015, 0.01
_BREATHS_TURN = 2 * math.pi * 0.25
_EXTRA_WEARERS, _EARLY = 0.15, 0.33
_DOUBLE_ONE_IN, _DRY_ONE_IN = 12, 8
_AVERAGED_BEATS = 8
_LOOK_EVERY_S = 15
_SHORTEST_MS, _LONGEST_MS = 200.0, 2900.0


class Strap:
    """One strap."""

    def __init__(self, bound: Bound, *, seed: str, rhythms: Rhythms, trouble: Trouble | None = None) -> None:
        """`rhythms` are recorded intervals, replayed at the wearer's rate."""
        draw = random.Random(f"{seed}/{bound.device}")
        self._bound = bound
        self._trouble = trouble
        self._rhythms = rhythms
        extra, recorded = draw.random() < _EXTRA_WEARERS, draw.random() < 0.5
        self._extra_share = draw.uniform(0.02, 0.06) if extra else 0.0
        self._recorded_ms = draw.choice(rhythms.extra_ms) if extra and recorded and rhythms.extra_ms else None

    def wear(self, second: float, *, seconds: int, fibrillating: Sequence[tuple[float, float]], diary: Diary,
             draw: random.Random) -> None:  # fmt: skip  # read as one line
        """Sit with it for so long; `fibrillating` are stretches of irregular rhythm."""
        if self._trouble is not None and self._trouble.covers(second, TroubleKind.DEAD):
            return
        irregular = any(from_s <= second < to_s for from_s, to_s in fibrillating)
        recorded_ms = self._rhythms.irregular_ms if irregular else self._recorded_ms
        if recorded_ms is None:
            beats = self._sinus(second, diary, draw)
        else:
            beats = _replayed(recorded_ms, second, diary=diary, draw=draw)
        dry_s = draw.randrange(3, 13) if draw.randrange(_DRY_ONE_IN) == 0 else 0
        double = (seconds, seconds)
        if draw.randrange(_DOUBLE_ONE_IN) == 0:
            begins = draw.randrange(dry_s, max(dry_s + 1, seconds - 20))
            double = (begins, begins + draw.randrange(5, 21))
            diary.befell(HappeningKind.MISUSE, second + double[0], second + double[1])
        recent: deque[float] = deque(maxlen=_AVERAGED_BEATS)
        elapsed_ms, next_ms = 0.0, next(beats)
        gateway, device, subject = self._bound.gateway, self._bound.device, self._bound.subject
        start_ms = diary.site.ms(second)
        for turn in range(1, seconds + 1):
            until_ms = turn * 1000.0
            counted_twice = double[0] < turn <= double[1]
            ended: list[int] = []
            while elapsed_ms + next_ms <= until_ms:
                elapsed_ms += next_ms
                halves = (next_ms / 2, next_ms / 2) if counted_twice else (next_ms,)
                for each in halves:
                    recent.append(each)
                    ended.append(round(max(_SHORTEST_MS, each) * _UNITS_A_MS))
                next_ms = next(beats)
            if not recent:
                continue
            dry = turn <= dry_s
            reading = heart_rhythm(
                start_ms + turn * 1000,
                device,
                subject=subject,
                rate_bpm=min(290, round(60_000 * len(recent) / sum(recent))),
                intervals_1024th_s=ended,
                reasons=(QualityReason.NO_CONTACT,) if dry else (),
            )
            if dry or counted_twice:
                diary.note_spoilt(gateway, reading)
            else:
                diary.note(gateway, reading)

    def _sinus(self, second: float, diary: Diary, draw: random.Random) -> Iterator[float]:
        """Intervals at the body's rate, looked at anew every quarter of a minute."""
        at_s, look_s, rr_ms, pause = second, second, 0.0, 1.0
        while True:
            if at_s >= look_s:
                rate = diary.body.seated(at_s).heart_rate_bpm
                diary.truly(at_s, "heart_rate", rate)
                rr_ms, look_s = 60_000 / rate, look_s + _LOOK_EVERY_S
            share = pause
            pause = 1.0
            if share == 1.0 and self._extra_share and draw.random() < self._extra_share:
                share, pause = 1 - _EARLY, 1 + _EARLY
            interval = rr_ms * (share + _BREATHING * math.sin(_BREATHS_TURN * at_s) + draw.gauss(0.0, _JITTER))
            interval = min(_LONGEST_MS, max(_SHORTEST_MS, interval))
            at_s += interval / 1000
            yield interval


def _replayed(beats_ms: Sequence[float], second: float, *, diary: Diary, draw: random.Random) -> Iterator[float]:
    """Recorded intervals from a drawn place on, stretched to the body's rate."""
    rate = diary.body.seated(second).heart_rate_bpm
    stretch = 60_000 / rate / (sum(beats_ms) / len(beats_ms))
    place, at_s, look_s = draw.randrange(len(beats_ms)), second, second
    while True:
        if at_s >= look_s:
            diary.truly(at_s, "heart_rate", diary.body.seated(at_s).heart_rate_bpm)
            look_s += _LOOK_EVERY_S
        interval = min(_LONGEST_MS, max(_SHORTEST_MS, beats_ms[place] * stretch))
        place = (place + 1) % len(beats_ms)
        at_s += interval / 1000
        yield interval
