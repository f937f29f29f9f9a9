"""The register of a scenario's people, with invented names and places, as `kanhu-cloud site load` reads it."""

import json
from collections.abc import Iterator, Mapping

from kanhu.firmware_sim.scenario.model import Home, Resident, Scenario

__all__ = ["COUNTY_TIMEZONE", "site_of", "tags_of"]

COUNTY_TIMEZONE = "Asia/Shanghai"
_BORN_IN_YEAR = 2026  # the year all scenarios play in


def site_of(scenario: Scenario) -> str:
    """A site file with a county, a township, the villages, gateways and residents."""
    tables = [
        _table("place", {"id": "yunling", "kind": "county", "zh": "云岭县", "en": "Yunling County"}),
        _table(
            "place",
            {"id": "shiqiao", "parent": "yunling", "kind": "township", "zh": "石桥镇", "en": "Shiqiao Township"},
        ),
    ]
    for number, village in enumerate(dict.fromkeys(home.village for home in scenario.home), 1):
        place = {
            "id": village,
            "parent": "shiqiao",
            "kind": "village",
            "zh": f"第{number}村",
            "en": f"Village {number}",
        }
        tables.append(_table("place", place))
    for home in scenario.home:
        tables.append(_table("gateway", {"id": home.id, "kind": home.kind, "place": home.village}))
        tables += _people(home)
    return "\n".join(tables)


def tags_of(resident: Resident) -> tuple[str, ...]:
    """Conditions and further tags, each once."""
    return tuple(dict.fromkeys((*(condition.value for condition in resident.conditions), *resident.tags)))


def _people(home: Home) -> Iterator[str]:
    for resident in home.resident:
        row: dict[str, object] = {
            "id": resident.id,
            "gateway": home.id,
            "place": home.village,
            "name": f"住户 {resident.id}",
            "name_en": f"Resident {resident.id}",
            "sex": resident.sex,
            "birth_year": _BORN_IN_YEAR - resident.age_years,
            "tags": list(tags_of(resident)),
        }
        yield _table("resident", row)


def _table(name: str, values: Mapping[str, object]) -> str:
    # JSON strings, numbers and arrays of strings are also TOML.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join([f"[[{name}]]", *lines]) + "\n"
