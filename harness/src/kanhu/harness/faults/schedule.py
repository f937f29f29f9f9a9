"""What goes wrong, where, when and for how long; read from and written to TOML and JSON, or drawn from a seed.

In a file a fault is a table:

    [[fault]]
    at_s = 60
    for_s = 30            # 0 or absent: to the end
    on = "link home-09"
    what = "loss"
    amount = 0.2          # absent: the kind's usual amount

Kinds and the unit of `amount` of each are in `KINDS` and docs/faults.md.
"""

import difflib
import json
import random
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from kanhu.harness.faults.errors import ScheduleRefused

_KEYS = ("at_s", "for_s", "on", "what", "amount")
_MOST = 1e9
"""Seconds, bytes a second, parts per million: thirty years, or beyond any link; more is a slip."""
_MOST_BYTES = 16 * 1024 * 1024
_SHORTEST_S, _LONGEST_S = 0.2, 3.0
"""How long a drawn fault lasts: long enough to be felt, short enough that others meet a working part."""


class Place(StrEnum):
    """What a fault is in; `on` begins with it."""

    GATEWAY = "gateway"
    BROKER = "broker"
    CLOUD = "cloud"
    LINK = "link"
    DISK = "disk"
    CLOCK = "clock"
    DEVICE = "device"
    STAFF = "staff"


class Kind(StrEnum):
    """How it fails."""

    KILL = "kill"  # SIGKILL, started again at the end
    STOP = "stop"  # SIGTERM, started again at the end
    HANG = "hang"  # SIGSTOP, SIGCONT at the end
    REFUSE = "refuse"  # nobody listens
    RESET = "reset"  # every connection is reset, and each new one at its first bytes
    SILENT = "silent"  # connections stand and carry nothing
    ONE_WAY_UP = "one_way_up"  # only what goes up arrives
    ONE_WAY_DOWN = "one_way_down"  # only what comes down arrives
    LOSS = "loss"
    RATE = "rate"
    TORN = "torn"  # reset in the middle of a packet
    FULL = "full"
    READ_ONLY = "read_only"
    IO_ERROR = "io_error"
    YEAR_1970 = "year_1970"
    STEP = "step"
    DRIFT = "drift"
    TRUNCATED = "truncated"
    FLIPPED = "flipped"
    STUCK = "stuck"
    SLOW = "slow"
    CHATTERING = "chattering"
    ABSENT = "absent"


_PROCESS = {Kind.KILL: 0.0, Kind.STOP: 0.0, Kind.HANG: 0.0}

KINDS: Mapping[Place, Mapping[Kind, float]] = {
    Place.GATEWAY: _PROCESS,
    Place.BROKER: _PROCESS,
    Place.CLOUD: _PROCESS,
    Place.LINK: {
        Kind.REFUSE: 0.0,
        Kind.RESET: 0.0,
        Kind.SILENT: 0.0,
        Kind.ONE_WAY_UP: 0.0,
        Kind.ONE_WAY_DOWN: 0.0,
        Kind.LOSS: 0.2,  # share of packets
        Kind.RATE: 1200.0,  # bytes a second: 9.6 kbit/s, plain GSM
        Kind.TORN: 0.0,
    },
    Place.DISK: {Kind.FULL: 0.0, Kind.READ_ONLY: 0.0, Kind.IO_ERROR: 0.0},
    Place.CLOCK: {Kind.YEAR_1970: 0.0, Kind.STEP: 3600.0, Kind.DRIFT: 100.0},  # seconds; parts per million
    Place.DEVICE: {  # share of messages
        Kind.TRUNCATED: 0.2,
        Kind.FLIPPED: 0.2,
        Kind.STUCK: 0.0,
        Kind.SLOW: 5.0,  # seconds
        Kind.CHATTERING: 10.0,  # times each message is said
    },
    Place.STAFF: {Kind.SLOW: 300.0, Kind.ABSENT: 0.0},  # seconds
}
"""Kinds that each place knows, with the usual amount of each; 0 where there is none."""

