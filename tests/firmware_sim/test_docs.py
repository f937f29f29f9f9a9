"""The tour of the simulator names everything a scenario and the command line know."""

from enum import StrEnum
from pathlib import Path

import msgspec
import pytest

from kanhu.firmware_sim import scenario

_TOUR = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
_HARNESS_OWN = {scenario.Fault, scenario.Expected}  # named, not explained: they are not the simulator's


def _tables() -> list[type[msgspec.Struct]]:
    everything = vars(scenario).values()
    named = [each for each in everything if isinstance(each, type) and issubclass(each, msgspec.Struct)]
    return [table for table in named if not table.__name__.startswith("_") and table is not scenario.DeviceEvent]


def _words() -> list[str]:
    fields = {name for table in _tables() if table not in _HARNESS_OWN for name in table.__struct_fields__}
    tags = {table.__struct_config__.tag for table in _tables() if isinstance(table.__struct_config__.tag, str)}
    choices = {
        member.value
        for each in vars(scenario).values()
        if isinstance(each, type) and issubclass(each, StrEnum)
        for member in each
    }
    options = {"--scenario", "--state", "--journal", "--seed", "--recordings", "--autostart"}
    return sorted((fields - {"home", "event", "fault", "expected"}) | tags | choices | options)


@pytest.mark.parametrize("word", _words())
def test_the_tour_names(word: str) -> None:
    assert word in _TOUR
