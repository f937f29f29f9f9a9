"""What in a scenario cannot be played, by place and with the remedy."""

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path

from kanhu.firmware_sim.scenario.events import all_events, shortest_s
from kanhu.firmware_sim.scenario.model import (
    SESSION_PAUSE_S,
    WITHOUT_BYTES,
    Concluded,
    Depth,
    DeviceEvent,
    DeviceFault,
    DeviceKind,
    Fault,
    Home,
    LoseContact,
    Measure,
    Press,
    Remove,
    Rhythm,
    Scenario,
    Warm,
    Wear,
)
from kanhu.firmware_sim.scenario.times import second_of_day

__all__ = ["objections"]

_ACTIONS: dict[DeviceKind, tuple[type[DeviceEvent], ...]] = {
    DeviceKind.BUTTON: (Press,),
    DeviceKind.CUFF: (Measure,),
    DeviceKind.OXIMETER: (Wear, Remove),
    DeviceKind.STRAP: (Wear, LoseContact, Remove),
    DeviceKind.SCALE: (Measure,),
    DeviceKind.THERMOMETER: (Measure,),
    DeviceKind.GLUCOSE_METER: (Measure,),
    DeviceKind.ROOM_THERMOMETER: (Warm,),
    DeviceKind.DAILY_LIFE: (Concluded,),
}
_PROCESSES = frozenset({"kill", "stop", "hang"})
_CUT_OFF = frozenset({"refuse", "reset", "silent", "one_way_up", "one_way_down"})
_PURE_FAULTS = {
    "gateway": _PROCESSES,
    "link": _CUT_OFF,
    "clock": frozenset({"year_1970", "step"}),
    "staff": frozenset({"absent"}),
}
_PLACES = ("gateway", "link", "broker", "cloud", "disk", "clock", "device", "staff")
_NAMELESS = frozenset({"broker", "cloud", "staff"})
_AT_THE_START = frozenset({"clock"})


def objections(scenario: Scenario, recordings: Path) -> Iterator[tuple[str, str]]:
    """Places in words and remedies; none where all can be played with the beats in `recordings`."""
    homes = Counter(home.id for home in scenario.home)
    devices = Counter(device.id for home in scenario.home for device in home.device)
    people = Counter(resident.id for home in scenario.home for resident in home.resident)
    for what, names in (("home", homes), ("device", devices), ("resident", people)):
        for name, number in names.items():
            if number > 1:
                yield f"{what} {name}", "give every one its own id"
    for fault in scenario.fault:
        yield from _objections_to_fault(scenario, fault, homes=frozenset(homes), devices=frozenset(devices))
    known = {"*", *homes, *people}
    for alert in scenario.expected:
        if alert.subject not in known:
            yield f"expected {alert.rule}", f"there is no resident or home {alert.subject}"
        if alert.by_s < alert.from_s:
            yield f"expected {alert.rule}", "by lies before from"
    for unwanted in scenario.forbidden:
        if unwanted.subject not in known:
            yield f"forbidden {unwanted.rule}", f"there is no resident or home {unwanted.subject}"
        if unwanted.by_s is not None and unwanted.by_s < unwanted.from_s:
            yield f"forbidden {unwanted.rule}", "by lies before from, so nothing would be forbidden"
    yield from _objections_to_staff(scenario)
    for home in scenario.home:
        yield from _objections_to_home(scenario, home, recordings)


def _objections_to_staff(scenario: Scenario) -> Iterator[tuple[str, str]]:
    for absence in (absence for one in scenario.staff for absence in one.absent):
        if absence.to_s <= absence.from_s:
            yield f"staff, absent from {absence.from_s:g} s", "to does not lie behind from"


def _objections_to_fault(
    scenario: Scenario, fault: Fault, *, homes: frozenset[str], devices: frozenset[str]
) -> Iterator[tuple[str, str]]:
    place = f"fault at {fault.at_s:g} s"
    kind, _, name = fault.on.partition(" ")
    if kind not in _PLACES:
        near = get_close_matches(kind, _PLACES, n=1)
        meant = f"did you mean {near[0]}?" if near else f"write one of {', '.join(_PLACES)}"
        yield place, f"on is {fault.on!r}; {meant}"
    if kind in _PLACES and bool(name) == (kind in _NAMELESS):
        yield place, f'on is {fault.on!r}; write "{kind}"' + ("" if kind in _NAMELESS else " and a name")
    if name and name not in (devices if kind == "device" else homes):
        yield place, f"there is no {'device' if kind == 'device' else 'home'} {name}"
    if kind == "device" and fault.what not in {each.value for each in DeviceFault}:
        yield place, f"a device can be {', '.join(DeviceFault)}, not {fault.what}"
    if scenario.depth is Depth.PROCESS:
        return
    if fault.what not in _PURE_FAULTS.get(kind, frozenset()):
        known = "; ".join(f"{on}: {', '.join(sorted(what))}" for on, what in _PURE_FAULTS.items())
        yield place, f"{fault.on} {fault.what} needs depth process; depth pure knows {known}"
    elif kind in _AT_THE_START and fault.at_s:
        yield place, f"at depth pure a {kind} is wrong from 0 s on, for as long as for says"


def _objections_to_home(scenario: Scenario, home: Home, recordings: Path) -> Iterator[tuple[str, str]]:
    residents = {resident.id for resident in home.resident}
    kinds = {device.id: device.kind for device in home.device}
    for device in home.device:
        if device.person is not None and device.person not in residents:
            yield f"device {device.id}", f"person {device.person} is no resident of {home.id}"
        if device.kind in WITHOUT_BYTES and scenario.depth is not Depth.PURE:
            yield f"device {device.id}", f'a {device.kind.value} has no bytes yet; write depth = "pure"'
    yield from _objections_to_habits(home, kinds, recordings)
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
    for device in home.device:
        for before, after in pairwise(all_events(scenario, home, device)):
            place = f"home {home.id}, {device.id} at {after.at_s:g} s"
            pause_s = after.at_s - before.at_s - shortest_s(before)
            if pause_s < 0:
                yield place, "the event before it is not over yet"
            if shortest_s(before) and 0 < pause_s < SESSION_PAUSE_S:
                yield place, f"leave no pause or one of {SESSION_PAUSE_S:g} s"


def _objections_to_habits(home: Home, kinds: dict[str, DeviceKind], recordings: Path) -> Iterator[tuple[str, str]]:
    for resident in home.resident:
        for habit in resident.habit:
            place = f"home {home.id}, habit of {resident.id}"
            if habit.device not in kinds:
                yield place, f"there is no device {habit.device} in {home.id}"
            for text in habit.times:
                if second_of_day(text) is None:
                    yield place, f"{text!r} is not a time of day such as 07:30"
            if habit.rr_file is not None and not (recordings / habit.rr_file).is_file():
                yield place, f"there is no file {recordings / habit.rr_file}"


def _objections_to_wear(wear: Wear, kind: DeviceKind, place: str, recordings: Path) -> Iterator[tuple[str, str]]:
    if kind is DeviceKind.OXIMETER and (wear.rhythm is not Rhythm.SINUS or wear.rr_file is not None):
        yield place, "an oximeter replays no beats"
    if kind is DeviceKind.STRAP and wear.rhythm is Rhythm.RECORD and wear.rr_file is None:
        yield place, "name the recording with rr_file"
    if kind is DeviceKind.STRAP and wear.windows:
        yield place, "a strap has no windows"
    if wear.rr_file is not None and not (recordings / wear.rr_file).is_file():
        yield place, f"there is no file {recordings / wear.rr_file}"
