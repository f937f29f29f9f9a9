"""What has to be raised for which happening: harness/expectations.toml as records."""

import tomllib
from pathlib import Path
from typing import Literal

import msgspec

from kanhu.contract import METRICS, Priority
from kanhu.firmware_sim.truth import Happening, HappeningKind
from kanhu.harness.errors import ExpectationsRefused

__all__ = ["EXPECTATIONS_PATH", "Budget", "Effort", "Expectation", "Expectations", "Staff", "read_expectations"]

EXPECTATIONS_PATH = Path(__file__).resolve().parents[4] / "expectations.toml"

_SEVERE = 2.0


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file: all fields named, none unknown."""


class Expectation(_Table, frozen=True, kw_only=True):
    """What one kind of happening asks for; the file explains each field."""

    kind: HappeningKind
    en: str
    zh: str
    of: Literal["person", "gateway"]
    raises: tuple[str, ...]
    may_raise: tuple[str, ...]
    measured_by: tuple[str, ...]
    priority: Priority
    severe: Priority
    least_s: float
    in_time_s: float | None = None
    after_end_s: float
    warm_up_s: float = 0.0
    source: str

    @property
    def required(self) -> bool:
        """Whether anything has to be raised at all."""
        return bool(self.raises)

    def priority_of(self, happening: Happening) -> Priority:
        """The least priority with which it counts as raised."""
        return self.severe if happening.severity >= _SEVERE else self.priority


class Effort(_Table, frozen=True):
    """Minutes of a person's time that one telling costs."""

    high_minutes: float
    medium_minutes: float
    low_minutes: float
    technical_minutes: float
    mends_itself_s: float
    """Equipment that is well again so soon costs nobody anything."""
    source: str

    def minutes(self, priority: str) -> float:
        """Minutes of one telling."""
        return {
            Priority.HIGH.value: self.high_minutes,
            Priority.MEDIUM.value: self.medium_minutes,
            Priority.LOW.value: self.low_minutes,
            Priority.TECHNICAL.value: self.technical_minutes,
        }[priority]


class Staff(_Table, frozen=True):
    """Who answers, and when it is night."""

    workers_per_village: float
    hours_a_day: float
    night_from_hour: int
    night_to_hour: int
    source: str


class Unowned(_Table, frozen=True):
    """How long an alert that nobody took may stay at the first step."""

    high_s: float
    medium_s: float
    source: str


class Budget(_Table, frozen=True):
    """What is called a flood, and what may be false."""

    flood_tellings: int
    flood_window_s: float
    open_for_s: float
    high_per_1000_person_days: float
    medium_per_1000_person_days: float
    source: str


class _File(_Table, frozen=True):
    version: str
    kind: tuple[Expectation, ...]
    tolerance: dict[str, float | str]
    effort: Effort
    staff: Staff
    unowned: Unowned
    budget: Budget


class Expectations(msgspec.Struct, frozen=True):
    """The whole file."""

    version: str
    kinds: dict[HappeningKind, Expectation]
    tolerance: dict[str, float]
    effort: Effort
    staff: Staff
    unowned: Unowned
    budget: Budget


def read_expectations(*, path: Path = EXPECTATIONS_PATH) -> Expectations:
    """Read the file; every kind of happening is named once.

    Raises:
        ExpectationsRefused: something missing, unknown, named twice or without a source.
    """
    try:
        file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise ExpectationsRefused(path.name, str(error)) from error
    kinds = {each.kind: each for each in file.kind}
    missing = [kind.value for kind in HappeningKind if kind not in kinds]
    if missing or len(kinds) < len(file.kind):
        raise ExpectationsRefused(path.name, f"[[kind]]: not exactly one each of {', '.join(missing) or 'the kinds'}")
    unsourced = next((each.kind.value for each in file.kind if not each.source.strip()), None)
    if unsourced is not None:
        raise ExpectationsRefused(path.name, f"[[kind]] {unsourced}: say where its numbers come from")
    tolerance = {name: value for name, value in file.tolerance.items() if isinstance(value, float)}
    measured = (metric for each in file.kind for metric in each.measured_by)
    unknown = next((name for name in (*tolerance, *measured) if name not in METRICS), None)
    if unknown is not None:
        raise ExpectationsRefused(path.name, f"{unknown}: no such metric")
    return Expectations(file.version, kinds, tolerance, file.effort, file.staff, file.unowned, file.budget)
