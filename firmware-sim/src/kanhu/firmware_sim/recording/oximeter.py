"""A finger clip on a serial line: one reading a window of ten seconds, as the gateway folds it.

| what | how much | source |
|---|---|---|
| error of one clip | spread 0.9 points | project choice; clips are sold as 2 points |
| error of one session, of one window | spread 0.5, 0.4 points | project choice, within the same |
| falsely low without a flag | 0.5 to 2.5 % of windows by person, 85 to 92 | project choice; 1 to 3 of 10 low are true |
| ... lasting a second window | 8 % of those | project choice |
| cold hand, weak signal | 6 % of sessions, 0 to 5 points low, flagged | project choice; March in the hills |
| first window still searching | 10 % of sessions, flagged | project choice |
| finger slips out | 4 % of windows, falsely low, flagged; a quarter hold no value at all | project choice |
| values that jump | 2 % of windows, flagged | project choice |
"""

import random
from typing import Final

from kanhu.contract import QualityReason
from kanhu.firmware_sim.recording.diary import Bound, Diary
from kanhu.firmware_sim.recording.readings import oximetry
from kanhu.firmware_sim.recording.trouble import Trouble, TroubleKind
from kanhu.firmware_sim.truth import HappeningKind

WINDOW_S: Final = 10.0

_SOLD_AS = 1.5  # whatever is further off was sent back
_AGAIN = 0.08
_COLD_HAND, _SEARCHES, _SLIPS, _NO_VALUE, _JUMPS = 0.06, 0.1, 0.04, 0.25, 0.02


class Oximeter:
    """One clip."""

    def __init__(self, bound: Bound, *, seed: str, trouble: Trouble | None = None) -> None:
        """Draw its own error and how often it is falsely low on this finger."""
        draw = random.Random(f"{seed}/{bound.device}")
        self._bound = bound
        self._trouble = trouble
        self._bias = min(_SOLD_AS, max(-_SOLD_AS, draw.gauss(0, 0.9)))
        self._falsely_low = draw.uniform(0.005, 0.025)

    def wear(self, second: float, *, windows: int, diary: Diary, draw: random.Random) -> None:
        """Measure for so many windows."""
        if self._trouble is not None and self._trouble.covers(second, TroubleKind.DEAD):
            return
        session_bias = self._bias + draw.gauss(0, 0.5)
        cold = draw.random() < _COLD_HAND
        searches = draw.random() < _SEARCHES
        low_again = False
        for number in range(windows):
            end_s = second + (number + 1) * WINDOW_S
            truth = diary.body.seated(end_s - WINDOW_S / 2)
            diary.truly(end_s, "spo2", truth.spo2_percent)
            diary.truly(end_s, "heart_rate", truth.heart_rate_bpm)
            spo2 = truth.spo2_percent + session_bias + draw.gauss(0, 0.4)
            pulse = truth.heart_rate_bpm + draw.gauss(0, 1.5)
            reasons: tuple[QualityReason, ...] = ()
            spoilt = True
            if low_again or draw.random() < self._falsely_low:
                spo2 = min(spo2, draw.uniform(85.0, 92.0))
                diary.befell(HappeningKind.MISUSE, end_s - WINDOW_S, end_s)
                low_again = not low_again and draw.random() < _AGAIN
            elif draw.random() < _SLIPS:
                if draw.random() < _NO_VALUE:
                    continue  # not one valid packet: the gateway refuses the window
                spo2, reasons = min(spo2, draw.uniform(78.0, 92.0)), (QualityReason.FINGER_OUT,)
            elif cold:
                spo2, reasons = spo2 - draw.uniform(0.0, 5.0), (QualityReason.WEAK_SIGNAL,)
            elif searches and number == 0:
                reasons = (QualityReason.SEARCHING,)
            elif draw.random() < _JUMPS:
                spo2, reasons = spo2 - draw.uniform(0.0, 8.0), (QualityReason.UNSTABLE,)
            else:
                spoilt = False
            self._tell(end_s, spo2, pulse, reasons, diary, spoilt=spoilt)

    def _tell(
        self,
        end_s: float,
        spo2: float,
        pulse: float,
        reasons: tuple[QualityReason, ...],
        diary: Diary,
        *,
        spoilt: bool,
    ) -> None:
        reading = oximetry(
            diary.site.ms(end_s),
            self._bound.device,
            subject=self._bound.subject,
            spo2_percent=min(100, max(50, round(spo2))),
            pulse_bpm=min(250, max(25, round(pulse))),
            reasons=reasons,
        )
        if spoilt:
            diary.note_spoilt(self._bound.gateway, reading)
        else:
            diary.note(self._bound.gateway, reading)
