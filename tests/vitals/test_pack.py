"""A pack that must not run is refused whole, and says which rule, which field, what to do."""

import copy
import math
import tomllib
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from importlib.resources import files
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import METRICS, Priority
from kanhu.vitals import PackRefused, Rule, RuleKind, Runs, core_pack, load_pack
from kanhu.vitals.rules.records import SilenceTrigger

CORE = files("kanhu.vitals.packs").joinpath("core.toml").read_bytes()
TABLE: dict[str, Any] = tomllib.loads(CORE.decode())


def changed(rule_id: str, change: Callable[[dict[str, Any]], None]) -> bytes:
    table = copy.deepcopy(TABLE)
    for rule in table["rule"]:
        if rule["id"] == rule_id:
            change(rule)
    return toml(table)


def toml(table: dict[str, Any]) -> bytes:
    """Just enough TOML for a pack: inline tables, lists, texts, numbers and dates."""
    lines = [f"{name} = {_value(value)}" for name, value in table.items() if name != "rule"]
    for rule in table.get("rule", []):
        lines.append("[[rule]]")
        lines += [f"{name} = {_value(value)}" for name, value in rule.items()]
    return "\n".join(lines).encode()


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_value(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_value(inner) for inner in value) + "]"
    if isinstance(value, str):
        return msgspec.json.encode(value).decode()
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date) else str(value)


def refused(data: bytes) -> PackRefused:
    with pytest.raises(PackRefused) as caught:
        load_pack(data)
    return caught.value


def test_shipped_pack_loads_with_the_rules_of_both_places() -> None:
    pack = core_pack()
    assert pack.version == "2026.11"
    runs = {rule.id: rule.runs for rule in pack.rules}
    gateway, cloud = Runs.GATEWAY, Runs.CLOUD
    assert runs == {
        "SOS": gateway,
        "INACT": gateway,
        "WEIGHT-HF": gateway,
        "FALL": gateway,
        "SMOKE": gateway,
        "CARBON-MONOXIDE": gateway,
        "GAS": gateway,
        "WATER": gateway,
        "SPO2-LOW": gateway,
        "BP-SEVERE": gateway,
        "HR-EXTREME": gateway,
        **dict.fromkeys(("BP-LOW", "GLU-LOW", "CGM-LOW", "GLU-HIGH", "TEMP-HIGH", "TEMP-MID", "TEMP-LOW"), gateway),
        **dict.fromkeys(("RR-EXTREME", "HR-HIGH"), gateway),
        "RHYTHM": gateway,
        "TREND": cloud,
        "WATCH-LOST": cloud,
        "ALARM-BAD": cloud,
        "SENSOR-BAD": cloud,
        "GATEWAY-FLOOD": cloud,
        "CAME-BACK": cloud,
        "WELL-CHECK": gateway,
        "ROOM-COLD": gateway,
        "ROOM-HEAT": gateway,
    }
    assert all(rule.source and rule.approved() for rule in pack.rules)
    assert pack.rule("NO-SUCH") is None
    assert load_pack(toml(TABLE)) == pack


def test_silence_says_when_it_is_technical_and_when_it_is_about_people() -> None:
    rule = core_pack().rule("WATCH-LOST")
    assert rule is not None
    assert isinstance(rule.trigger, SilenceTrigger)
    assert (rule.trigger.technical_s, rule.trigger.watch_list_s, rule.trigger.all_s) == (180, 900, 7200)
    assert (rule.priority, rule.trigger.then) == (Priority.TECHNICAL, Priority.MEDIUM)


@pytest.mark.parametrize(("error_s", "is_off"), [(301, True), (-301, True), (300, False), (-300, False), (0, False)])
def test_a_device_clock_counts_as_wrong_beyond_five_minutes(error_s: int, is_off: bool) -> None:
    trigger = core_pack().device_clocks()
    assert trigger is not None
    assert trigger.is_off(error_s) is is_off


@pytest.mark.parametrize("clear_s", [-1, 301])
def test_a_clock_rule_that_never_ends_is_refused(clear_s: int) -> None:
    error = refused(changed("SENSOR-BAD", lambda rule: rule["trigger"].update(clear_s=clear_s)))
    assert (error.rule, error.field) == ("SENSOR-BAD", "trigger.clear_s")


@pytest.mark.parametrize("field", [name for name in Rule.__struct_fields__ if name not in {"cleared"}])
def test_no_field_may_be_missing(field: str) -> None:
    error = refused(changed("SPO2-LOW", lambda rule: rule.pop(field)))
    assert error.field == field
    assert error.rule == ("" if field == "id" else "SPO2-LOW")
    assert error.remedy


