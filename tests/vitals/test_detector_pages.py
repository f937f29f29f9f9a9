"""The page of each detector explains every answer it gives."""

from enum import StrEnum

import pytest

from kanhu.vitals.oxygen import OxygenReason
from kanhu.vitals.weight import WeightReason
from tests.architecture.layout import ROOT


@pytest.mark.parametrize(("page", "answers"), [("oxygen", OxygenReason), ("weight", WeightReason)])
def test_every_answer_is_explained(page: str, answers: type[StrEnum]) -> None:
    text = (ROOT / f"docs/detection/{page}.md").read_text(encoding="utf-8")
    assert [answer for answer in answers if f"`{answer}`" not in text] == []
