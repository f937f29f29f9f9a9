"""A script as whoever runs the whole village sees it: which homes, which faults, which alerts must come."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Device:
    """One device of a home; `person` is None where it is shared."""

    id: str
    kind: str
    person: str | None


class Person(NamedTuple):
    """A resident as the gateway knows one."""

    id: str
    tags: tuple[str, ...] = ()
    spo2_limit_percent: int | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """One home or clinic with its gateway."""

    id: str
    devices: tuple[Device, ...]
    residents: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that breaks; seconds from the start of the script, for ever where `for_s` is 0."""

    at_s: float
    for_s: float
    on: str
    """A kind and, where there are several, a name: `gateway home-09`, `link home-09`, `broker`, `cloud`, `staff`."""
    what: str
    amount: float = 0.0


@dataclass(frozen=True, slots=True)
class Expected:
    """An alert that must be on the board by `by_s`, once."""

    subject: str
    rule: str
    priority: str
    by_s: float


@dataclass(frozen=True, slots=True)
class Script:
    """The whole play."""

    homes: tuple[Home, ...]
    faults: tuple[Fault, ...]
    expected: tuple[Expected, ...]
    duration_s: float

    def last_due_s(self) -> float:
        """When the last alert must have come."""
        return max((alert.by_s for alert in self.expected), default=0.0)


def load_script(scenario: Path, site: Path) -> Script:
    """Read the scenario for devices, faults and truth, and the county's register for residents' tags."""
    script = tomllib.loads(scenario.read_text(encoding="utf-8"))
    register = tomllib.loads(site.read_text(encoding="utf-8"))
    homes = tuple(_home(entry, register["resident"]) for entry in script["home"])
    faults = tuple(
        Fault(fault["at_s"], fault.get("for_s", 0.0), fault["on"], fault["what"], fault.get("amount", 0.0))
        for fault in script.get("fault", [])
    )
    expected = tuple(
        Expected(entry["subject"], entry["rule"], entry["priority"], entry["by_s"])
        for entry in script.get("expected", [])
    )
    return Script(homes, faults, expected, duration_s=script["duration_s"])


def _home(entry: dict[str, Any], register: list[dict[str, Any]]) -> Home:
    devices = tuple(Device(device["id"], device["kind"], device.get("person")) for device in entry.get("device", []))
    residents = tuple(
        Person(resident["id"], tuple(resident.get("tags", ())))
        for resident in register
        if resident["gateway"] == entry["id"]
    )
    return Home(entry["id"], devices, residents)