@pytest.mark.parametrize("source", ["", "   "])
def test_rule_without_a_source_does_not_run(source: str) -> None:
    error = refused(changed("SOS", lambda rule: rule.update(source=source)))
    assert (error.rule, error.field) == ("SOS", "source")
    assert "does not run" in error.remedy


def test_duplicate_id_is_refused() -> None:
    error = refused(changed("SOS", lambda rule: rule.update(id="RHYTHM")))
    assert (error.rule, error.field, error.problem) == ("RHYTHM", "id", "used twice")


@pytest.mark.parametrize(
    ("rule_id", "field", "value", "named"),
    [
        ("SOS", "runs", "nowhere", "runs"),
        ("SOS", "kind", "oracle", "kind"),
        ("SOS", "kind", "rhythm", "trigger"),
        ("SOS", "priority", "red", "priority"),
        ("SOS", "context", ["moon"], "context"),
        ("SOS", "context", [], "context"),
        ("SOS", "population", "some", "population"),
        ("SOS", "valid_from", "soon", "valid_from"),
        ("SOS", "dedupe_s", -1, "dedupe_s"),
        ("SOS", "dedupe_s", "long", "dedupe_s"),
        ("SOS", "lapse_s", -1, "lapse_s"),
        ("SOS", "renew_s", float("nan"), "renew_s"),
        ("SOS", "dedupe_s", float("inf"), "dedupe_s"),
        ("SOS", "confirm", {"mode": "guess"}, "confirm"),
        ("SOS", "confirm", {"mode": "consecutive", "count": 3, "within_s": 300}, "confirm"),
        ("SOS", "clear", {"mode": "heartbeat"}, "clear"),
        ("SOS", "colour", "red", "colour"),
        ("RHYTHM", "cleared", {"en": "gone", "zh": "结束"}, "cleared"),
        ("SOS", "cleared", None, "cleared"),
        ("SOS", "title", {"en": "Help"}, "title"),
        ("SOS", "title", {"en": "Help", "zh": " "}, "title.zh"),
        ("SOS", "sentence", {"en": "Pressed by {name}", "zh": "按下"}, "sentence.en"),
        ("SOS", "sentence", {"en": "Pressed", "zh": "按下 {presses!r}"}, "sentence.zh"),
        ("SOS", "sentence", {"en": "Pressed {", "zh": "按下"}, "sentence.en"),
        ("SOS", "sentence", {"en": "Pressed {presses.x}", "zh": "按下"}, "sentence.en"),
        ("SOS", "trigger", {"metric": "shout", "questionable_priority": "medium", "fine_step": 2}, "metric"),
        ("SOS", "trigger", {"metric": "spo2", "questionable_priority": "medium", "fine_step": 2}, "metric"),
        ("SPO2-LOW", "cleared", None, "cleared"),
        ("SPO2-LOW", "confirm", {"mode": "consecutive", "count": 0, "within_s": 300}, "confirm.count"),
        ("SPO2-LOW", "confirm", {"mode": "consecutive", "count": 3, "within_s": 0}, "confirm.within_s"),
        ("SPO2-LOW", "clear", {"mode": "readings", "count": 99}, "clear.count"),
        ("BP-SEVERE", "confirm", {"mode": "repeat_mean", "earliest_s": 60, "latest_s": 59}, "confirm.latest_s"),
        ("HR-EXTREME", "confirm", {"mode": "sustained", "for_s": 60, "gap_s": 9}, "confirm"),
        ("HR-EXTREME", "confirm", {"mode": "sustained", "for_s": 60, "share": 0.5, "gap_s": 61}, "confirm.gap_s"),
        ("HR-EXTREME", "confirm", {"mode": "sustained", "for_s": 60, "share": 0, "gap_s": 9}, "confirm.share"),
        ("HR-EXTREME", "confirm", {"mode": "sustained", "for_s": 60, "share": 1.1, "gap_s": 9}, "confirm.share"),
        (
            "HR-EXTREME",
            "confirm",
            {"mode": "sustained", "for_s": 60, "share": math.nan, "gap_s": 9},
            "confirm.share",
        ),
        ("HR-EXTREME", "clear", {"mode": "sustained", "for_s": 60, "gap_s": 0}, "clear.gap_s"),
        (
            "RHYTHM",
            "confirm",
            {"mode": "windows_on_days", "windows": 3, "days": 3, "within_days": 2},
            "confirm.within_days",
        ),
        ("TREND", "confirm", {"mode": "agreement", "vitals": 0, "days": 2}, "confirm.vitals"),
    ],
)
def test_each_wrong_field_is_named(rule_id: str, field: str, value: object, named: str) -> None:
    def change(rule: dict[str, Any]) -> None:
        if value is None:
            del rule[field]
        else:
            rule[field] = value

    error = refused(changed(rule_id, change))
    assert error.rule == rule_id
    assert error.field == named
    assert error.remedy


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"unit": "mmHg"}, "unknown unit"),
        ({"unit": ""}, "unknown unit"),
        ({"metric": "mood"}, "unknown metric"),
        ({"metric": "systolic", "unit": "mm[Hg]"}, "no part"),
        ({"at_or_below": "49"}, "never reached"),
        ({"at_or_below": "99", "clear_margin": "2"}, "never reached"),
        ({"chronic_lung_below": "101"}, "never reached"),
        ({"high_at_or_below": "NaN"}, "never reached"),
        ({"at_or_below": None}, "no limit"),
        ({"clear_margin": None}, "no way to clear"),
        ({"clear_below": "95"}, "no way to clear"),
        ({"clear_margin": None, "clear_below": "95"}, "clear_below with at_or_below"),
        ({"clear_margin": "0"}, "no hysteresis"),
        ({"at_or_above": "93"}, "never clears"),
    ],
)
def test_limit_that_cannot_work_is_refused(change: dict[str, str | None], problem: str) -> None:
    def edit(rule: dict[str, Any]) -> None:
        limit = rule["trigger"]["limits"][0]
        for name, value in change.items():
            limit.pop(name, None)
            if value is not None:
                limit[name] = value

    error = refused(changed("SPO2-LOW", edit))
    assert error.rule == "SPO2-LOW"
    assert problem in error.problem


