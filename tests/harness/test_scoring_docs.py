"""docs/scoring.md names every figure, result and difference."""

from enum import StrEnum

import pytest

from kanhu.firmware_sim.truth import HappeningKind
from kanhu.harness.scoring.comparing import Difference
from kanhu.harness.scoring.episodes import EventResult, TellingResult
from kanhu.harness.scoring.figures import score
from tests.architecture.layout import ROOT
from tests.harness.hand_made import County, alert, happening, told

PAGE = (ROOT / "docs/scoring.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("words", [EventResult, TellingResult, Difference])
def test_every_word_of_a_decision_is_explained(words: type[StrEnum]) -> None:
    assert [word.value for word in words if f"`{word.value}`" not in PAGE] == []


def test_every_figure_is_explained() -> None:
    found = alert("SPO2-LOW", told(110, claimed=120))
    figures = score(County([happening(HappeningKind.DESATURATION, 100)]).judged(found)).figures()
    assert [name for name in figures if f"`{name}`" not in PAGE] == []
