"""Both catalogues say everything, and nothing else."""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

import kanhu.cloud
from kanhu.cloud.dashboard import wording
from kanhu.cloud.dashboard.languages import CATALOGUES, LANGUAGES, choose_language, language
from kanhu.cloud.dashboard.look import CHOICES
from kanhu.cloud.dashboard.resident_view import PERIODS
from kanhu.cloud.desk import words
from kanhu.cloud.desk.model import ActResult, Outcome, Role
from kanhu.cloud.ingest.receiver import LinkState
from kanhu.cloud.staff.book import SignInReason
from kanhu.contract import ClockState, Priority, QualityLevel, QualityReason, RefusalReason
from kanhu.contract.remote import ReleaseReason

_SOURCE = CATALOGUES.parent
_KEY = re.compile(r"""(?<![\w.])["']([a-z]+\.[a-z_0-9]+)["']""")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")

# Keys that templates and scripts put together from a family and a code.
_FAMILIES = {
    "priority": list(Priority),
    "tag": wording.TAGS,
    "sex": ("f", "m"),
    "quality": list(QualityReason),
    "trust": list(QualityLevel),
    "outcome": list(Outcome),
    "link": wording.LINKS,
    "gateway": wording.GATEWAY_STATES,
    "kind": wording.GATEWAY_KINDS,
    "clock": list(ClockState),
    "release": [*ReleaseReason, "number", "none", "refused"],
    "counter": wording.COUNTERS,
    "alarm": wording.ALARM_WAYS,
    "fault": wording.FAULTS,
    "refusal": wording.REFUSALS,
    "actor": ("county",),
    "role": list(Role),
    "nav": ("triage", "readings", "equipment", "me"),
    "chips": ("all", "unclaimed", "mine"),
    "close": [family for family, _ in wording.OUTCOMES],
    "condition": ("present", "pending", "absent"),
    "absent": ("alert", "resident", "page"),
    "look": CHOICES,
    **CHOICES,
    "trend": [f"days_{days}" for days in PERIODS],
    "said": [
        *("claim", "undo", "close"),
        *(each for each in ActResult if each not in {"done", "replayed", "not_found"}),
    ],
    "login": [each for each in SignInReason if each != "signed_in"],
    "equipment": (
        *("gateway", "state", "last_seen", "people", "owed"),
        *("stored", "refused", "alarm", "clock"),
    ),
    "readings": ("at", "device", "values", "readings", "answer"),
    "help": (
        *("move", "open", "claim", "call", "mute", "help", "close"),
        *(f"sound_{each}" for each in Priority),
    ),
    "bar": ("stale", "offline", "error", "deaf"),
}


def _catalogue(name: str) -> Catalog:
    with (CATALOGUES / name / "LC_MESSAGES" / "dashboard.po").open("rb") as file:
        return read_po(file, locale=name)


def _sentences(name: str) -> dict[str, tuple[str, ...]]:
    found = {}
    for message in _catalogue(name):
        if message.id:
            key = message.id if isinstance(message.id, str) else message.id[0]
            text = message.string
            found[key] = (text,) if isinstance(text, str) else tuple(text or ())
    return found


def _used() -> set[str]:
    known = set(_sentences("en"))
    families = {key.split(".")[0] for key in known}
    used = {f"{family}.{code}" for family, codes in _FAMILIES.items() for code in codes}
    for file in _files():
        for key in _KEY.findall(file.read_text(encoding="utf-8")):
            if key.split(".")[0] in families and not key.endswith((".js", ".css", ".svg", ".html", "_")):
                used.add(key)
    for plain in ("brand", "skip"):
        used.add(plain)
    return used


def _modules() -> Iterator[str]:
    for found in pkgutil.walk_packages(kanhu.cloud.__path__, "kanhu.cloud."):
        if not found.name.startswith("kanhu.cloud.ledger.migrations"):
            yield found.name


def _files() -> Iterator[Path]:
    yield from (_SOURCE / "templates").glob("*.html")
    yield from _SOURCE.glob("*.py")
    yield from (_SOURCE / "static").glob("*.js")


