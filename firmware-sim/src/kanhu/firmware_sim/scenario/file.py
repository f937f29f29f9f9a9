"""Reads a scenario file and refuses, before anything opens, what cannot be played."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from kanhu.firmware_sim.errors import ScenarioRefused
from kanhu.firmware_sim.scenario.model import Scenario
from kanhu.firmware_sim.scenario.objections import objections
from kanhu.firmware_sim.scenario.times import TimeRefused, second_of_day, with_seconds
from kanhu.firmware_sim.scenario.words import place_and_remedy, place_in_words

__all__ = ["load_scenario", "recordings_folder"]

_MOST_BYTES = 16 * 1024 * 1024


def load_scenario(file: Path, *, recordings: Path | None = None) -> Scenario:
    """Read and check a scenario file; `recordings` stands in for the folder it names.

    Raises:
        ScenarioRefused: the file cannot be read, or something in it cannot be played.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ScenarioRefused(file, "file", f"cannot be read: {error.strerror}") from error
    if len(data) > _MOST_BYTES:
        raise ScenarioRefused(file, "file", f"is no scenario: more than {_MOST_BYTES} bytes")
    try:
        tables = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # what tomllib makes of long numbers is no TOMLDecodeError
        raise ScenarioRefused(file, "contents", str(error)) from error
    scenario = _converted(file, tables)
    for place, remedy in objections(scenario, recordings or recordings_folder(scenario, file)):
        raise ScenarioRefused(file, place, remedy)
    return scenario


def recordings_folder(scenario: Scenario, file: Path) -> Path:
    """Where the scenario in `file` keeps its recordings."""
    return file.parent / scenario.recordings


def _converted(file: Path, tables: dict[str, Any]) -> Scenario:
    starts_at = tables.get("starts_at", "07:30")
    starts_s = second_of_day(starts_at) if isinstance(starts_at, str) else None
    if starts_s is None:
        raise ScenarioRefused(file, "starts_at", f"{starts_at!r} is not a time of day such as 07:30")
    try:
        return msgspec.convert(with_seconds(tables, starts_s=starts_s), Scenario)
    except TimeRefused as error:
        raise ScenarioRefused(file, place_in_words(error.path, tables), str(error)) from error
    except RecursionError as error:
        raise ScenarioRefused(file, "contents", "tables within tables without end") from error
    except msgspec.ValidationError as error:
        raise ScenarioRefused(file, *place_and_remedy(str(error), tables)) from error
