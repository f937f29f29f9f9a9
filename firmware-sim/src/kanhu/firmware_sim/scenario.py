"""What a scenario file says: homes, the people in them, their devices, and what happens when.

Times are seconds from the start of the play. `[[fault]]` and `[[expected]]` entries belong to whoever runs the whole
system; the simulator checks their shape and leaves them alone.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec

from kanhu.firmware_sim.errors import ScenarioRefused
from kanhu.firmware_sim.wire.cms50d import PACKETS_PER_S

PACKETS_PER_WINDOW = 600  # one oximeter reading
WINDOW_S = PACKETS_PER_WINDOW / PACKETS_PER_S
# Readers take 2 s of silence for the end of a streaming session and count windows anew after it.
SESSION_PAUSE_S = 3.0

Seconds = Annotated[float, msgspec.Meta(ge=0)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,32}$")]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Pressure = Annotated[int, msgspec.Meta(ge=1, le=300)]
PulseRate = Annotated[int, msgspec.Meta(ge=1, le=254)]
Saturation = Annotated[int, msgspec.Meta(ge=1, le=100)]


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A TOML table in which a misspelt key is an error."""


class DeviceKind(StrEnum):
    """The devices there are."""

    OXIMETER = "oximeter-cms50d"
    CUFF = "cuff-ble"
    STRAP = "strap-ble"
    BUTTON = "button-bthome"


class Condition(StrEnum):
    """What moves a person's resting values."""

    HYPERTENSION = "hypertension"
    DIABETES = "diabetes"
    COPD = "copd"
    HEART_FAILURE = "heart_failure"


class Artefact(StrEnum):
    """What spoils an oximeter window."""

    LOOSE_FINGER = "loose_finger"  # falsely low values between packets that say the finger is out
    FINGER_OUT = "finger_out"  # not one valid packet
    SEARCHING = "searching"  # begins searching, then finds the pulse
    WEAK_SIGNAL = "weak_signal"  # valid values, weak signal throughout
    UNSTABLE = "unstable"  # values that jump


class CuffNotice(StrEnum):
    """What the cuff noticed while measuring."""

    MOVEMENT = "movement"
    LOOSE_CUFF = "loose_cuff"
    IRREGULAR_PULSE = "irregular_pulse"
    PULSE_ABOVE_RANGE = "pulse_above_range"
    PULSE_BELOW_RANGE = "pulse_below_range"
    IMPROPER_POSITION = "improper_position"


class DeviceClock(StrEnum):
    """The state of a cuff's own clock."""

    SET = "set"
    RESET = "reset"  # counts from the maker's default year since the battery was changed
    ABSENT = "absent"  # sends no time


class Resident(_Table, frozen=True, kw_only=True):
    """Who lives there, as far as it changes what devices measure."""

    id: Name
    age_years: Annotated[int, msgspec.Meta(ge=0, le=120)]
    sex: Literal["f", "m"]
    conditions: tuple[Condition, ...] = ()
    resting_heart_rate_bpm: PulseRate | None = None
    resting_systolic_mmhg: Pressure | None = None
    resting_diastolic_mmhg: Pressure | None = None
    resting_spo2_percent: Saturation | None = None


class DeviceEntry(_Table, frozen=True, kw_only=True):
    """A device in the home; `person` is absent on a shared one."""

    id: Name
    kind: DeviceKind
    person: Name | None = None
    clock: DeviceClock = DeviceClock.SET  # cuffs only
    unit: Literal["mmHg", "kPa"] = "mmHg"  # cuffs only


class Window(_Table, frozen=True, kw_only=True):
    """Oximeter windows of 600 packets (10 s); values left out come from the body."""

    count: Positive = 1
    spo2_percent: Saturation | None = None
    pulse_bpm: PulseRate | None = None
    artefact: Artefact | None = None


class _Event(_Table, frozen=True, kw_only=True, tag_field="action"):
    """Something that happens to one device."""

    at_s: Seconds
    device: Name


class Press(_Event, frozen=True, kw_only=True, tag="press"):
    """Somebody presses the button."""

    press: Literal["press", "double", "triple", "long"] = "press"


class Measure(_Event, frozen=True, kw_only=True, tag="measure"):
    """Somebody measures; values left out come from the body."""

    systolic_mmhg: Pressure | None = None
    diastolic_mmhg: Pressure | None = None
    pulse_bpm: PulseRate | None = None
    notices: tuple[CuffNotice, ...] = ()


class Wear(_Event, frozen=True, kw_only=True, tag="wear"):
    """The oximeter or strap is put on.

    An oximeter plays its `windows`, or with none given whole windows until the next event; a strap sends once a
    second until the next event, beats from the body or from a recording.
    """

    windows: tuple[Window, ...] = ()
    rhythm: Literal["sinus", "record"] = "sinus"
    rr_file: str | None = None  # in the folder of recordings
    rr_first_beat: Annotated[int, msgspec.Meta(ge=0)] = 0


class LoseContact(_Event, frozen=True, kw_only=True, tag="lose_contact"):
    """The strap stays on but its electrodes dry out: it sends rate 0 without contact."""


class Remove(_Event, frozen=True, kw_only=True, tag="remove"):
    """The oximeter or strap is taken off and falls silent."""


Event: TypeAlias = Press | Measure | Wear | LoseContact | Remove


class Home(_Table, frozen=True, kw_only=True):
    """A home or a village clinic with one gateway."""

    id: Name
    kind: Literal["home", "clinic"] = "home"
    resident: tuple[Resident, ...] = ()
    device: tuple[DeviceEntry, ...] = ()
    event: tuple[Event, ...] = ()


class Fault(_Table, frozen=True, kw_only=True):
    """What whoever runs the system does to it; not played here."""

    at_s: Seconds
    home: Name
    action: str


class Expected(_Table, frozen=True, kw_only=True):
    """An alert the county must see; not judged here."""

    rule: str
    priority: Literal["high", "medium", "low", "technical"]
    due_s: Seconds
    subject: Name | None = None
    gateway: Name | None = None


class Scenario(_Table, frozen=True, kw_only=True):
    """One play."""

    name: str
    duration_s: Seconds
    seed: int = 1
    starts_at: str = "07:30"  # local time of day the bodies begin at, whatever the wall clock says
    utc_offset_minutes: Annotated[int, msgspec.Meta(ge=-720, le=840)] = 480  # of the devices' own clocks
    recordings: str = "."  # folder of recorded beats, relative to the scenario file
    home: tuple[Home, ...]
    fault: tuple[Fault, ...] = ()
    expected: tuple[Expected, ...] = ()


_ACTIONS: dict[DeviceKind, tuple[type[_Event], ...]] = {
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


def start_of_day_s(scenario: Scenario) -> float:
    """Seconds after local midnight at which the play begins."""
    hours, minutes = scenario.starts_at.split(":")
    return int(hours) * 3600.0 + int(minutes) * 60.0


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
        if fault.home not in homes:
            yield f"fault at {fault.at_s:g} s", f"there is no home {fault.home}"
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


def events_of(home: Home, device: str) -> list[Event]:
    """What happens to one device, in order."""
    return sorted((event for event in home.event if event.device == device), key=lambda event: event.at_s)


def shortest_s(event: Event) -> float:
    """How long an event keeps its device busy at least."""
    if isinstance(event, Wear):
        return sum(window.count for window in event.windows) * WINDOW_S
    return 0.0
