"""What is fuzzed: every codec that there is, as a function of bytes; and what is wrong in one is found and kept."""

import pkgutil
import random
import re
from contextlib import suppress
from pathlib import Path

import pytest

import kanhu.edge.codecs
from kanhu.edge.errors import DecodeError
from kanhu.harness.fuzz.names import target_names
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
