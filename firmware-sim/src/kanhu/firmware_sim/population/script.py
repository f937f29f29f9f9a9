"""What befalls whom and when: episodes drawn by rate, kept apart in time, and days on which no medicine was taken."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from kanhu.firmware_sim.bodies import Episode
from kanhu.firmware_sim.population import rates
from kanhu.firmware_sim.population.people import Diligence, Household, Inhabitant, Instrument
from kanhu.firmware_sim.population.rates import Befalls
from kanhu.firmware_sim.scenario.model import Condition
from kanhu.firmware_sim.truth import HappeningKind

_DAY_S, _HOUR_S = 86_400.0, 3600.0
_APART_S = 12 * _HOUR_S
"""Between two episodes of one person, so that one is over before the next; project choice."""
_USUAL_KNOWN_DAYS = 18
"""Slow changes begin once a person's usual can be known; in a shorter recording, after three fifths of it."""
_PAROXYSM_EVERY_DAYS = 20
_TRIES = 30

# Awake and measuring; seconds of the day. Project choice.
_BY_DAY = (7.0 * _HOUR_S, 20.5 * _HOUR_S)
_SLOW = frozenset({HappeningKind.INFECTION, HappeningKind.WEIGHT_GAIN, HappeningKind.FIBRILLATION})
_NIGHT_SHARE = {HappeningKind.DESATURATION: 0.15, HappeningKind.FALL: 0.25, HappeningKind.CALL: 0.15}

_MISSED_DOSE_SHARE = {Diligence.DILIGENT: 0.02, Diligence.ORDINARY: 0.08, Diligence.CARELESS: 0.2}
"""Of days; project choice."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What is scripted for one person."""

    episodes: tuple[Episode, ...]
    """In order of onset."""
    missed_doses: frozenset[int]
    """Days, counted from 0."""

    @property
    def of_the_body(self) -> tuple[Episode, ...]:
        """Those that move vital signs."""
        return tuple(episode for episode in self.episodes if episode.kind is not HappeningKind.CALL)


def draw_fate(
    person: Inhabitant, household: Household, *, seed: str, days: int, dark: Sequence[tuple[float, float]] = ()
) -> Fate:
    """Fate of one person; nothing short begins or ends in `dark`, stretches in seconds in which nothing can be read.

    What nobody could have seen would say nothing about who watches.
    """
    draw = random.Random(f"{seed}/fate/{person.id}")
    episodes: list[Episode] = []
    if person.fibrillates and draw.random() < rates.FIBRILLATION_PERSISTENT_SHARE:
        episodes.append(Episode(HappeningKind.FIBRILLATION, 0.0, days * _DAY_S))
    persistent = bool(episodes)
    for befalls in _possible(person, household):
        if persistent and befalls.kind is HappeningKind.FIBRILLATION:
            continue
        for _ in range(min(_poisson(draw, befalls.a_month * days / 30), _most(befalls.kind, days))):
            episode = _place(draw, befalls, days=days, taken=episodes[persistent:], dark=dark)
            if episode is not None:
                episodes.append(episode)
                if befalls is rates.FALL_ALONE and draw.random() < rates.LONG_LIE_SHARE:
                    episodes[-1] = _lie(draw, episode, days)
    share = _MISSED_DOSE_SHARE[person.diligence]
    missed = frozenset(day for day in range(days) if draw.random() < share)
    return Fate(tuple(sorted(episodes, key=lambda episode: (episode.onset_s, episode.kind))), missed)


def _possible(person: Inhabitant, household: Household) -> list[Befalls]:
    """What can befall this person, by what would be there to see it."""
    owns = person.owns
    lung = person.has(Condition.COPD) or person.has(Condition.HEART_FAILURE)
    found: list[Befalls] = []
    if Instrument.OXIMETER in owns:
        found.append(rates.DESATURATION_LUNG if lung else rates.DESATURATION)
    if Instrument.CUFF in owns and person.has(Condition.HYPERTENSION):
        found.append(rates.HYPERTENSIVE)
    if Instrument.STRAP in owns and not person.fibrillates:
        found += [rates.FAST_HEART, rates.SLOW_HEART]
    if Instrument.METER in owns:
        found.append(rates.HYPOGLYCAEMIA)
    if household is Household.ALONE:
        found.append(rates.FALL_ALONE)
    elif Instrument.BUTTON in owns:
        found.append(rates.FALL)
    if {Instrument.CUFF, Instrument.OXIMETER} <= owns:
        found.append(rates.INFECTION_WATCHED)
    elif owns & {Instrument.CUFF, Instrument.OXIMETER}:
        found.append(rates.INFECTION)
    if person.has(Condition.HEART_FAILURE) and Instrument.SCALES in owns:
        found.append(rates.WEIGHT_GAIN)
    if person.fibrillates:
        found.append(rates.PAROXYSM)
    if Instrument.BUTTON in owns:
        found.append(rates.CALL)
    return found


def _most(kind: HappeningKind, days: int) -> int:
    """Paroxysms come so seldom that each is a finding of its own."""
    return max(1, days // _PAROXYSM_EVERY_DAYS) if kind is HappeningKind.FIBRILLATION else days


def _place(
    draw: random.Random,
    befalls: Befalls,
    *,
    days: int,
    taken: Sequence[Episode],
    dark: Sequence[tuple[float, float]],
) -> Episode | None:
    """Where it fits; None where the recording is too short or too full."""
    for _ in range(_TRIES):
        lasts_s = draw.uniform(*befalls.lasts_s)
        onset_s = _onset_s(draw, befalls.kind, lasts_s, days)
        severity = 2.0 if draw.random() < befalls.grave_share else befalls.typical
        if onset_s is None:
            continue
        apart = all(
            onset_s > other.onset_s + other.lasts_s + _APART_S or onset_s + lasts_s + _APART_S < other.onset_s
            for other in taken
        )
        short = befalls.kind not in _SLOW
        seen = not short or all(onset_s + lasts_s < from_s or onset_s > to_s for from_s, to_s in dark)
        if apart and seen:
            return Episode(befalls.kind, round(onset_s, 3), round(lasts_s, 3), severity)
    return None


def _onset_s(draw: random.Random, kind: HappeningKind, lasts_s: float, days: int) -> float | None:
    if kind in _SLOW:
        earliest = 0.0 if kind is HappeningKind.FIBRILLATION else min(_USUAL_KNOWN_DAYS, 0.6 * days) * _DAY_S
        latest = days * _DAY_S - lasts_s
        return draw.uniform(earliest, latest) if latest > earliest else None
    day = draw.randrange(days)
    onset_s = day * _DAY_S + draw.uniform(*_BY_DAY)
    if draw.random() < _NIGHT_SHARE.get(kind, 0.0):
        onset_s = day * _DAY_S + draw.uniform(0, 5 * _HOUR_S)
    return onset_s if onset_s + lasts_s < days * _DAY_S else None


def _lie(draw: random.Random, fall: Episode, days: int) -> Episode:
    """Nobody comes, and no button is in reach: a fall and what follows are one happening."""
    lasts_s = min(draw.uniform(*rates.LONG_LIE_S), days * _DAY_S - fall.onset_s - 1.0)
    return Episode(HappeningKind.LONG_LIE, fall.onset_s, round(lasts_s, 3))


def _poisson(draw: random.Random, mean: float) -> int:
    limit, count, product = math.exp(-mean), 0, draw.random()
    while product > limit:
        count += 1
        product *= draw.random()
    return count
