"""Villages of about twenty-five people: households, conditions, devices, habits; drawn from the seed and the number."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from kanhu.firmware_sim.homes import DwellingKind
from kanhu.firmware_sim.population import rates
from kanhu.firmware_sim.population.names import person_name, surname, village_name
from kanhu.firmware_sim.scenario.model import Condition, Resident

_Row = TypeVar("_Row")

PEOPLE_A_VILLAGE = 25
VILLAGES_A_TOWNSHIP = 8


class Instrument(StrEnum):
    """What a person may own."""

    CUFF = "cuff"
    OXIMETER = "oximeter"
    STRAP = "strap"
    METER = "meter"
    SCALES = "scales"
    THERMOMETER = "thermometer"
    BUTTON = "button"


class Diligence(StrEnum):
    """How reliably somebody measures."""

    DILIGENT = "diligent"
    ORDINARY = "ordinary"
    CARELESS = "careless"


class Household(StrEnum):
    """Who lives together."""

    ALONE = "alone"
    COUPLE = "couple"
    FAMILY = "family"


# Shares of owners, by condition; who has none of the conditions counts as None. Project choice: whoever is followed up
# for a condition has been given the device for it, and few others have.
_OWNERS: dict[Instrument, dict[Condition | None, float]] = {
    Instrument.CUFF: {Condition.HYPERTENSION: 0.85, Condition.HEART_FAILURE: 0.85, None: 0.15},
    Instrument.OXIMETER: {Condition.COPD: 0.9, Condition.HEART_FAILURE: 0.9, None: 0.16},
    Instrument.STRAP: {None: 0.085},
    Instrument.METER: {Condition.DIABETES: 0.8, None: 0.0},
    Instrument.SCALES: {Condition.HEART_FAILURE: 0.95, None: 0.1},
    Instrument.THERMOMETER: {None: 0.25},
    Instrument.BUTTON: {None: 0.25},
}
_BUTTON_FROM_80 = 0.6
# Project choice.
_DILIGENCE = ((Diligence.DILIGENT, 0.3), (Diligence.ORDINARY, 0.5), (Diligence.CARELESS, 0.2))


@dataclass(frozen=True, slots=True)
class Inhabitant:
    """One enrolled person."""

    resident: Resident
    """What the body is built from; its id is the pseudonym."""
    name: tuple[str, str]
    """In characters, and in Latin letters."""
    tags: tuple[str, ...]
    owns: frozenset[Instrument]
    diligence: Diligence
    fibrillates: bool
    """Lives with fibrillation; it may come and go."""

    @property
    def id(self) -> str:
        """The pseudonym."""
        return self.resident.id

    def device(self, instrument: Instrument) -> str:
        """Id of a device of this person."""
        return f"{instrument.value}-{self.resident.id}"

    def has(self, condition: Condition) -> bool:
        """Whether this person lives with the condition."""
        return condition in self.resident.conditions


@dataclass(frozen=True, slots=True)
class Home:
    """One home with its gateway."""

    gateway: str
    household: Household
    dwelling: DwellingKind
    people: tuple[Inhabitant, ...]

    @property
    def has_sensors(self) -> bool:
        """Motion and doors are watched where somebody lives alone."""
        return self.household is Household.ALONE


@dataclass(frozen=True, slots=True)
class Village:
    """One village with a clinic, whose devices everybody may use."""

    id: str
    number: int
    """Counted from 1."""
    name: tuple[str, str]
    clinic: str
    doctor: tuple[str, str]
    homes: tuple[Home, ...]

    @property
    def people(self) -> list[Inhabitant]:
        """Everybody enrolled."""
        return [person for home in self.homes for person in home.people]

    @property
    def gateways(self) -> list[str]:
        """Of all homes and the clinic."""
        return [*(home.gateway for home in self.homes), self.clinic]


def village_sizes(people: int) -> list[int]:
    """How many people live in each village of a county of so many."""
    villages = max(1, round(people / PEOPLE_A_VILLAGE))
    return [people * (number + 1) // villages - people * number // villages for number in range(villages)]


def draw_village(number: int, *, people: int, seed: str) -> Village:
    """The village with this number, counted from 1; always the same for a seed."""
    village = f"v{number:03d}"
    draw = random.Random(f"{seed}/population/{village}")
    homes: list[Home] = []
    enrolled = 0
    while enrolled < people:
        household = Household(_weighted(draw, rates.HOUSEHOLDS))
        if household is Household.COUPLE and people - enrolled < 2:
            household = Household.FAMILY
        family = surname(draw)
        sexes = ("m", "f") if household is Household.COUPLE else ("f" if draw.random() < rates.WOMEN_SHARE else "m",)
        ages = _ages(draw, len(sexes))
        members = tuple(
            _person(draw, f"{village}-r{enrolled + turn:02d}", sex=sex, age=age, household=household, family=family)
            for turn, (sex, age) in enumerate(zip(sexes, ages, strict=True), 1)
        )
        enrolled += len(members)
        dwelling = draw.choice(tuple(DwellingKind))
        homes.append(Home(f"{village}-h{len(homes) + 1:02d}", household, dwelling, members))
    return Village(
        id=village,
        number=number,
        name=village_name(number),
        clinic=f"{village}-clinic",
        doctor=person_name(draw, draw.choice("fm")),
        homes=tuple(homes),
    )


def _ages(draw: random.Random, count: int) -> list[int]:
    first = _age(draw)
    if count == 1:
        return [first]
    return [first, min(rates.OLDEST_YEARS, max(rates.YOUNGEST_YEARS, first - round(draw.gauss(2, 3))))]


def _age(draw: random.Random) -> int:
    if draw.random() < rates.YOUNGER_SHARE:
        return draw.randrange(rates.YOUNGEST_YEARS, 65)
    lowest = _weighted(draw, rates.AGES)
    return draw.randrange(lowest, min(lowest + 5, rates.OLDEST_YEARS))


def _person(
    draw: random.Random, name: str, *, sex: str, age: int, household: Household, family: tuple[str, str]
) -> Inhabitant:
    conditions = tuple(condition for condition, share in rates.PREVALENCE.items() if draw.random() < share)
    fibrillates = draw.random() < rates.FIBRILLATION_SHARE
    owns = {instrument for instrument in Instrument if draw.random() < _share(instrument, conditions)}
    if household is Household.ALONE or (age >= 80 and draw.random() < _BUTTON_FROM_80):
        owns.add(Instrument.BUTTON)
    if fibrillates:  # the strap is how it was found, and how it is followed
        owns.add(Instrument.STRAP)
    tags = [condition.value for condition in conditions]
    if household is Household.ALONE:
        tags.append("lives_alone")
    further = (("high_risk", rates.HIGH_RISK_SHARE), ("disabled", rates.DISABLED_SHARE))
    for tag, share in (*further, ("discharged", rates.DISCHARGED_SHARE)):
        if draw.random() < share:
            tags.append(tag)
    return Inhabitant(
        resident=Resident(id=name, age_years=age, sex="f" if sex == "f" else "m", conditions=conditions),
        name=person_name(draw, sex, surname=family if sex == "m" else None),
        tags=tuple(tags),
        owns=frozenset(owns),
        diligence=_weighted(draw, _DILIGENCE),
        fibrillates=fibrillates,
    )


def _share(instrument: Instrument, conditions: tuple[Condition, ...]) -> float:
    shares = _OWNERS[instrument]
    return max(shares.get(None, 0.0), *(shares.get(condition, 0.0) for condition in conditions), 0.0)


def _weighted(draw: random.Random, table: Sequence[tuple[_Row, float]]) -> _Row:
    return draw.choices([row for row, _ in table], [share for _, share in table])[0]
