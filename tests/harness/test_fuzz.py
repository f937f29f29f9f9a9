"""What is fuzzed: every codec that there is, as a function of bytes; and what is wrong in one is found and kept."""

import pkgutil
import random
import re
from contextlib import suppress
from pathlib import Path

import pytest

import kanhu.edge.codecs
from kanhu.edge.errors import DecodeError
from kanhu.harness.fuzz.corpus import keep, kept_frames, kept_targets, shortest_reaching
from kanhu.harness.fuzz.names import target_names
from kanhu.harness.fuzz.proof import keep_found
from kanhu.harness.fuzz.targets import find_targets
from kanhu.harness.fuzz.watch import COUNTED, KEPT, broken, watched

_TARGETS = find_targets()


def test_no_codec_is_forgotten() -> None:
    """A module of codecs that decodes is fuzzed, whatever it is called."""
    fuzzed = {name.split(".", 1)[0] for name in _TARGETS}
    for module in pkgutil.iter_modules(kanhu.edge.codecs.__path__):
        source = (Path(kanhu.edge.codecs.__path__[0]) / f"{module.name}.py").read_text(encoding="utf-8")
        decodes = re.search(r"^def decode_\w+\((\w+: int, )?\w+: bytes", source, re.MULTILINE) is not None
        assert decodes <= (module.name in fuzzed), module.name


@pytest.mark.parametrize("name", _TARGETS)
def test_a_thousand_strings_are_decoded_or_refused(name: str) -> None:
    source = random.Random(20_261_127)
    for _ in range(1000):
        with suppress(DecodeError):
            _TARGETS[name](source.randbytes(source.randrange(64)))


def test_codecs_are_named_by_patterns() -> None:
    assert target_names(["glucose.*"]) == ["glucose.decode_glucose"]
    assert target_names(["nothing*"]) == []


def test_what_a_codec_may_not_do_is_counted_and_kept_with_its_frame(tmp_path: Path) -> None:
    call = watched(broken, tmp_path)
    for frame in (b"", b"\x5a\x01", b"\x5a\x09", b"\x5a\xff\x00"):
        call(frame)
    assert (tmp_path / COUNTED).read_text(encoding="utf-8") == "2\n"
    kept = (tmp_path / KEPT).read_text(encoding="utf-8")
    assert kept.startswith("5a09\n")
    assert "IndexError" in kept


def test_a_refusal_is_no_failure(tmp_path: Path) -> None:
    watched(_TARGETS["glucose.decode_glucose"], tmp_path)(b"")
    assert list(tmp_path.iterdir()) == []


_FRAMES = (b"", b"\x5a", b"\x5a\x01", b"\x5a\x00", b"\x11\x22", b"\x5a\x09", b"\x5a\xff\x00")


def test_of_frames_that_reach_the_same_the_shortest_are_kept() -> None:
    target = _TARGETS["battery.decode_battery_percent"]
    assert shortest_reaching(target, [b"\x32", b"\x33", b"", b"\x00\x01", b"\x00\x01\x02"]) == [
        b"",
        b"\x32",
        b"\x00\x01",
    ]
    assert shortest_reaching(target, [b"\x32", b""], beside=[b"\x33"]) == [b""]


def test_a_frame_that_brings_out_an_exception_is_kept_beside_those_that_do_not() -> None:
    assert b"\x5a\x09" in shortest_reaching(broken, _FRAMES)


def test_what_was_found_is_added_to_what_is_kept_and_gone_codecs_are_removed(tmp_path: Path) -> None:
    name, kept, corpus = "battery.decode_battery_percent", tmp_path / "kept", tmp_path / "corpus"
    (corpus / name).mkdir(parents=True)
    for number, frame in enumerate((b"\x00\x01", b"\x00\x02")):
        (corpus / name / str(number)).write_bytes(frame)
    keep(name, [b"\xff"], folder=kept)
    keep("gone.decode_gone", [b"\x01"], folder=kept)
    keep_found([name], corpus=corpus, all_targets=False, folder=kept)
    assert kept_targets(kept) == [name, "gone.decode_gone"]
    assert list(kept_frames(name, folder=kept)) == [b"", b"\xff"], (
        "the empty one is tried always; a published one has two bytes"
    )
    keep_found([name], corpus=corpus, all_targets=True, folder=kept)
    assert kept_targets(kept) == [name]
    assert list(kept_frames("gone.decode_gone", folder=kept)) == []
    keep_found(["heart_rate.decode_heart_rate"], corpus=corpus, all_targets=False, folder=kept)
    assert list(kept_frames(name, folder=kept)) == [b"", b"\xff"], "another, whose turn did not come, changes nothing"
