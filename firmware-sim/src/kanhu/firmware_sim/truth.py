"""What truly happened in a recording: people, happenings, and how far true values went. Facts only, no judgement.

One JSON line each. What has to be raised for a happening is for whoever compares; here stands no limit and no rule,
except where a scenario's author wrote down what must and what must not be raised.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import IO

import msgspec

from kanhu.firmware_sim.errors import TruthRefused

__all__ = ["Demand", "Extremes", "Happening", "HappeningKind", "Person", "Truth", "read_truth", "write_truth"]


class HappeningKind(StrEnum):
    """What can happen to a person, a device or a gateway."""

    DESATURATION = "desaturation"
    HYPERTENSIVE = "hypertensive_episode"
    FAST_HEART = "fast_heart"
    SLOW_HEART = "slow_heart"
    HYPOGLYCAEMIA = "hypoglycaemia"
    FALL = "fall"
    LONG_LIE = "long_lie"
    FIBRILLATION = "fibrillation"
    INFECTION = "infection"
    WEIGHT_GAIN = "weight_gain"
    CALL = "call"  # the help button
    GATEWAY_SILENT = "gateway_silent"
    # What must raise nothing by itself.
    MISUSE = "misuse"
    VISITOR = "visitor"
    DEAD_BATTERY = "dead_battery"
    WRONG_CLOCK = "wrong_clock"


class Person(msgspec.Struct, frozen=True, kw_only=True, tag="person"):
    """Who lives there."""

    village: str
    gateway: str
    subject: str
    age_years: int
    sex: str
    tags: tuple[str, ...] = ()


class Happening(msgspec.Struct, frozen=True, kw_only=True, tag="happening"):
    """One stretch of time in which something is so."""

    id: str
    kind: HappeningKind
    village: str
    gateway: str
    subject: str = ""
    """Empty where it happens to a gateway."""
    onset_ms: int
    end_ms: int
    severity: float = 1.0
    """1 is typical, 2 is grave."""
    readings: dict[str, int] = {}
    """How many readings of each metric were taken of it, good or bad; none means that no device could see it."""
    good: dict[str, int] = {}
    """How many of them no artefact spoilt."""
    first_good_ms: dict[str, int] = {}
    """True time of the first of those of each metric."""


class Extremes(msgspec.Struct, frozen=True, kw_only=True, tag="extremes"):
    """How far a person's true values went on one local day at the moments of measurement, as lowest and highest."""

    village: str
    subject: str
    from_ms: int
    to_ms: int
    values: dict[str, tuple[float, float]]
    """By metric, in its unit."""


class Demand(msgspec.Struct, frozen=True, kw_only=True, tag="demand"):
    """What the author of a scenario wants raised, or not raised."""

    rule: str
    subject: str
    """Resident, or gateway; `*` is anybody."""
    priority: str = ""
    """Empty: any."""
    from_ms: int
    by_ms: int
    forbidden: bool = False
    at_most: int = 1
    """Alerts that may stand for it."""
    told: int = 1
    """How often it must call for a person, at least."""
    level: int = 0
    """Step of the escalation ladder that it must reach, at least."""


Truth = Person | Happening | Extremes | Demand

_decoder: msgspec.json.Decoder[Truth] = msgspec.json.Decoder(Truth)


def write_truth(out: IO[bytes], lines: Iterable[Truth]) -> None:
    """One line each."""
    for line in lines:
        out.write(msgspec.json.encode(line) + b"\n")


def read_truth(lines: Iterable[bytes], *, place: str) -> Iterator[Truth]:
    """Read it back.

    Raises:
        TruthRefused: a line that is none of these.
    """
    for number, line in enumerate(lines, 1):
        try:
            yield _decoder.decode(line)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise TruthRefused(place, number, str(error)) from error
