"""Reads a scenario file and refuses, before anything opens, what cannot be played."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec

from kanhu.firmware_sim.errors import ScenarioRefused
from kanhu.firmware_sim.scenario import (
    SESSION_PAUSE_S,
    DeviceEvent,
    DeviceKind,
    Home,
    LoseContact,
    Measure,
    Press,
    Remove,
    Scenario,
    Wear,
    events_of,
    shortest_s,
)

_ACTIONS: dict[DeviceKind, tuple[type[DeviceEvent], ...]] = {
    DeviceKind.BUTTON: (Press,),
    DeviceKind.CUFF: (Measure,),
    DeviceKind.OXIMETER: (Wear, Remove),
    DeviceKind.STRAP: (Wear, LoseContact, Remove),
}


def load_scenario(file: Path, *, recordings: Path | None = None) -> Scenario:
    """Read and check a scenario file; `recordings` stands in for the folder it names.

    Raises:
        ScenarioRefused: the file cannot be read, or something in it cannot be played.
    """
    try:
        scenario = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Scenario)
    except OSError as error:
        raise ScenarioRefused(file, "file", f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ScenarioRefused(file, "contents", str(error)) from error
    for place, remedy in _objections(scenario, recordings or recordings_folder(scenario, file)):
        raise ScenarioRefused(file, place, remedy)
    return scenario


def recordings_folder(scenario: Scenario, file: Path) -> Path:
    """Where the scenario in `file` keeps its recordings."""
    return file.parent / scenario.recordings


def _objections(scenario: Scenario, recordings: Path) -> Iterator[tuple[str, str]]:
    hours, _, minutes = scenario.starts_at.partition(":")
    if not (hours.isdecimal() and minutes.isdecimal() and int(hours) < 24 and int(minutes) < 60):
        yield "starts_at", f"{scenario.starts_at!r} is not a time of day such as 07:30"
    homes = Counter(home.id for home in scenario.home)
    devices = Counter(device.id for home in scenario.home for device in home.device)
    people = Counter(resident.id for home in scenario.home for resident in home.resident)
    for what, names in (("home", homes), ("device", devices), ("resident", people)):
        for name, number in names.items():
            if number > 1:
                yield f"{what} {name}", "give every one its own id"
    for fault in scenario.fault:
        kind, _, name = fault.on.partition(" ")
        if name and name not in (devices if kind == "device" else homes):
            yield f"fault at {fault.at_s:g} s", f"there is no {'device' if kind == 'device' else 'home'} {name}"
    for home in scenario.home:
        yield from _objections_to_home(scenario, home, recordings)


def _objections_to_home(scenario: Scenario, home: Home, recordings: Path) -> Iterator[tuple[str, str]]:
    residents = {resident.id for resident in home.resident}
    kinds = {device.id: device.kind for device in home.device}
    for device in home.device:
        if device.person is not None and device.person not in residents:
            yield f"device {device.id}", f"person {device.person} is no resident of {home.id}"
    for event in home.event:
        place = f"home {home.id}, event at {event.at_s:g} s"
        kind = kinds.get(event.device)
        if kind is None:
            yield place, f"there is no device {event.device} in {home.id}"
        elif not isinstance(event, _ACTIONS[kind]):
            yield place, f"a {kind.value} cannot do this"
        elif isinstance(event, Wear):
            yield from _objections_to_wear(event, kind, place, recordings)
        if event.at_s > scenario.duration_s:
            yield place, f"the play ends at {scenario.duration_s:g} s"
    for name in kinds:
        for before, after in pairwise(events_of(home, name)):
            pause_s = after.at_s - before.at_s - shortest_s(before)
            if pause_s < 0:
                yield f"home {home.id}, {name} at {after.at_s:g} s", "the event before it is not over yet"
            if shortest_s(before) and 0 < pause_s < SESSION_PAUSE_S:
                yield f"home {home.id}, {name} at {after.at_s:g} s", f"leave no pause or one of {SESSION_PAUSE_S:g} s"


def _objections_to_wear(wear: Wear, kind: DeviceKind, place: str, recordings: Path) -> Iterator[tuple[str, str]]:
    if kind is DeviceKind.OXIMETER and (wear.rhythm != "sinus" or wear.rr_file is not None):
        yield place, "an oximeter replays no beats"
    if kind is DeviceKind.STRAP and wear.rhythm == "record" and wear.rr_file is None:
        yield place, "name the recording with rr_file"
    if kind is DeviceKind.STRAP and wear.windows:
        yield place, "a strap has no windows"
    if wear.rr_file is not None and not (recordings / wear.rr_file).is_file():
        yield place, f"there is no file {recordings / wear.rr_file}"
