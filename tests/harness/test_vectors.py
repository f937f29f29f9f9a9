"""`./run vectors`: what counts as passed, what as failed, what as unsupported; and the shipped file has no failure."""

import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kanhu.harness.errors import VectorsRefused
from kanhu.harness.vectors.__main__ import Outcome, judge, main
from kanhu.harness.vectors.comparison import difference
from kanhu.harness.vectors.disputes import DISPUTES, Dispute, Word, dispute_over, disputed_difference
from kanhu.harness.vectors.file import read_vectors
from kanhu.harness.vectors.vector import Vector

_SHIPPED = Path(__file__).resolve().parents[1] / "vectors" / "device_vectors.json"
_RATE = {"id": "1", "protocol": "BLE HRS 0x2A37", "hex": "0055"}


def vector(**fields: Any) -> Vector:
    record = {**_RATE, "expected": {"heart_rate_bpm": 85}, **fields}
    return Vector(record["id"], record["protocol"], bytes.fromhex(record["hex"]), record["expected"], record)


def test_no_published_frame_is_read_otherwise_than_its_publisher_says() -> None:
    verdicts = [judge(one) for one in read_vectors(_SHIPPED)]
    failed = [one for one in verdicts if one.outcome is Outcome.FAILED]
    assert [f"{one.vector.protocol} {one.vector.id}: {one.detail}" for one in failed] == []
    assert Counter(one.outcome for one in verdicts)[Outcome.PASSED] > 0
    assert all(one.detail for one in verdicts if one.outcome is Outcome.UNSUPPORTED), "unsupported, and nobody says why"


def test_every_dispute_is_over_a_shipped_frame_and_is_told_with_its_reason_and_source() -> None:
    shipped = {one.frame.hex(): one for one in read_vectors(_SHIPPED)}
    for frame, dispute in DISPUTES.items():
        verdict = judge(shipped[frame])
        assert dispute_over(shipped[frame]) == dispute
        assert verdict.outcome is Outcome.UNSUPPORTED
        assert dispute.why in verdict.detail
        assert dispute.source in verdict.detail


def test_a_dispute_excuses_its_fields_of_its_frame_and_nothing_else() -> None:
    shipped = {one.frame.hex(): one for one in read_vectors(_SHIPPED)}
    for frame, dispute in DISPUTES.items():
        one = shipped[frame]
        assert judge(replace(one, expected={**one.expected, "made_up": 1})).outcome is Outcome.FAILED
        for field in dispute.fields:
            otherwise = replace(one, expected={**one.expected, field: 77.7})
            assert judge(otherwise).outcome is Outcome.FAILED, "he states something else, which nobody disputes"


@pytest.mark.parametrize("decoded", [-7.3481, -7.4, None])
def test_a_disputed_value_fails_once_the_codec_says_anything_else(decoded: float | None) -> None:
    stated = {"tempc": -7.3481, "hum": 48.1}
    dispute = dispute_over(vector(protocol="Govee H5072/75", hex="88ec00811f096400", expected=stated))
    assert dispute is not None
    assert list(dispute.fields) == ["tempc"]
    assert disputed_difference(stated, {"tempc": Decimal("-7.3"), "hum": 48.1}, dispute) is None
    found = disputed_difference(stated, {"tempc": decoded, "hum": 48.1}, dispute)
    assert found is not None
    assert found.startswith("tempc: ")


def test_a_field_disputed_as_not_in_the_bytes_fails_once_it_is_decoded() -> None:
    dispute = Dispute({"a": (1, Word.NOTHING)}, "why", "source")
    assert disputed_difference({"a": 1, "b": 2}, {"b": 2}, dispute) is None
    assert disputed_difference({"a": 1, "b": 2}, {"b": 3}, dispute) == "b: expected 2, decoded 3"
    found = disputed_difference({"a": 1, "b": 2}, {"a": 1, "b": 2}, dispute)
    assert found is not None
    assert found.startswith("a: disputed as not in these bytes")


