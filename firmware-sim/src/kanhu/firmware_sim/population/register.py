"""The county's register as a site file: places, gateways, residents, and whom to call for them."""

import json
import random
from collections.abc import Iterator, Sequence

from kanhu.firmware_sim.population.names import person_name
from kanhu.firmware_sim.population.people import VILLAGES_A_TOWNSHIP, Home, Household, Inhabitant, Village

_FIRST_YEAR = 2026  # ages are as of the start of the recording
_TOWNSHIPS = "甲乙丙丁戊己庚辛壬癸"
_HEADER = "# An invented county: all places, people, addresses and telephone numbers are made up.\n"
_KIN = {"f": (("女儿", "Daughter"), ("孙女", "Granddaughter")), "m": (("儿子", "Son"), ("孙子", "Grandson"))}


def register_toml(villages: Sequence[Village], *, seed: str) -> str:
    """The whole site file."""
    return _HEADER + "".join(f"\n{row}" for row in _rows(villages, seed))


def township_of(village: Village) -> str:
    """Id of the township a village belongs to."""
    return f"t{(village.number - 1) // VILLAGES_A_TOWNSHIP + 1:02d}"


def _rows(villages: Sequence[Village], seed: str) -> Iterator[str]:
    yield _table("place", id="county", kind="county", zh="云岭县", en="Yunling County")
    for township in sorted({township_of(village) for village in villages}):
        number = int(township[1:])
        sign = _TOWNSHIPS[(number - 1) % len(_TOWNSHIPS)]
        yield _table("place", id=township, parent="county", kind="township", zh=f"{sign}镇", en=f"Township {number}")
    for village in villages:
        name_zh, name_en = village.name
        yield _table("place", id=village.id, parent=township_of(village), kind="village", zh=name_zh, en=name_en)
    for village in villages:
        for home in village.homes:
            yield _table("gateway", id=home.gateway, kind="home", place=village.id)
        yield _table("gateway", id=village.clinic, kind="clinic", place=village.id)
    for village in villages:
        for house, home in enumerate(village.homes, 1):
            for person in home.people:
                yield from _person_rows(village, home, person, house=house, seed=seed)


def _person_rows(village: Village, home: Home, person: Inhabitant, *, house: int, seed: str) -> Iterator[str]:
    draw = random.Random(f"{seed}/contacts/{person.id}")
    yield _table(
        "resident",
        id=person.id,
        gateway=home.gateway,
        place=village.id,
        name=person.name[0],
        name_en=person.name[1],
        sex=person.resident.sex,
        birth_year=_FIRST_YEAR - person.resident.age_years,
        address=f"{village.name[0]} {house} 号",
        tags=list(person.tags),
    )
    number = int(person.id[-2:])
    phone = f"100-{village.number:04d}-{number:02d}"
    order = 1
    if home.household is Household.ALONE:
        neighbour, _ = person_name(draw, "f")
        yield _contact(person, order, neighbour, ("邻居", "Neighbour"), f"{phone}01")
        order += 1
    sex = draw.choice("fm")
    kin, _ = person_name(draw, sex)
    yield _contact(person, order, kin, draw.choice(_KIN[sex]), f"{phone}02")
    doctor = f"100-{village.number:04d}-9001"
    yield _contact(person, order + 1, village.doctor[0], ("村医", "Village doctor"), doctor)


def _contact(person: Inhabitant, order: int, name: str, relation: tuple[str, str], phone: str) -> str:
    return _table(
        "contact",
        resident=person.id,
        order=order,
        name=name,
        relation_zh=relation[0],
        relation_en=relation[1],
        phone=phone,
    )


def _table(name: str, /, **values: object) -> str:
    # JSON strings, numbers and arrays of strings are also TOML.
    rows = (f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
    return f"[[{name}]]\n" + "".join(rows)
