"""The tour of the simulator and the page on scenarios name everything a scenario and the command line know."""

from enum import StrEnum
from pathlib import Path

import msgspec
import pytest

from kanhu.firmware_sim.scenario import model

_ROOT = Path(__file__).parents[2]
_PAGES = "".join((_ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("simulator.md", "scenarios.md"))
_LIBRARY = _ROOT / "harness" / "scenarios" / "library"


def _tables() -> list[type[msgspec.Struct]]:
    everything = vars(model).values()
    named = [each for each in everything if isinstance(each, type) and issubclass(each, msgspec.Struct)]
    return [table for table in named if not table.__name__.startswith("_") and table is not model.DeviceEvent]


def _words() -> list[str]:
    fields = {name for table in _tables() for name in table.__struct_fields__}
    tags = {table.__struct_config__.tag for table in _tables() if isinstance(table.__struct_config__.tag, str)}
    choices = {
        member.value
        for each in vars(model).values()
        if isinstance(each, type) and issubclass(each, StrEnum)
        for member in each
    }
    options = {"--scenario", "--state", "--journal", "--seed", "--recordings", "--autostart", "--speed"}
    return sorted((fields - {"home", "event"}) | tags | choices | options)


@pytest.mark.parametrize("word", _words())
def test_the_pages_name(word: str) -> None:
    assert word in _PAGES or f"`{word.removesuffix('_s')}`" in _PAGES


@pytest.mark.parametrize("name", sorted(file.stem for file in _LIBRARY.glob("*.toml")))
def test_the_page_on_scenarios_tells_of_every_file(name: str) -> None:
    assert f"| `{name}` |" in _PAGES
