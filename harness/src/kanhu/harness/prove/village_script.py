"""A village drawn from a seed: homes with button, oximeter and cuff, what befalls their people, and what breaks.

Calls for help and falling oxygen come at any time, half of the calls in the middle of an outage of that very home.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kanhu.harness.faults import Fault, Kind, Place, Schedule, Target, random_schedule

__all__ = ["VillageScript", "draw_village"]

_QUIET_BEGIN_S, _QUIET_END_S = 5.0, 25.0
"""Nothing breaks while everybody says hello, nor while the last of what happened arrives."""
_OXYGEN_S = 70.0  # seven windows
_CUFF_S = 61.0  # two readings a minute apart
_PRESSED_AGAIN_S = (0.0, 18.0, 37.0)  # whoever gets no answer presses again
_LINK_OUTAGE_S = (1.0, 12.0)
_LONGEST_HANG_S = 3.0
_WEIGHTS = {Place.LINK: 60.0, Place.GATEWAY: 32.0, Place.BROKER: 4.0, Place.CLOUD: 4.0}  # percent of all faults
_KINDS = {
    Place.LINK: {
        Kind.SILENT: 3.0,
        Kind.REFUSE: 2.0,
        Kind.RESET: 2.0,
        Kind.ONE_WAY_UP: 1.0,
        Kind.ONE_WAY_DOWN: 1.0,
        Kind.LOSS: 1.0,
        Kind.RATE: 1.0,
        Kind.TORN: 1.0,
    },
    Place.GATEWAY: {Kind.KILL: 3.0, Kind.HANG: 1.0},
    Place.BROKER: {Kind.KILL: 1.0},
    Place.CLOUD: {Kind.KILL: 2.0, Kind.HANG: 1.0},
}


@dataclass(frozen=True, slots=True)
class VillageScript:
    """What is played."""

    scenario: Path
    faults: Schedule


def draw_village(folder: Path, *, homes: int, seconds: float, seed: int, faults_per_s: float) -> VillageScript:
    """Write the scenario into `folder`; the same arguments draw the same village."""
    names = [f"home-{number:02}" for number in range(1, homes + 1)]
    faults = _faults(names, seconds=seconds, seed=seed, rate=faults_per_s)
    tables = [f'name = "village-{seed}"', 'depth = "process"', f"duration_s = {seconds:g}", f"seed = {seed}", ""]
    for name in names:
        own = [fault for fault in faults if fault.target.name == name]
        tables.append(_home(name, own, seconds=seconds, draw=random.Random(f"{seed}/{name}")))
    file = folder / "village.toml"
    file.write_text("\n".join(tables), encoding="utf-8")
    return VillageScript(file, faults)


def _faults(names: list[str], *, seconds: float, seed: int, rate: float) -> Schedule:
    targets = {Target(Place.BROKER): _WEIGHTS[Place.BROKER], Target(Place.CLOUD): _WEIGHTS[Place.CLOUD]}
    for place in (Place.LINK, Place.GATEWAY):
        targets |= {Target(place, name): _WEIGHTS[place] / len(names) for name in names}
    breaking_s = max(0.0, seconds - _QUIET_BEGIN_S - _QUIET_END_S)
    drawn = random_schedule(seed, seconds=breaking_s, targets=targets, rate=rate, kinds=_KINDS)
    draw = random.Random(f"{seed}/lengths")
    return tuple(_placed(fault, draw.uniform(*_LINK_OUTAGE_S), breaking_s) for fault in drawn)


def _placed(fault: Fault, outage_s: float, breaking_s: float) -> Fault:
    """Links fail for longer than processes; everything begins after the quiet at the start."""
    for_s = fault.for_s
    if fault.target.place is Place.LINK:
        for_s = round(min(outage_s, breaking_s - fault.at_s), 2)
    elif fault.kind is Kind.HANG:
        for_s = min(for_s, _LONGEST_HANG_S)
    return replace(fault, at_s=round(fault.at_s + _QUIET_BEGIN_S, 2), for_s=max(0.2, for_s))


def _home(name: str, own: list[Fault], *, seconds: float, draw: random.Random) -> str:
    number = name.rpartition("-")[2]
    person = f"r-{number}"
    devices = [
        {"id": f"{kind}-{number}", "kind": of, "person": person}
        for kind, of in (("button", "button-bthome"), ("oximeter", "oximeter-cms50d"), ("cuff", "cuff-ble"))
    ]
    last_s = seconds - _QUIET_END_S
    called_s = _call_s(own, last_s, draw)
    events: list[dict[str, object]] = [
        {"at_s": round(called_s + again_s, 2), "device": f"button-{number}", "action": "press"}
        for again_s in _PRESSED_AGAIN_S
        if called_s + again_s <= last_s
    ]
    if last_s > _OXYGEN_S:
        windows = [{"spo2_percent": 95}, {"spo2_percent": 90, "count": 3}, {"spo2_percent": 84, "count": 3}]
        at_s = round(draw.uniform(0.0, last_s - _OXYGEN_S), 2)
        events.append({"at_s": at_s, "device": f"oximeter-{number}", "action": "wear", "windows": windows})
    if last_s > _CUFF_S:
        at_s = round(draw.uniform(0.0, last_s - _CUFF_S), 2)
        for after_s, systolic_mmhg in ((0.0, draw.randint(120, 195)), (_CUFF_S - 1, draw.randint(120, 195))):
            values = {"systolic_mmhg": systolic_mmhg, "diastolic_mmhg": systolic_mmhg // 2 + 8}
            events.append({"at_s": round(at_s + after_s, 2), "device": f"cuff-{number}", "action": "measure", **values})
    resident = {"id": person, "age_years": draw.randint(66, 92), "sex": draw.choice("fm"), "resting_spo2_percent": 96}
    lists: dict[str, Sequence[Mapping[str, object]]] = {"resident": [resident], "device": devices, "event": events}
    rows = [f"{key} = {_toml(values)}" for key, values in lists.items()]
    return "\n".join(["[[home]]", f'id = "{name}"', *rows, ""])


def _call_s(own: list[Fault], last_s: float, draw: random.Random) -> float:
    inside = [fault for fault in own if fault.at_s + fault.for_s < last_s]
    if inside and draw.random() < 0.5:
        fault = draw.choice(inside)
        return fault.at_s + draw.uniform(0.0, fault.for_s)
    return draw.uniform(0.0, last_s)


def _toml(rows: Sequence[Mapping[str, object]]) -> str:
    """A list of inline tables; JSON strings and numbers are also TOML."""
    return "[" + ", ".join(_inline(row) for row in rows) + "]"


def _inline(row: Mapping[str, object]) -> str:
    return "{ " + ", ".join(f"{key} = {_value(value)}" for key, value in row.items()) + " }"


def _value(value: object) -> str:
    return _toml(value) if isinstance(value, list) else json.dumps(value)
