"""Every page that another page points to is there."""

import re
from pathlib import Path

import pytest

from tests.architecture.layout import ROOT, tracked_files

_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_PAGES = [path for path in tracked_files() if path.suffix == ".md"]


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert [link for link in links_of(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()] == []


def test_links_to_other_machines_and_within_a_page_are_left_alone() -> None:
    assert links_of("[a](b.md) [c](https://example.org/d) [e](#f) ![g](h/i.svg) [j](k.md#l)") == [
        "b.md",
        "h/i.svg",
        "k.md",
    ]


def links_of(text: str) -> list[str]:
    """Files that a page points to."""
    return [link for link in _LINK.findall(text) if "://" not in link]
