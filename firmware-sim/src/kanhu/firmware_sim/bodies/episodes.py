"""What befalls a person for a while, and how it moves the vital signs.

An episode comes on over its kind's `comes_s`, stays, and goes over `goes_s`, all within its `lasts_s`; between those
two the value of the table is reached (a target), or added (a shift). Minutes go on wandering around it.

| kind | at severity 1 | each further 1 | source |
|---|---|---|---|
| desaturation | saturation 88.5, or 7 below a low usual one | 5.5 lower | below 94 to 98: BTS 2017 |
| hypertensive episode | 194/114 | 22/6 higher | from 180/110: ESC/ESH 2018, grade 3 |
| fast heart | 144 a minute at rest | 16 more | from 131: NEWS2 2017 |
| slow heart | 36 a minute | 3 fewer | to 40: NEWS2 2017 |
| hypoglycaemia | 3.4 mmol/l, pulse 12 more | 0.8 lower | below 3.9 and 3.0: Battelino 2019, level 1 and 2 |
| fibrillation | pulse 18 more: some 90, as in the record that is replayed | 10 more | project choice |
| infection | 2.0 °C, 17 beats, 5 breaths more, saturation 2 less | half of that | Karjalainen 1986, Jensen 2019 |
| weight gain | 0.9 kg a day while it lasts, gone 3 days later | 0.4 kg more | above 2 kg in 3 days: ESC's advice |
| fall | lies still, pulse 15 more | | project choice |
| long lie | lies still, 0.35 °C an hour colder up to 1.5, pulse 12 more | half of that | from 1 h: Fleming 2008 |

The other kinds of happening leave the body as it is.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from kanhu.firmware_sim.truth import HappeningKind

_MINUTE_S = 60.0
_HOUR_S = 3600.0
_DAY_S = 86_400.0
_EDGE_SHARE = 0.25  # a short episode is still half of the time at its full
_WATER_GOES_S = 3 * _DAY_S

STILL: Final = frozenset({HappeningKind.FALL, HappeningKind.LONG_LIE})
"""In these nobody moves about."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One stretch of time in which something is so; seconds from Monday 00:00 local of the start."""

    kind: HappeningKind
    onset_s: float
    lasts_s: float
    severity: float = 1.0
    """1 is typical, 2 is grave."""

    @property
    def end_s(self) -> float:
        """When it is over."""
        return self.onset_s + self.lasts_s


class Sign(IntEnum):
    """Places in the list of values an episode moves."""

    HEART_RATE = 0
    SYSTOLIC = 1
    DIASTOLIC = 2
    SPO2 = 3
    RESPIRATION = 4
    TEMPERATURE = 5
    GLUCOSE = 6
    WEIGHT = 7


@dataclass(frozen=True, slots=True)
class _Effect:
    """What a kind does at severity 1 (first number) and each further 1 (second)."""

    comes_s: float
    goes_s: float
    target: dict[Sign, tuple[float, float]]
    shift: dict[Sign, tuple[float, float]]
    activity: float = 1.0
    """What is left of it."""


_EFFECTS: dict[HappeningKind, _Effect] = {
    HappeningKind.DESATURATION: _Effect(
        comes_s=3 * _MINUTE_S,
        goes_s=10 * _MINUTE_S,
        target={Sign.SPO2: (88.5, -5.5)},
        shift={Sign.HEART_RATE: (10.0, 8.0), Sign.RESPIRATION: (6.0, 3.0)},
        activity=0.3,
    ),
    HappeningKind.HYPERTENSIVE: _Effect(
        comes_s=15 * _MINUTE_S,
        goes_s=30 * _MINUTE_S,
        target={Sign.SYSTOLIC: (194.0, 22.0), Sign.DIASTOLIC: (114.0, 6.0)},
        shift={Sign.HEART_RATE: (8.0, 4.0)},
        activity=0.5,
    ),
    HappeningKind.FAST_HEART: _Effect(
        comes_s=_MINUTE_S,
        goes_s=_MINUTE_S,
        target={Sign.HEART_RATE: (144.0, 16.0)},
        shift={Sign.SYSTOLIC: (-8.0, -8.0), Sign.RESPIRATION: (3.0, 2.0)},
        activity=0.2,
    ),
    HappeningKind.SLOW_HEART: _Effect(
        comes_s=2 * _MINUTE_S,
        goes_s=2 * _MINUTE_S,
        target={Sign.HEART_RATE: (36.0, -3.0)},
        shift={Sign.SYSTOLIC: (-10.0, -8.0)},
        activity=0.2,
    ),
    HappeningKind.HYPOGLYCAEMIA: _Effect(
        comes_s=20 * _MINUTE_S,
        goes_s=15 * _MINUTE_S,
        target={Sign.GLUCOSE: (3.4, -0.8)},
        shift={Sign.HEART_RATE: (12.0, 6.0)},
        activity=0.3,
    ),
    HappeningKind.FIBRILLATION: _Effect(
        comes_s=_MINUTE_S,
        goes_s=_MINUTE_S,
        target={},
        shift={Sign.HEART_RATE: (18.0, 10.0)},
        activity=0.8,
    ),
    HappeningKind.INFECTION: _Effect(
        comes_s=18 * _HOUR_S,
        goes_s=36 * _HOUR_S,
        target={},
        shift={
            Sign.HEART_RATE: (17.0, 8.5),
            Sign.SYSTOLIC: (-6.0, -6.0),
            Sign.DIASTOLIC: (-3.0, -3.0),
            Sign.SPO2: (-2.0, -1.0),
            Sign.RESPIRATION: (5.0, 2.5),
            Sign.TEMPERATURE: (2.0, 1.0),
        },
        activity=0.4,
    ),
    HappeningKind.WEIGHT_GAIN: _Effect(
        comes_s=36 * _HOUR_S,
        goes_s=24 * _HOUR_S,
        target={},
        shift={Sign.HEART_RATE: (5.0, 3.0), Sign.SPO2: (-1.0, -1.0), Sign.RESPIRATION: (2.0, 1.0)},
        activity=0.7,
    ),
    HappeningKind.FALL: _Effect(
        comes_s=5.0, goes_s=30.0, target={}, shift={Sign.HEART_RATE: (15.0, 5.0)}, activity=0.0
    ),
    HappeningKind.LONG_LIE: _Effect(
        comes_s=5.0,
        goes_s=10 * _MINUTE_S,
        target={},
        shift={Sign.HEART_RATE: (12.0, 6.0), Sign.RESPIRATION: (2.0, 1.0)},
        activity=0.0,
    ),
}
_LOWEST_FALL_POINTS = 7.0  # of saturation, for those whose usual one is low
_GAIN_KG_A_DAY = (0.9, 0.4)
_COLD_CELSIUS_A_S = 0.35 / _HOUR_S
_COLD_AT_MOST_CELSIUS = 1.5


