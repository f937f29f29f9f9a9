"""Each proof is told in docs/proofs.md, and the README counts the stories as they are."""

import re
from pathlib import Path

import pytest

from kanhu.harness.prove.__main__ import TASKS

_ROOT = Path(__file__).resolve().parents[2]
_PROOFS = (_ROOT / "docs" / "proofs.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("task", TASKS)
def test_each_proof_has_a_row_and_a_chapter_here_or_on_the_page_that_the_row_names(task: str) -> None:
    row = re.search(rf"^\| `{task}` \|.*$", _PROOFS, re.MULTILINE)
    assert row is not None
    told_elsewhere = re.search(r"\]\([\w-]+\.md\)", row[0])
    assert told_elsewhere or f"\n## ./run prove {task}\n" in _PROOFS


def test_the_readme_counts_the_stories_of_the_library() -> None:
    stories = len(list((_ROOT / "harness" / "scenarios" / "library").glob("*.toml")))
    assert f"each of {stories} small stories" in (_ROOT / "README.md").read_text(encoding="utf-8")