_NAMELESS = frozenset({Place.BROKER, Place.CLOUD, Place.STAFF})


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One thing that can fail."""

    place: Place
    name: str = ""
    """Which one; empty where there is only one."""

    def __str__(self) -> str:
        return f"{self.place.value} {self.name}".rstrip()

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read `link home-09` or `broker`.

        Raises:
            ScheduleRefused: no such place, or a name too many or too few.
        """
        word, _, name = text.strip().partition(" ")
        places = [place.value for place in Place]
        if word not in places:
            raise ScheduleRefused("on", f"{text!r}: {_meant(word, places)}")
        place, name = Place(word), name.strip()
        if (place in _NAMELESS) == bool(name):
            raise ScheduleRefused("on", f'{text!r}: write "{word}"' + ("" if place in _NAMELESS else " and a name"))
        return cls(place, name)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong; seconds from the start of the play."""

    at_s: float
    for_s: float
    """0: to the end."""
    target: Target
    kind: Kind
    amount: float = 0.0

    def __str__(self) -> str:
        until = f" for {self.for_s:g} s" if self.for_s else " to the end"
        return f"{self.at_s:.2f} s {self.target} {self.kind.value}{f' {self.amount:g}' if self.amount else ''}{until}"

    def as_table(self) -> dict[str, Any]:
        """The same as a table of a file."""
        table: dict[str, Any] = {
            "at_s": self.at_s,
            "for_s": self.for_s,
            "on": str(self.target),
            "what": self.kind.value,
        }
        return table | ({"amount": self.amount} if self.amount else {})


Schedule = tuple[Fault, ...]


def random_schedule(
    seed: int,
    *,
    seconds: float,
    targets: Mapping[Target, float],
    rate: float,
    kinds: Mapping[Place, Mapping[Kind, float]] | None = None,
) -> Schedule:
    """Draw `rate` faults a second; the same arguments give the same schedule.

    `targets` and `kinds` carry weights: of the targets among all, of the kinds at their place. Without `kinds` each
    kind of a place is as likely as another. Nothing is drawn that would last longer than the play.
    """
    draw = random.Random(f"{seed}/faults")
    ordered = sorted(targets)
    faults = []
    for _ in range(round(rate * seconds)):
        target = draw.choices(ordered, [targets[one] for one in ordered])[0]
        weights = (kinds or {}).get(target.place) or dict.fromkeys(KINDS[target.place], 1.0)
        kind = draw.choices(list(weights), list(weights.values()))[0]
        for_s = round(min(draw.uniform(_SHORTEST_S, _LONGEST_S), seconds), 2)
        at_s = round(draw.uniform(0.0, seconds - for_s), 2)
        faults.append(Fault(at_s, for_s, target, kind, KINDS[target.place][kind]))
    return in_order(faults)


def in_order(faults: Iterable[Fault]) -> Schedule:
    """Sorted by time, and in one order where times are equal."""
    return tuple(sorted(faults, key=lambda fault: (fault.at_s, str(fault.target), fault.kind, fault.for_s)))


def faults_from_tables(tables: Sequence[Mapping[str, Any]]) -> Schedule:
    """Read the `[[fault]]` tables of a scenario.

    Raises:
        ScheduleRefused: names the table, the key and the remedy.
    """
    faults = []
    for number, table in enumerate(tables, start=1):
        try:
            faults.append(_fault(table))
        except ScheduleRefused as error:
            raise ScheduleRefused(f"fault {number}, {error.key}", error.problem) from error
    return in_order(faults)


def read_schedule(file: Path) -> Schedule:
    """Read a schedule, TOML or JSON by the file's ending.

    Raises:
        ScheduleRefused: names what is wrong.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise ScheduleRefused(str(file), f"is no schedule: more than {_MOST_BYTES} bytes")
        text = data.decode("utf-8")
        tables = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise ScheduleRefused(str(file), f"cannot be read: {error}") from error
    if not isinstance(tables, dict) or not isinstance(tables.get("fault"), list):
        raise ScheduleRefused(str(file), "needs [[fault]] tables")
    for key in tables:
        if key != "fault":
            raise ScheduleRefused(str(key), "is no key here; a schedule holds [[fault]] tables")
    return faults_from_tables(tables["fault"])


def schedule_as_json(schedule: Schedule) -> str:
    """One JSON object with the list `fault`."""
    return json.dumps({"fault": [fault.as_table() for fault in schedule]}, indent=1) + "\n"


def schedule_as_toml(schedule: Schedule) -> str:
    """The same as `[[fault]]` tables."""
    tables = [] if schedule else ["fault = []\n"]
    for fault in schedule:
        lines = [f"{key} = {json.dumps(value)}" for key, value in fault.as_table().items()]
        tables.append("\n".join(["[[fault]]", *lines]) + "\n")
    return "\n".join(tables)


def _fault(table: Mapping[str, Any]) -> Fault:
    if not isinstance(table, Mapping):
        raise ScheduleRefused("table", "is none; write [[fault]] and its keys")
    for key in table:
        if key not in _KEYS:
            raise ScheduleRefused(str(key), _meant(str(key), _KEYS))
    target = Target.parse(_text(table, "on"))
    known = KINDS[target.place]
    word = _text(table, "what")
    if word not in {kind.value for kind in known}:
        raise ScheduleRefused("what", f"{word!r} on {target}: {_meant(word, [kind.value for kind in known])}")
    kind = Kind(word)
    amount = _number(table, "amount", default=known[kind])
    if kind is Kind.LOSS and not amount <= 1:
        raise ScheduleRefused("amount", "is a share from 0 to 1")
    if kind is Kind.RATE and not amount > 0:
        raise ScheduleRefused("amount", "is bytes a second, more than 0")
    return Fault(_number(table, "at_s"), _number(table, "for_s", default=0.0), target, kind, amount)


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str):
        raise ScheduleRefused(key, "is missing" if value is None else "is a text")
    return value


def _number(table: Mapping[str, Any], key: str, *, default: float | None = None) -> float:
    value = table.get(key, default)
    if value is None:
        raise ScheduleRefused(key, "is missing")
    signed = key == "amount" and table.get("what") in {Kind.STEP.value, Kind.DRIFT.value}
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_MOST <= value <= _MOST:
        raise ScheduleRefused(key, f"is a number, at most {_MOST:g}")
    if value < 0 and not signed:
        raise ScheduleRefused(key, "is 0 or more")
    return float(value)


def _meant(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else f"write one of {', '.join(known)}"
