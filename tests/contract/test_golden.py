"""Format version 1 is what it was on the first day: pinned bytes, pinned words, and a change that goes red."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from kanhu.contract import Finding, Gap, Observation, Waveform
from kanhu.contract import _columns as columns
from kanhu.contract.envelope import FORMAT_VERSION, encode_body
from tests.contract.golden import FOLDER, MESSAGES, body_of, in_words

ENVELOPES = [name for name in MESSAGES if name.startswith("envelope_")]
OTHERS = [name for name in MESSAGES if name not in ENVELOPES]
PINNED_SHA256 = "7d35b2a4fc47b3a6c70e8de91005cb7e5a2fbe2d7699da052020a1dcb96d4221"


def pinned(name: str) -> bytes:
    return (FOLDER / f"{name}.bin").read_bytes()


def check_body(name: str) -> None:
    """The one check of the encoder: before compression it gives the pinned bytes."""
    assert encode_body(MESSAGES[name].value) == body_of(pinned(name))


@pytest.mark.parametrize("name", MESSAGES)
def test_pinned_bytes_decode_to_pinned_words(name: str) -> None:
    words = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert in_words(MESSAGES[name].decode(pinned(name))) == words
    assert MESSAGES[name].decode(pinned(name)) == MESSAGES[name].value


@pytest.mark.parametrize("name", ENVELOPES)
def test_the_encoder_gives_the_pinned_bytes_before_compression(name: str) -> None:
    check_body(name)


@pytest.mark.parametrize("name", OTHERS)
def test_records_receipts_and_statuses_are_encoded_to_the_pinned_bytes(name: str) -> None:
    assert MESSAGES[name].encode(MESSAGES[name].value) == pinned(name)


def test_golden_files_never_change() -> None:
    files = sorted(FOLDER.iterdir())
    assert [path.name for path in files] == sorted(f"{name}.{kind}" for name in MESSAGES for kind in ("bin", "json"))
    together = hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files)).hexdigest()
    assert together == PINNED_SHA256, "a golden message changed: give the new format a new version and a new folder"
    assert FOLDER.name == f"golden_v{FORMAT_VERSION}"


def test_every_kind_of_record_has_its_golden_message() -> None:
    kinds = {type(record) for _, record in MESSAGES["envelope_everything"].value.records}
    assert kinds == {Observation, Waveform, Finding, Gap}


def test_every_pinned_envelope_says_its_version() -> None:
    assert {pinned(name)[:3] for name in ENVELOPES} == {b"KH" + bytes([FORMAT_VERSION])}
    assert {pinned(name)[3] for name in ENVELOPES} == {0, 1, 2}


CHANGES: dict[str, Callable[[columns.Columns], columns.Columns]] = {
    "device time is forgotten": lambda packed: msgspec.structs.replace(
        packed, device_ms=[None] * len(packed.device_ms)
    ),
    "times are no longer differences": lambda packed: msgspec.structs.replace(
        packed, arrival_ms=packed.arrival_ms[::-1]
    ),
    "steps are stored twice": lambda packed: msgspec.structs.replace(packed, steps=packed.steps * 2),
    "columns change places": lambda packed: msgspec.structs.replace(
        packed, arrival_ms=packed.mono_ns, mono_ns=packed.arrival_ms
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_format_change_without_a_new_version_goes_red(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[columns.Columns], columns.Columns]
) -> None:
    whole = columns.pack_columns

    def changed(*arguments: Any) -> columns.Columns:
        return change(whole(*arguments))

    monkeypatch.setattr("kanhu.contract.envelope.pack_columns", changed)
    with pytest.raises(AssertionError):
        check_body("envelope_observations")
