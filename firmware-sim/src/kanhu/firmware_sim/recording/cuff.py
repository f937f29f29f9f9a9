"""A cuff and the arm in it: what it shows, what spoils it, what it notices.

| what | how much | source |
|---|---|---|
| error of one cuff | spread 2.5 mmHg | project choice; ISO 81060-2 allows a mean error of 5 |
| error of one reading | spread 4 mmHg | project choice; ISO 81060-2 allows a spread of 8 |
| first reading of a sitting | 3 mmHg high, spread 2 | project choice; the first is commonly said to be the highest |
| over clothes, not noticed | 1.5 % of readings, 15 to 45 mmHg high | project choice |
| arm moved, noticed | 2 %, spread 12 mmHg | project choice |
| arm moved, not noticed | 0.7 %, spread 12 mmHg | project choice |
| cuff loose or arm too low, noticed | 1 % each, spread 8 mmHg | project choice |
| own clock | 10 % send none, 10 % were never set since 2015, others are off by minutes | project choice |
"""

import random
from datetime import UTC, datetime
from typing import Final, NamedTuple

from kanhu.contract import QualityReason
from kanhu.firmware_sim.recording.diary import Bound, Diary
from kanhu.firmware_sim.recording.readings import BloodPressure, Reading, blood_pressure
from kanhu.firmware_sim.recording.trouble import Trouble, TroubleKind
from kanhu.firmware_sim.truth import HappeningKind

TAKES_S: Final = 35.0
"""From the button to the numbers."""
UTC_OFFSET_MS: Final = 8 * 3_600_000

_DEFAULT_DATE_MS = int(datetime(2015, 1, 1, tzinfo=UTC).timestamp()) * 1000
_ABSENT_SHARE, _UNSET_SHARE = 0.1, 0.1
_CLOCK_OFF_S = 90.0
_OVER_CLOTHES = 0.015
_NOTICED = (
    (QualityReason.MOTION, 0.02, 12.0),
    (QualityReason.CUFF_LOOSE, 0.01, 8.0),
    (QualityReason.POSITION, 0.01, 8.0),
)
_MOVED_UNNOTICED, _MOVED_SPREAD = 0.007, 12.0


class Sat(NamedTuple):
    """One sitting, as the person sees it."""

    shown: BloodPressure
    noticed: bool
    """Whether the cuff showed that something was wrong."""


class Cuff:
    """One cuff."""

    def __init__(self, bound: Bound, *, seed: str, trouble: Trouble | None = None) -> None:
        """Draw its own error and how its clock stands."""
        draw = random.Random(f"{seed}/{bound.device}")
        self._bound = bound
        self._trouble = trouble
        self._bias_mmhg = draw.gauss(0, 2.5)
        kind = draw.random()
        self._sends_time = kind >= _ABSENT_SHARE
        self._clock_unset = _ABSENT_SHARE <= kind < _ABSENT_SHARE + _UNSET_SHARE
        self._clock_off_ms = round(draw.gauss(0, _CLOCK_OFF_S)) * 1000

    def sit(self, second: float, *, diary: Diary, draw: random.Random, first_high_mmhg: float = 3.0) -> Sat | None:
        """Measure once; None where the battery is dead. `first_high_mmhg` is 0 for a repeat."""
        if self._trouble is not None and self._trouble.covers(second, TroubleKind.DEAD):
            return None
        truth = diary.body.seated(second)
        diary.truly(second, "systolic", truth.systolic_mmhg)
        diary.truly(second, "diastolic", truth.diastolic_mmhg)
        diary.truly(second, "heart_rate", truth.heart_rate_bpm)
        above = draw.gauss(first_high_mmhg, 2.0) if first_high_mmhg else 0.0
        error, reasons, spoilt = self._artefact(draw)
        systolic = truth.systolic_mmhg + self._bias_mmhg + draw.gauss(0, 4.0) + above + error
        diastolic = truth.diastolic_mmhg + 0.6 * self._bias_mmhg + draw.gauss(0, 3.0) + 0.4 * (above + error)
        shown = BloodPressure(
            systolic_mmhg=min(290, max(60, round(systolic))),
            diastolic_mmhg=min(190, max(35, round(min(diastolic, systolic - 12)))),
            pulse_bpm=min(220, max(25, round(truth.heart_rate_bpm + draw.gauss(0, 2.0)))),
        )
        if self._trouble is not None and self._trouble.covers(second, TroubleKind.STUCK):
            shown, spoilt = self._stuck(diary), True
        if spoilt and not reasons:
            diary.befell(HappeningKind.MISUSE, second, second + 60.0)
        reading = self._reading(second, shown, reasons, diary)
        if spoilt or self._bound.subject is None:
            diary.note_spoilt(self._bound.gateway, reading)
        else:
            diary.note(self._bound.gateway, reading)
        return Sat(shown, noticed=bool(reasons))

    def sit_stranger(self, second: float, *, diary: Diary, draw: random.Random, truth: BloodPressure) -> Sat | None:
        """Somebody else measures with it."""
        if self._trouble is not None and self._trouble.covers(second, TroubleKind.DEAD):
            return None
        error, reasons, _ = self._artefact(draw)
        shown = BloodPressure(
            systolic_mmhg=round(truth.systolic_mmhg + self._bias_mmhg + draw.gauss(0, 4.0) + error),
            diastolic_mmhg=round(truth.diastolic_mmhg + draw.gauss(0, 3.0)),
            pulse_bpm=round(truth.pulse_bpm + draw.gauss(0, 2.0)),
        )
        diary.note_strange(self._bound.gateway, self._reading(second, shown, reasons, diary))
        return Sat(shown, noticed=bool(reasons))

    def _reading(
        self, second: float, shown: BloodPressure, noticed: tuple[QualityReason, ...], diary: Diary
    ) -> Reading:
        unset = (QualityReason.DEVICE_CLOCK_UNSET,) if self._clock_unset else ()
        return blood_pressure(
            diary.site.ms(second + TAKES_S),
            self._bound.device,
            subject=self._bound.subject,
            shown=shown,
            reasons=(*noticed, *unset),
            device_ms=self._device_ms(second, diary),
        )

    def _artefact(self, draw: random.Random) -> tuple[float, tuple[QualityReason, ...], bool]:
        """Error in mmHg, what the cuff noticed, and whether the reading is spoilt."""
        for reason, share, spread in _NOTICED:
            if draw.random() < share:
                return draw.gauss(0, spread), (reason,), True
        if draw.random() < _OVER_CLOTHES:
            return draw.uniform(15.0, 45.0), (), True
        if draw.random() < _MOVED_UNNOTICED:
            return draw.gauss(0, _MOVED_SPREAD), (), True
        return 0.0, (), False

    def _stuck(self, diary: Diary) -> BloodPressure:
        """What it showed when it got stuck."""
        since = diary.body.seated(self._trouble.from_s if self._trouble else 0.0)
        return BloodPressure(
            systolic_mmhg=round(since.systolic_mmhg),
            diastolic_mmhg=round(since.diastolic_mmhg),
            pulse_bpm=round(since.heart_rate_bpm),
        )

    def _device_ms(self, second: float, diary: Diary) -> int | None:
        if not self._sends_time:
            return None
        whole_ms = int(second + TAKES_S) * 1000
        if self._clock_unset:
            return _DEFAULT_DATE_MS + whole_ms
        return diary.site.starts_ms + UTC_OFFSET_MS + whole_ms + self._clock_off_ms