def test_every_sentence_a_screen_asks_for_exists() -> None:
    assert sorted(_used() - set(_sentences("en"))) == []


def test_no_sentence_is_kept_that_nobody_asks_for() -> None:
    assert sorted(set(_sentences("en")) - _used()) == []


def test_every_counter_and_every_refusal_the_county_can_make_has_words() -> None:
    counted, refused = set(), {str(reason) for reason in RefusalReason}
    for name in _modules():
        module = importlib.import_module(name)
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                counted |= set(re.findall(r"^ingest\.(\w+)$", node.value))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refused":
                reason = node.args[0]
                named = getattr(module, reason.id, None) if isinstance(reason, ast.Name) else None
                told = reason.value if isinstance(reason, ast.Constant) else named
                refused |= {str(told)} - {"None"}
    assert "retained_status_ignored" in counted
    assert "bad_topic" in refused
    assert sorted(counted - set(wording.COUNTERS)) == []
    assert sorted(refused - set(wording.REFUSALS)) == []


def test_every_state_of_the_link_to_the_broker_has_words() -> None:
    assert {*wording.LINKS, "connected"} == set(LinkState)


def test_both_catalogues_have_the_same_keys() -> None:
    assert set(_sentences("zh_CN")) == set(_sentences("en"))


@pytest.mark.parametrize("name", LANGUAGES.values())
def test_no_sentence_is_missing_or_fuzzy(name: str) -> None:
    unsure = [message.id for message in _catalogue(name) if message.id and message.fuzzy]
    empty = [key for key, texts in _sentences(name).items() if not texts or not all(texts)]
    assert (unsure, empty) == ([], [])


def test_both_languages_fill_in_the_same_values() -> None:
    chinese, english = _sentences("zh_CN"), _sentences("en")
    for key, texts in english.items():
        names = {tuple(sorted(set(_PLACEHOLDER.findall(text)))) for text in (*texts, *chinese[key])}
        assert len(names) == 1, (key, names)


def test_an_alert_ends_in_one_word_and_only_a_window_is_shut() -> None:
    shut = {key for key, texts in _sentences("zh_CN").items() if any("关闭" in text for text in texts)}
    assert shut <= {"act.close_dialog", "help.close"}
    assert "关闭" not in inspect.getsource(words)


def test_english_counts_one_and_many_and_chinese_needs_no_plural() -> None:
    assert language("en").count("time.days", 1) == "1 day"
    assert language("en").count("time.days", 3) == "3 days"
    assert language("zh").count("time.days", 1) == "1 天"


@pytest.mark.parametrize(
    ("seconds", "english"),
    [
        (-5, "0 min"),
        (59, "0 min"),
        (360, "6 min"),
        (3600, "1 h"),
        (4260, "1 h 11 m"),
        (86400, "1 day"),
        (3e6, "34 days"),
    ],
)
def test_waiting_is_told_in_minutes_hours_and_days(seconds: float, english: str) -> None:
    assert language("en").duration(seconds) == english


def test_times_are_the_countys() -> None:
    at = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
    assert language("zh").clock(at, ZoneInfo("Asia/Shanghai")) == "01:30"
    assert language("zh").moment(at, ZoneInfo("Asia/Shanghai")) == "11-23 01:30"


@pytest.mark.parametrize(
    ("cookie", "header", "chosen"),
    [
        (None, "", "zh"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "fr,en;q=0.2,zh;q=0.8", "zh"),
        (None, "de", "zh"),
        ("en", "zh", "en"),
        ("xx", "en", "en"),
        (None, "en;q=high,zh", "zh"),
    ],
)
def test_the_persons_choice_comes_before_the_browsers(cookie: str | None, header: str, chosen: str) -> None:
    assert choose_language(cookie, header) == chosen


@given(st.text(), st.text())
def test_any_header_leads_to_a_language(cookie: str, header: str) -> None:
    assert choose_language(cookie, header) in LANGUAGES
