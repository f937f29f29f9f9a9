"""docs/rules.md names every rule with all of its numbers, and every answer."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest

from kanhu.vitals import DecisionReason, Rule, core_pack
from kanhu.vitals.rules.checks import supplied_params

PAGE = (Path(__file__).parent.parent.parent / "docs" / "rules.md").read_text(encoding="utf-8")
RULES = core_pack().rules


def section(heading: str) -> str:
    """Text from a heading to the next one."""
    found = re.search(rf"^### {re.escape(heading)}$(.*?)(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    return "" if found is None else " ".join(found[1].split())


def numbers(value: object) -> Iterator[str]:
    """Every number of a rule, as people write it."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from numbers(getattr(value, name))
    elif isinstance(value, tuple):
        for inner in value:
            yield from numbers(inner)
    elif isinstance(value, str | bool | date | type(None)):
        return
    else:
        yield f"{float(str(value)):.10g}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_a_section_with_all_its_numbers(rule: Rule) -> None:
    text = section(rule.id)
    assert rule.title.en in text
    assert "only a person ends it" in text.lower() or "clear |" in text or "heartbeat ends it" in text
    for number in numbers(rule):
        assert re.search(rf"(?<![\d.]){re.escape(number)}(?![\d.]\d|\d)", text), number


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_page_says_where_and_how_urgent_a_rule_is(rule: Rule) -> None:
    text = section(rule.id)
    assert {"gateway": "on the gateway", "cloud": "in the county"}[rule.runs] in text
    assert rule.priority in text


def test_page_has_no_rule_that_the_pack_has_not() -> None:
    assert re.findall(r"^### (.+)$", PAGE, re.MULTILINE) == [rule.id for rule in RULES]
    assert f"version {core_pack().version}" in PAGE


def test_every_answer_is_explained_once_and_none_is_invented() -> None:
    answers = PAGE.split("## What a rule answers")[1].split("## Scores")[0]
    assert sorted(re.findall(r"^\| `(\w+)`", answers, re.MULTILINE)) == sorted(DecisionReason)


def test_parameters_of_sentences_are_named() -> None:
    named = PAGE.split("## Writing a pack")[1]
    for rule in RULES:
        for name in supplied_params(rule):
            measured = rule.kind == "threshold" and name not in {"count", "minutes"}
            assert measured or f"`{name}`" in named
