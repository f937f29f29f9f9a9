"""Measure a drawn county: who lives there, and what their bodies show without any episode."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median, stdev
from typing import Final

from kanhu.firmware_sim.bodies import Body
from kanhu.firmware_sim.population import Inhabitant
from kanhu.firmware_sim.ranges.figures import Figure, Living
from kanhu.firmware_sim.scenario.model import Condition, Resident

_DAY_S = 86_400.0
_HOUR_S = 3600.0
_MEASURES_AT_H = (6.5, 6.53, 19.0, 19.03)  # morning and evening, each twice
_ASLEEP_H = (0.2, 1.2, 2.2, 3.2, 4.2)
_AWAKE_H = (8.2, 10.2, 11.2, 15.2, 16.2, 17.2)
_MISSED_DOSES = 0.05

SOURCES: Final = {
    "census": "China's seventh census, 2020, people of 65 and over; as commonly cited, not checked",
    "hypertension": "Song 2019, PeerJ 7:e8015, and Hu 2022, Frontiers in Public Health 10:802195, villagers",
    "diabetes": "Wang 2017, JAMA 317:2515; share from 60 on as commonly cited, not checked",
    "copd": "China Pulmonary Health study, Wang 2018, Lancet 391:1706, from 40 on",
    "heart_failure": "Wang 2021, Circulation: Heart Failure 14:e008406, townspeople",
    "dip": "Hinderliter 2013, Journal of the American Society of Hypertension 7:432",
    "pulse": "Ostchega 2011, National Health Statistics Reports 41; Stessman 2013",
    "kato": "Kato 2010, Ohasama",
    "home": "project choice around Kato 2010, Ohasama",
    "elders": "project choice around Rodríguez-Molinero 2013",
    "oxygen": "project choice around BTS guideline 2017",
    "warmth": "Geneva 2019, Open Forum Infectious Diseases 6:ofz032",
    "sugar": "data of Zhao 2023, Scientific Data 10:35",
    "fasting": "American Diabetes Association: normal below 5.6",
    "choice": "project choice",
}


@dataclass(slots=True)
class _Group:
    """What was measured of some people."""

    heart_rate_bpm: list[float] = field(default_factory=list)
    systolic_mmhg: list[float] = field(default_factory=list)
    diastolic_mmhg: list[float] = field(default_factory=list)
    systolic_days_mmhg: list[float] = field(default_factory=list)
    diastolic_days_mmhg: list[float] = field(default_factory=list)
    dip_percent: list[float] = field(default_factory=list)
    spo2_percent: list[float] = field(default_factory=list)
    respiration_per_min: list[float] = field(default_factory=list)
    temperature_celsius: list[float] = field(default_factory=list)
    fasting_mmol_l: list[float] = field(default_factory=list)
    meal_mmol_l: list[float] = field(default_factory=list)
    night_h: list[float] = field(default_factory=list)
    person_days: int = 0
    pressure_beyond: int = 0
    """Person-days with a moment of measurement at or above 180/110."""
    low_beyond: int = 0
    """With a systolic pressure at or below 90."""
    saturation_beyond: int = 0
    """With one at or below 92."""
    pulse_beyond: int = 0
    """With one at or above 131, or at or below 40."""


def measure(
    people: Sequence[Inhabitant],
    *,
    seed: str,
    days: int,
    build: Callable[[Resident], Living] | None = None,
) -> tuple[Figure, ...]:
    """All figures, of at least a week and of people of every kind; `build` makes another body than the usual."""
    groups = {name: _Group() for name in ("all", "men", "women", "plain", "treated", "lung", "sweet", "lean", "clear")}
    for person in people:
        living = build(person.resident) if build else _usual(person.resident, seed=seed, days=days)
        treated = person.has(Condition.HYPERTENSION)
        lung, sweet = person.has(Condition.COPD), person.has(Condition.DIABETES)
        of = ["all", "men" if person.resident.sex == "m" else "women", "treated" if treated else "plain"]
        of += ["lung" if lung else "clear", "sweet" if sweet else "lean"]
        _watch(living, days, [groups[name] for name in of])
    return (*_who(people), *_pressure(groups), *_breath(groups), *_rest(groups), *_chance(groups))


def _usual(resident: Resident, *, seed: str, days: int) -> Living:
    draw = random.Random(f"{seed}/ranges/{resident.id}")
    missed = frozenset(day for day in range(days) if draw.random() < _MISSED_DOSES)
    return Body(resident, seed=seed, missed_doses=missed)


def _watch(living: Living, days: int, groups: Sequence[_Group]) -> None:
    """Measure one person as they would, and sample day and night around it."""
    mornings: list[tuple[float, float]] = []
    asleep: list[float] = []
    awake: list[float] = []
    for day in range(days):
        start_s = day * _DAY_S
        plan = living.plan(day)
        states = [living.seated(start_s + hour * _HOUR_S) for hour in _MEASURES_AT_H]
        mornings.append((states[0].systolic_mmhg, states[0].diastolic_mmhg))
        if day % 7 == 2:  # an ordinary day a week is enough for what changes within a day
            asleep += [living.at(start_s + hour * _HOUR_S).systolic_mmhg for hour in _ASLEEP_H]
            awake += [living.at(start_s + hour * _HOUR_S).systolic_mmhg for hour in _AWAKE_H]
        fasting = living.at(start_s + plan.meals_s[0] - 60).glucose_mmol_l
        fed = living.at(start_s + plan.meals_s[2] + 3000).glucose_mmol_l
        pressure = any(round(s.systolic_mmhg) >= 180 or round(s.diastolic_mmhg) >= 110 for s in states)
        low = any(round(s.systolic_mmhg) <= 90 for s in states)
        saturation = any(round(s.spo2_percent) <= 92 for s in states)
        pulse = any(round(s.heart_rate_bpm) >= 131 or round(s.heart_rate_bpm) <= 40 for s in states)
        for group in groups:
            group.heart_rate_bpm += [s.heart_rate_bpm for s in states]
            group.spo2_percent += [s.spo2_percent for s in states]
            group.respiration_per_min += [s.respiration_per_min for s in states]
            group.temperature_celsius += [s.temperature_celsius for s in states]
            group.fasting_mmol_l.append(fasting)
            group.meal_mmol_l.append(fed - fasting)
            group.night_h.append((_DAY_S - plan.to_bed_s + plan.wakes_s) / _HOUR_S)
            group.person_days += 1
            group.pressure_beyond += pressure
            group.low_beyond += low
            group.saturation_beyond += saturation
            group.pulse_beyond += pulse
    for group in groups:
        group.systolic_mmhg.append(fmean(systolic for systolic, _ in mornings))
        group.diastolic_mmhg.append(fmean(diastolic for _, diastolic in mornings))
        group.systolic_days_mmhg.append(stdev([systolic for systolic, _ in mornings]))
        group.diastolic_days_mmhg.append(stdev([diastolic for _, diastolic in mornings]))
        group.dip_percent.append(100 * (1 - fmean(asleep) / fmean(awake)))


def _who(people: Sequence[Inhabitant]) -> list[Figure]:
    ages = [person.resident.age_years for person in people]
    found = [
        _figure("age, median", "years", ages, published=(70.0, 75.0), source="census", middle=median),
        _share("65 to 95 years old", [65 <= age <= 95 for age in ages], published=(90.0, 100.0), source="choice"),
        _share("women", [p.resident.sex == "f" for p in people], published=(50.0, 55.0), source="census"),
    ]
    shares = {
        Condition.HYPERTENSION: (44.0, 48.0),
        Condition.DIABETES: (18.0, 20.0),
        Condition.COPD: (11.0, 15.0),
        Condition.HEART_FAILURE: (4.0, 5.0),
    }
    for condition, published in shares.items():
        having = [person.has(condition) for person in people]
        found.append(_share(condition.value.replace("_", " "), having, published=published, source=condition.value))
    return found


def _pressure(groups: dict[str, _Group]) -> list[Figure]:
    everybody, plain, treated = groups["all"], groups["plain"], groups["treated"]
    return [
        _figure("systolic, no hypertension", "mmHg", plain.systolic_mmhg, published=(115.0, 132.0), source="home"),
        _figure("systolic, hypertension", "mmHg", treated.systolic_mmhg, published=(130.0, 145.0), source="home"),
        _figure("diastolic", "mmHg", everybody.diastolic_mmhg, published=(70.0, 82.0), source="kato"),
        _figure("systolic, day to day", "mmHg SD", everybody.systolic_days_mmhg, published=(7.5, 10.0), source="kato"),
        _figure("diastolic, day to day", "mmHg SD", everybody.diastolic_days_mmhg, published=(4.5, 7.0), source="kato"),
        _figure("night dip of systolic", "%", everybody.dip_percent, published=(10.0, 20.0), source="dip"),
    ]


def _breath(groups: dict[str, _Group]) -> list[Figure]:
    clear, lung, everybody = groups["clear"], groups["lung"], groups["all"]
    breath = everybody.respiration_per_min
    return [
        _figure("saturation, healthy lungs", "%", clear.spo2_percent, published=(95.0, 98.0), source="oxygen"),
        _figure(
            "the same, lowest 2.5 %", "%", clear.spo2_percent, published=(91.0, 96.0), source="elders", middle=_low
        ),
        _figure("saturation, lung disease", "%", lung.spo2_percent, published=(89.0, 95.0), source="choice"),
        _figure("respiration", "a minute", breath, published=(15.0, 20.0), source="elders"),
        _figure("respiration, lowest 2.5 %", "a minute", breath, published=(12.0, 16.0), source="elders", middle=_low),
        _figure(
            "respiration, highest 2.5 %", "a minute", breath, published=(20.0, 28.0), source="elders", middle=_high
        ),
    ]


def _rest(groups: dict[str, _Group]) -> list[Figure]:
    everybody, sweet, lean = groups["all"], groups["sweet"], groups["lean"]
    men, women = groups["men"].heart_rate_bpm, groups["women"].heart_rate_bpm
    more = fmean(women) - fmean(men)
    return [
        _figure("pulse at rest, men", "a minute", men, published=(66.0, 74.0), source="pulse"),
        _figure("pulse at rest, women", "a minute", women, published=(69.0, 77.0), source="pulse"),
        _figure("pulse, women above men", "a minute", [more], published=(1.0, 5.0), source="pulse"),
        _figure("temperature", "°C", everybody.temperature_celsius, published=(36.1, 36.6), source="warmth"),
        _figure("fasting glucose, no diabetes", "mmol/l", lean.fasting_mmol_l, published=(4.6, 5.6), source="fasting"),
        _figure("fasting glucose, diabetes", "mmol/l", sweet.fasting_mmol_l, published=(5.5, 7.8), source="sugar"),
        _figure("rise after supper, diabetes", "mmol/l", sweet.meal_mmol_l, published=(2.7, 4.7), source="sugar"),
        _figure("hours in bed at night", "h", everybody.night_h, published=(7.5, 9.5), source="choice"),
    ]


def _chance(groups: dict[str, _Group]) -> list[Figure]:
    """True values beyond usual limits with nothing behind them, in 2,000 person-days."""
    treated, plain, clear, everybody = groups["treated"], groups["plain"], groups["clear"], groups["all"]
    return [
        _rate("180/110 by chance, hypertension", treated.pressure_beyond, treated.person_days, published=(0.2, 3.0)),
        _rate("180/110 by chance, no hypertension", plain.pressure_beyond, plain.person_days, published=(0.0, 0.1)),
        _rate("systolic 90 by chance", everybody.low_beyond, everybody.person_days, published=(0.0, 0.1)),
        _rate("92 % by chance, healthy lungs", clear.saturation_beyond, clear.person_days, published=(0.0, 0.1)),
        _rate("pulse 40 or 131 by chance", everybody.pulse_beyond, everybody.person_days, published=(0.0, 0.1)),
    ]


def _figure(
    name: str,
    unit: str,
    values: Sequence[float],
    *,
    published: tuple[float, float],
    source: str,
    middle: Callable[[Sequence[float]], float] = fmean,
) -> Figure:
    return Figure(
        name=name,
        unit=unit,
        value=middle(values),
        spread=(_low(values), _high(values)),
        published=published,
        source=SOURCES[source],
    )


def _share(name: str, having: Sequence[bool], *, published: tuple[float, float], source: str) -> Figure:
    share = fmean(having)
    return Figure(
        name=name,
        unit="% of people",
        value=100 * share,
        spread=(100 * share, 100 * share),
        published=published,
        source=SOURCES[source],
        slack=200 * math.sqrt(share * (1 - share) / len(having)),
    )


def _rate(name: str, count: int, person_days: int, *, published: tuple[float, float]) -> Figure:
    rate = 2000 * count / max(1, person_days)
    return Figure(
        name=name,
        unit="in 2,000 person-days",
        value=rate,
        spread=(rate, rate),
        published=published,
        source=SOURCES["choice"],
    )


def _low(values: Sequence[float]) -> float:
    return sorted(values)[int(0.025 * len(values))]


def _high(values: Sequence[float]) -> float:
    return sorted(values)[int(0.975 * len(values))]