def test_the_stated_fields_decide_and_more_of_them_are_welcome() -> None:
    assert judge(vector()).outcome is Outcome.PASSED
    wrong = judge(vector(expected={"heart_rate_bpm": 86}))
    assert wrong.outcome is Outcome.FAILED
    assert "heart_rate_bpm: expected 86" in wrong.detail
    missing = judge(vector(expected={"heart_rate_bpm": 85, "blood_group": "A"}))
    assert missing.outcome is Outcome.FAILED
    assert "blood_group" in missing.detail


def test_a_frame_stated_as_an_error_has_to_be_refused() -> None:
    assert judge(vector(hex="1701", expected={"error": "truncated"})).outcome is Outcome.PASSED
    assert judge(vector(expected={"error": "truncated"})).outcome is Outcome.FAILED
    refused = judge(vector(hex="1701"))
    assert refused.outcome is Outcome.FAILED
    assert refused.detail.startswith("refused: short")


def test_a_protocol_that_nobody_decodes_is_unsupported_and_never_passed() -> None:
    assert judge(vector(protocol="Toaster 9", expected={})).outcome is Outcome.UNSUPPORTED
    assert judge(vector(protocol="Toaster 9", expected={"error": "short"})).outcome is Outcome.UNSUPPORTED


@pytest.mark.parametrize(
    ("expected", "decoded", "field"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}, None),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "a.b"),
        ({"a": {"b": 1}}, {"a": 1}, "a"),
        ({"a": [1, 2]}, {"a": (1, 2)}, None),
        ({"a": [1, 2]}, {"a": (1, 3)}, "a[1]"),
        ({"a": [1, 2]}, {"a": (1,)}, "a"),
        ({"a": [1, 2]}, {"a": (1, 2, 3)}, "a"),
        ({"a": 21.3}, {"a": Decimal("21.3")}, None),
        ({"a": 21.3}, {"a": Decimal("21.4")}, "a"),
        ({"a": None}, {"a": None}, None),
        ({"a": None}, {"a": 0}, "a"),
        ({"a": 0}, {"a": None}, "a"),
        ({"a": True}, {"a": 1}, None),
        ({"a": True}, {"a": 0}, "a"),
        ({"a": True}, {"a": 2}, "a"),
        ({"a": "ear"}, {"a": "ear"}, None),
        ({"a": "ear"}, {"a": "mouth"}, "a"),
        ({"a": "1"}, {"a": 1}, "a"),
    ],
)
def test_the_first_field_that_differs_is_named(expected: object, decoded: object, field: str | None) -> None:
    found = difference(expected, decoded)
    assert found is None if field is None else found is not None and found.startswith(f"{field}:")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "Expecting value"),
        ("[]", "records"),
        ('{"records": []}', "records"),
        ('{"records": [7]}', "record 1"),
        ('{"records": [{"protocol": "p", "hex": "0g", "expected": {}}]}', "record 1"),
        ('{"records": [{"protocol": "p", "hex": "00", "expected": {}, "bindkey_hex": "x"}]}', "record 1"),
        ('{"records": [{"protocol": "p", "hex": "00"}]}', "expected"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_a_file_that_cannot_be_read_says_which_record(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "vectors.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(VectorsRefused, match=named):
        read_vectors(file)


def test_the_totals_and_the_differing_field_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "vectors.json"
    records = [
        {**_RATE, "expected": {"heart_rate_bpm": 85}},
        {**_RATE, "id": "2", "expected": {"heart_rate_bpm": 84}},
        {**_RATE, "id": "3", "protocol": "Toaster 9", "expected": {}},
    ]
    file.write_text(json.dumps({"records": records}), encoding="utf-8")
    assert main([str(file), "--json"]) == 1
    told = capsys.readouterr().out
    assert "2: heart_rate_bpm: expected 84, decoded 85" in told
    assert json.loads(told.splitlines()[-1])["figures"] == {"passed": 1, "failed": 1, "unsupported": 1}
    assert main([str(file), "--protocol", "Toaster*"]) == 0
    assert main([str(tmp_path / "nowhere.json")]) == 1
    with pytest.raises(SystemExit):
        main([str(file), "--protocol", "Kettle"])