class Course:
    """One episode in one body: how far it has come, and what it does to the values."""

    def __init__(self, episode: Episode, *, usual_spo2_percent: float) -> None:
        """Settle the numbers once."""
        effect = _EFFECTS[episode.kind]
        further = episode.severity - 1
        self.episode = episode
        self.activity = effect.activity
        self.comes_s = min(effect.comes_s, episode.lasts_s * _EDGE_SHARE)
        self.goes_s = min(effect.goes_s, episode.lasts_s * _EDGE_SHARE)
        self._targets = [(int(sign), first + each * further) for sign, (first, each) in effect.target.items()]
        self._shifts = [(int(sign), first + each * further) for sign, (first, each) in effect.shift.items()]
        if episode.kind is HappeningKind.DESATURATION:
            highest = min(88.5, usual_spo2_percent - _LOWEST_FALL_POINTS)
            self._targets = [(int(Sign.SPO2), highest - 5.5 * further)]
        self._gain_kg_a_s = 0.0
        self._grows_colder = 1 + 0.5 * further if episode.kind is HappeningKind.LONG_LIE else 0.0
        self.felt_until_s = episode.end_s
        if episode.kind is HappeningKind.WEIGHT_GAIN:
            self._gain_kg_a_s = (_GAIN_KG_A_DAY[0] + _GAIN_KG_A_DAY[1] * further) / _DAY_S
            self.felt_until_s += _WATER_GOES_S

    def strength(self, second: float) -> float:
        """From 0 (not there) to 1 (at its full)."""
        since_s, left_s = second - self.episode.onset_s, self.episode.end_s - second
        if since_s <= 0 or left_s <= 0:
            return 0.0
        return min(1.0, since_s / self.comes_s, left_s / self.goes_s)

    def move(self, values: list[float], usual_minutes: list[float], second: float) -> None:
        """Change `values`, by `Sign`; `usual_minutes` is the wandering that stays whatever happens."""
        strength = self.strength(second)
        for sign, target in self._targets:
            values[sign] += strength * (target + usual_minutes[sign] - values[sign])
        for sign, shift in self._shifts:
            values[sign] += strength * shift
        if self._gain_kg_a_s:
            values[Sign.WEIGHT] += self._gain_kg(second)
        if self._grows_colder:
            cold = min(_COLD_AT_MOST_CELSIUS, _COLD_CELSIUS_A_S * max(0.0, second - self.episode.onset_s))
            values[Sign.TEMPERATURE] -= self._grows_colder * cold * strength

    def _gain_kg(self, second: float) -> float:
        since_s = second - self.episode.onset_s
        if since_s <= 0:
            return 0.0
        left = max(0.0, 1 - max(0.0, second - self.episode.end_s) / _WATER_GOES_S)
        return self._gain_kg_a_s * min(since_s, self.episode.lasts_s) * left


def full(episode: Episode) -> tuple[float, float]:
    """From when to when the episode is at its full."""
    if episode.kind not in _EFFECTS:
        return episode.onset_s, episode.end_s
    course = Course(episode, usual_spo2_percent=97.0)
    return episode.onset_s + course.comes_s, episode.end_s - course.goes_s


def courses(episodes: tuple[Episode, ...], *, usual_spo2_percent: float) -> tuple[Course, ...]:
    """Those that move anything, by onset."""
    acting = sorted((one for one in episodes if one.kind in _EFFECTS), key=lambda one: (one.onset_s, one.kind))
    return tuple(Course(episode, usual_spo2_percent=usual_spo2_percent) for episode in acting)
