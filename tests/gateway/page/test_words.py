"""Both languages say everything, and nothing that is said is a diagnosis."""

import re
from pathlib import Path

import pytest

from kanhu.contract import METRICS, Priority, QualityReason
from kanhu.edge.cards import Scan
from kanhu.edge.kinds import kind_names, kind_of
from kanhu.edge.whose import NOBODY_KNOWN
from kanhu.gateway.page import words as table
from kanhu.gateway.page.clinic import Attempt
from kanhu.gateway.page.day import RowState
from kanhu.gateway.page.troubles import TroubleKind
from kanhu.gateway.page.words import ADVICE, NOBODY, UNITS, Said

_FOLDER = Path(table.__file__).parent
_WORDS = table._WORDS
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Words that name an illness or promise health; a limit that was set is all that a page may speak of.
_DIAGNOSES = re.compile(
    r"hypertens|hypox|fever|arrhythm|fibrillat|normal|healthy|高血压病|缺氧|发烧|心律失常|房颤|正常值|健康",
    re.IGNORECASE,
)


def every_text() -> list[Said]:
    kinds = [kind_of(name) for name in kind_names()]
    return [*_WORDS.values(), *ADVICE.values(), *(Said(kind.zh, kind.en) for kind in kinds)]


def test_every_text_is_in_both_languages() -> None:
    for said in every_text():
        assert said.zh.strip()
        assert said.en.strip()
        assert set(re.findall(r"\{\w+\}", said.zh)) == set(re.findall(r"\{\w+\}", said.en))
    named = {key for key, said in _WORDS.items() if not _CHINESE.search(said.zh)}
    assert named <= {"other_language", "more_trouble"}
    assert [said.en for said in every_text() if _CHINESE.search(said.en)] == ["中文"]


def test_every_reason_has_words() -> None:
    assert set(ADVICE) == set(QualityReason)
    assert set(NOBODY) == NOBODY_KNOWN
    assert set(NOBODY.values()) <= set(_WORDS)
    told = [scan for scan in Scan if scan is not Scan.CHOSEN]  # who was chosen is seen
    for kinds, prefix in ((TroubleKind, ""), (Attempt, ""), (RowState, "state_"), (told, "scan_")):
        assert [kind.value for kind in kinds if f"{prefix}{kind.value}" not in _WORDS] == []
    assert [one for one in Priority if one is not Priority.TECHNICAL and f"priority_{one.value}" not in _WORDS] == []


def test_every_unit_that_a_device_reports_is_written_for_people() -> None:
    assert {row.ucum for row in METRICS.values() if row.ucum is not None} - set(UNITS) == set()


def test_no_word_is_missing_and_none_is_unused() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in _FOLDER.glob("*.py") if path.stem != "words")
    asked = set(re.findall(r"[\"']([a-z_]+)[\"']", source)) | set(NOBODY.values())
    built = {key for key in _WORDS if key.startswith(("state_", "priority_"))}
    built |= {kind.value for kind in [*TroubleKind, *Attempt]} | {f"scan_{scan.value}" for scan in Scan}
    assert set(_WORDS) - asked - built == set()
    assert [key for key in re.findall(r"say\(\s*[\"']([a-z_]+)[\"']", source) if key not in _WORDS] == []


@pytest.mark.parametrize("said", every_text(), ids=lambda said: said.en[:30])
def test_nothing_is_a_diagnosis_or_a_promise_of_health(said: Said) -> None:
    assert not _DIAGNOSES.search(said.zh + said.en)
