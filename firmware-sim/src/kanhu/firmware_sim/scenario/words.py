"""What to tell the author of a scenario whose table does not fit: the place in words, and what was probably meant."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from kanhu.firmware_sim.scenario import model
from kanhu.firmware_sim.scenario.times import TIME_KEYS

__all__ = ["place_and_remedy", "place_in_words"]

_WHERE = re.compile(r"(?P<problem>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>.*)`")
_MISSING = re.compile(r"Object missing required field `(?P<field>.*)`")
_STEP = re.compile(r"(?P<key>[a-z_]+)(?:\[(?P<number>\d+|\.\.\.)\])?")
_EVENTS: tuple[type[msgspec.Struct], ...] = (
    model.Press,
    model.Measure,
    model.Wear,
    model.LoseContact,
    model.Remove,
)
_TABLES: Mapping[str, tuple[type[msgspec.Struct], ...]] = {
    "": (model.Scenario,),
    "home": (model.Home,),
    "resident": (model.Resident,),
    "device": (model.DeviceEntry,),
    "event": _EVENTS,
    "windows": (model.Window,),
    "happening": (model.Befalling,),
    "habit": (model.Habit,),
    "fault": (model.Fault,),
    "expected": (model.Expected,),
    "forbidden": (model.Forbidden,),
    "staff": (model.Staff,),
    "absent": (model.Absence,),
}


def place_and_remedy(said: str, tables: Any) -> tuple[str, str]:
    """Turn a decoder's words into a place and a remedy."""
    found = _WHERE.fullmatch(said)
    problem, path = (found["problem"], found["path"] or "") if found else (said, "")
    steps = [step for step in _STEP.finditer(path) if step["key"]]
    known = sorted(_known(steps[-1]["key"] if steps else ""))
    place = place_in_words(path, tables)
    if unknown := _UNKNOWN.fullmatch(problem):
        field = unknown["field"]
        near = get_close_matches(field, known, n=1)
        meant = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        return place, f"{field} is no key here; {meant}"
    if missing := _MISSING.fullmatch(problem):
        return place, f"{missing['field'].removesuffix('_s')} is missing"
    return place, problem


def place_in_words(path: str, tables: Any) -> str:
    """`home[4].event[1]` as `home home-05, event 2`."""
    words = []
    at = tables
    for step in _STEP.finditer(path.removeprefix("$").lstrip(".")):
        at = at.get(step["key"]) if isinstance(at, Mapping) else None
        number = step["number"]
        if number is None:
            words.append(step["key"])
            continue
        if number == "...":
            words.append(step["key"])
            at = None
            continue
        at = at[int(number)] if isinstance(at, list) and int(number) < len(at) else None
        name = at.get("id") if isinstance(at, Mapping) else None
        words.append(f"{step['key']} {name or int(number) + 1}")
    return ", ".join(words) or "contents"


def _known(table: str) -> Iterable[str]:
    for each in _TABLES.get(table, ()):
        for field in each.__struct_fields__:
            plain = field.removesuffix("_s")
            yield plain if plain in TIME_KEYS else field