@pytest.mark.parametrize(
    ("rule_id", "path", "value"),
    [
        ("BP-SEVERE", ("limits", 0, "clear_below"), "180"),
        ("BP-SEVERE", ("limits", 0, "high_at_or_below"), "100"),
        ("BP-SEVERE", ("limits",), []),
        ("BP-SEVERE", ("metrics",), ["help_button"]),
        ("BP-SEVERE", ("metrics",), []),
        ("BP-SEVERE", ("metrics",), ["bp", "bp"]),
        ("BP-SEVERE", ("metrics",), ["bp", "oximetry"]),
        ("GLU-LOW", ("metrics",), ["glucose_capillary"]),
        ("HR-EXTREME", ("limits", 0, "high_at_or_below"), "40"),
        ("RHYTHM", ("series",), "heart_rate"),
        ("RHYTHM", ("series",), "spo2"),
        ("RHYTHM", ("unit",), "s"),
        ("RHYTHM", ("window_beats",), 3),
        ("RHYTHM", ("entropy_above",), 1.5),
        ("TREND", ("vitals",), []),
        ("TREND", ("vitals", 0, "unit"), "kPa"),
        ("TREND", ("vitals", 0, "metric"), "bp"),
        ("TREND", ("vitals", 0, "population_sd"), "0"),
        ("TREND", ("least_readings",), 61),
        ("WATCH-LOST", ("watch_list_s",), 180),
        ("WATCH-LOST", ("grace_s",), -1),
    ],
)
def test_trigger_that_cannot_work_is_refused(rule_id: str, path: tuple[str | int, ...], value: object) -> None:
    def edit(rule: dict[str, Any]) -> None:
        place: Any = rule["trigger"]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    assert refused(changed(rule_id, edit)).rule == rule_id


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"version =", b'version = "1"', b'version = ""\n[[rule]]', b'version = "1"\nrule = [1]', b"x = 1"],
)
def test_what_is_no_pack_is_refused(data: bytes) -> None:
    assert refused(data).remedy


def test_pack_of_any_size_is_not_read() -> None:
    assert "bytes" in refused(b"#" * 300_000).problem


def test_every_metric_may_be_tried_and_none_breaks_the_loader() -> None:
    for code in METRICS:
        data = changed("SPO2-LOW", lambda rule, code=code: rule["trigger"].update(metrics=[code]))  # type: ignore[misc]  # bound now
        if code not in {"oximetry", "spo2", "vital_signs"}:
            assert refused(data).field == "metric"


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_load_or_are_refused(data: bytes) -> None:
    with pytest.raises(PackRefused):
        load_pack(data)


scalars = st.none() | st.text(max_size=5) | st.integers(-5, 400) | st.floats(allow_nan=False, allow_infinity=False)


@given(st.sampled_from(TABLE["rule"]), st.data())
def test_any_change_of_one_field_loads_or_is_refused(rule: dict[str, Any], data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(sorted(rule)))
    inner = sorted(rule[field]) if isinstance(rule[field], dict) else []
    value = data.draw(scalars | st.lists(scalars, max_size=2)) or ""

    def edit(found: dict[str, Any]) -> None:
        if inner:
            found[field][data.draw(st.sampled_from(inner))] = value
        else:
            found[field] = value

    with suppress(PackRefused):
        pack = load_pack(changed(rule["id"], edit))
        assert all(found.kind in RuleKind for found in pack.rules)
