"""A pack that takes the place of the shipped one: other numbers and words, and no rule that hears or says less."""

from typing import Any

import pytest

from kanhu.vitals import PackRefused
from kanhu.vitals.packs import load_replacement
from tests.vitals.test_pack import changed


def laid_over(table: dict[str, Any], change: dict[str, Any]) -> None:
    """Change a rule's table; `limits` stands for the first of them, None takes a field out."""
    for name, value in change.items():
        if isinstance(value, dict) and isinstance(table[name], dict) and "mode" not in value:
            laid_over(table[name], value)
        elif name == "limits":
            laid_over(table[name][0], value)
        elif value is None:
            table.pop(name)
        else:
            table[name] = value


@pytest.mark.parametrize(
    ("rule", "change", "field"),
    [
        ("SOS", {"population": "tag:nobody"}, "population"),
        ("SOS", {"context": ["clinic"]}, "context"),
        ("SOS", {"runs": "cloud"}, "runs"),
        ("SOS", {"priority": "low"}, "priority"),
        ("SOS", {"approved_by": " "}, "approved_by"),
        ("SOS", {"trigger": {"metric": "well_check"}}, "trigger.metric"),
        ("SOS", {"trigger": {"fine_step": 1}}, "trigger.fine_step"),
        ("SOS", {"trigger": {"questionable_priority": "low"}}, "trigger.questionable_priority"),
        ("SOS", {"clear": {"mode": "readings", "count": 1}}, "clear.mode"),
        ("WELL-CHECK", {"confirm": {"mode": "once"}, "sentence": {"en": "No sign", "zh": "无"},
                        "cleared": {"en": "Sign", "zh": "有"}}, "confirm.mode"),
        ("HR-EXTREME", {"trigger": {"limits": {"at_or_below": None}}}, "trigger.limits"),
        ("SPO2-LOW", {"trigger": {"limits": {"high_at_or_below": None}}}, "trigger.limits"),
        ("ROOM-COLD", {"trigger": {"at_rest": True}}, "trigger.at_rest"),
        ("WATCH-LOST", {"trigger": {"then": "technical"}}, "trigger.then"),
        ("WATCH-LOST", {"trigger": {"watch_list": []}}, "trigger.watch_list"),
    ],
)  # fmt: skip  # a list reads by lines
def test_a_rule_that_would_hear_or_say_less_is_refused(rule: str, change: dict[str, Any], field: str) -> None:
    with pytest.raises(PackRefused) as caught:
        load_replacement(changed(rule, lambda table: laid_over(table, change)))
    assert (caught.value.rule, caught.value.field) == (rule, field)
    assert caught.value.remedy


def test_a_trend_that_looks_at_fewer_vitals_is_refused() -> None:
    with pytest.raises(PackRefused) as caught:
        load_replacement(changed("TREND", lambda table: table["trigger"]["vitals"].pop()))
    assert (caught.value.rule, caught.value.field) == ("TREND", "trigger.vitals")


def test_another_kind_of_rule_under_a_known_id_is_refused() -> None:
    def into_an_event(table: dict[str, Any]) -> None:
        table.update(
            kind="event", trigger={"metric": "help_button", "questionable_priority": "high"}, confirm={"mode": "once"}
        )
        table.update(clear={"mode": "readings", "count": 1}, sentence=table["title"], cleared=table["title"])

    with pytest.raises(PackRefused) as caught:
        load_replacement(changed("SPO2-LOW", into_an_event))
    assert (caught.value.rule, caught.value.field) == ("SPO2-LOW", "kind")


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("SPO2-LOW", {"trigger": {"limits": {"at_or_below": "90"}}}),
        ("SPO2-LOW", {"confirm": {"count": 4}}),
        ("SPO2-LOW", {"priority": "high"}),
        ("SOS", {"title": {"zh": "求助"}, "dedupe_s": 300, "trigger": {"questionable_priority": "high"}}),
        ("WELL-CHECK", {"confirm": {"prompts": 3}}),
        ("RHYTHM", {"version": "2", "trigger": {"entropy_above": 0.8}}),
    ],
)
def test_other_numbers_and_words_and_a_higher_priority_are_taken(rule: str, change: dict[str, Any]) -> None:
    assert load_replacement(changed(rule, lambda table: laid_over(table, change))).rule(rule) is not None
