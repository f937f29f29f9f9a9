"""Each kind of device has a page, and every reason a reading can be refused or doubted for is explained there."""

from pathlib import Path

import pytest

from kanhu.edge.errors import DecodeReason, LinkReason
from kanhu.edge.kinds import kind_names
from kanhu.edge.whose import WhoseReason

_SPOKEN_THROUGH = {"modem-sms"}  # not read: the gateway's own alarm uses it
_PAGES = Path(__file__).resolve().parents[2] / "docs" / "devices"


@pytest.mark.parametrize("kind", kind_names())
def test_each_kind_of_device_has_a_page(kind: str) -> None:
    page = (_PAGES / f"{kind}.md").read_text(encoding="utf-8")
    for heading in ("## What it is", "## On the wire", "## What is a reading", "## Quality", "## Settings"):
        assert heading in page
    assert f'kind = "{kind}"' in page


def test_the_pages_name_every_refusal_every_state_of_a_link_and_every_answer_whose_reading_it_is() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in sorted(_PAGES.glob("*.md")))
    missing = [reason.value for reason in [*DecodeReason, *LinkReason, *WhoseReason] if f"`{reason.value}`" not in text]
    assert missing == []


def test_no_page_is_about_a_device_nobody_can_configure() -> None:
    assert {page.stem for page in _PAGES.glob("*.md")} == {
        "README",
        *_SPOKEN_THROUGH,
        *kind_names(),
    }
