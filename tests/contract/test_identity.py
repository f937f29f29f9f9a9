"""An alert has one id wherever it is made, and no two alerts share one."""

from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kanhu.contract import Evidence, Subject, SubjectKind, alert_id, new_epoch
from tests.contract.strategies import evidence, subjects, texts

PERSON = Subject(SubjectKind.RESIDENT, "r-0003")
FIRST = Evidence("spo2", 880, "oximeter-03", "b" * 32, 5_000_000_000, 1_790_000_000_000)


def test_the_id_is_pinned() -> None:
    assert alert_id(PERSON, "SPO2-LOW", FIRST) == "xxltq5erftqopmxp2ck63dgjnq"


@pytest.mark.parametrize(
    ("subject", "rule", "changes"),
    [
        (Subject(SubjectKind.UNIDENTIFIED, "r-0003"), "SPO2-LOW", {}),
        (Subject(SubjectKind.RESIDENT, "r-0004"), "SPO2-LOW", {}),
        (PERSON, "SOS", {}),
        (PERSON, "SPO2-LOW", {"metric": "pulse_oximeter"}),
        (PERSON, "SPO2-LOW", {"device": "oximeter-04"}),
        (PERSON, "SPO2-LOW", {"boot": "c" * 32}),
        (PERSON, "SPO2-LOW", {"mono_ns": 5_000_000_001}),
    ],
)
def test_another_subject_rule_or_first_evidence_is_another_alert(
    subject: Subject, rule: str, changes: dict[str, Any]
) -> None:
    other = msgspec.structs.replace(FIRST, **changes)
    assert alert_id(subject, rule, other) != alert_id(PERSON, "SPO2-LOW", FIRST)


def test_a_corrected_wall_clock_does_not_make_another_alert() -> None:
    assert alert_id(PERSON, "SOS", msgspec.structs.replace(FIRST, arrival_ms=7)) == alert_id(PERSON, "SOS", FIRST)


@given(subjects, texts, evidence)
def test_any_id_is_26_letters_and_digits_of_base32(subject: Subject, rule: str, first: Evidence) -> None:
    found = alert_id(subject, rule, first)
    assert len(found) == 26
    assert set(found) <= set("abcdefghijklmnopqrstuvwxyz234567")


short = st.text(max_size=10)


@given(short, short, short)
def test_text_moved_from_one_field_to_the_next_is_another_alert(one: str, two: str, moved: str) -> None:
    assume(moved)
    here = alert_id(Subject(SubjectKind.RESIDENT, one + moved), two, FIRST)
    there = alert_id(Subject(SubjectKind.RESIDENT, one), moved + two, FIRST)
    assert here != there


@pytest.mark.parametrize("separator", ["\x1f", "\x00", "|", "\n"])
def test_no_separator_in_an_id_makes_two_alerts_one(separator: str) -> None:
    here = alert_id(Subject(SubjectKind.RESIDENT, f"a{separator}b"), "c", FIRST)
    there = alert_id(Subject(SubjectKind.RESIDENT, "a"), f"b{separator}c", FIRST)
    assert here != there


def test_epochs_are_32_hex_digits_and_never_repeat() -> None:
    made = {new_epoch() for _ in range(1000)}
    assert len(made) == 1000
    assert all(len(bytes.fromhex(epoch)) == 16 and epoch == epoch.lower() for epoch in made)
