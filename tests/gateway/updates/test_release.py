"""What a release may change: bounded settings and the numbers of known rules; everything else is refused whole."""

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract.errors import RemoteRefused
from kanhu.contract.remote import (
    ReleaseReason,
    RemoteAlarm,
    RemoteBroker,
    RemoteSettings,
    RemoteUplink,
    check_release_path,
    read_remote_settings,
    release_paths,
)
from kanhu.gateway.daily.settings import DailyRefused, check_daily
from kanhu.gateway.updates.errors import ReleaseRefused
from kanhu.gateway.updates.release import OWN, Release, fit
from kanhu.gateway.updates.store import Round
from kanhu.vitals import core_pack
from tests.gateway.updates.card import CORE, WATCHED, settings

ALL = """
heartbeat_s = 30
broker.keepalive_s = 20
uplink = { routine_s = 2, routine_count = 50, receipt_timeout_s = 30, reconnect_max_s = 60 }
alarm.receipt_s = 90
"""


def release(**files: str) -> Release:
    return Release(1, {f"{name}.toml": text for name, text in files.items()})


def test_every_setting_is_laid_over_and_the_rest_stays(tmp_path: Path) -> None:
    own = settings(tmp_path)
    config = fit(own, release(settings=ALL)).config
    assert (config.heartbeat_s, config.broker.keepalive_s, config.alarm.receipt_s) == (30, 20, 90)
    assert msgspec.structs.astuple(config.uplink) == (2, 50, 30, 60)
    assert config.broker.port == own.broker.port
    said = read_remote_settings(ALL.encode())
    unsaid = [name for name, value in _leaves(said) if value is None]
    assert unsaid == [], "a setting without a line here"


def _leaves(table: msgspec.Struct) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name, value in msgspec.structs.asdict(table).items():
        found += _leaves(value) if isinstance(value, msgspec.Struct) else [(name, value)]
    return found


def test_without_a_release_a_gateway_runs_with_what_it_came_with(tmp_path: Path) -> None:
    own = settings(tmp_path)
    fitted = fit(own, OWN)
    assert (fitted.config, fitted.pack) == (own, core_pack())


@pytest.mark.parametrize(
    "text",
    [
        'gateway = "home-04"',
        'data = "/tmp"',
        'broker.host = "evil.example"',
        "broker.port = 1",
        "broker.tls = false",
        'alarm.contacts = "other.toml"',
        'alarm.player = ["sh", "-c", "id"]',
        'resident = [{ id = "r-1" }]',
        'device = [{ id = "d", kind = "cuff-ble" }]',
        'updates.root = "mine.json"',
        "heartbeat_s = 9",
        "heartbeat_s = 61",
        "uplink.routine_s = 61",
        "uplink.reconnect_max_s = 61",
        "heartbeat_s = nan",
        "alarm.receipt_s = 601",
        "uplink.routine_count = 0",
        "heartbeat_s = '30'",
        "heartbeat_s",
        "\x00",
        "a = " + "[" * 5000,
    ],
)
def test_what_is_not_the_countys_to_change_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ReleaseRefused) as caught:
        fit(settings(tmp_path), release(settings=text))
    assert caught.value.reason is ReleaseReason.SETTINGS


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_settings_or_refused(data: bytes) -> None:
    with suppress(RemoteRefused):
        assert isinstance(read_remote_settings(data), RemoteSettings)


def test_a_pack_with_other_numbers_is_taken(tmp_path: Path) -> None:
    other = CORE.replace('version = "2026.11"', 'version = "2026.12"', 1).replace(
        "count = 3, within_s = 300", "count = 4, within_s = 300", 1
    )
    assert other.count("count = 4") == CORE.count("count = 4") + 1
    assert fit(settings(tmp_path), release(rules=other)).pack.version == "2026.12"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace('id = "SOS"', 'id = "SOS2"', 1), "SOS"),
        (lambda text: text.replace('runs = "gateway"', 'runs = "cloud"', 1), "runs"),
        (lambda text: text.replace('approved_by = "the', 'approved_by = "" # the', 1), "approved_by"),
        (lambda text: text[: len(text) // 2], "rules: "),
        (lambda _: "", "version"),
    ],
)
def test_a_pack_that_would_look_like_calm_is_refused(tmp_path: Path, change: object, says: str) -> None:
    assert callable(change)
    with pytest.raises(ReleaseRefused, match=says) as caught:
        fit(settings(tmp_path), release(rules=change(CORE)))
    assert caught.value.reason is ReleaseReason.RULES


def test_a_pack_that_does_not_say_how_it_asks_is_refused_where_a_sign_is_agreed(tmp_path: Path) -> None:
    rules = tuple(rule for rule in core_pack().rules if rule.id != "WELL-CHECK")
    with pytest.raises(DailyRefused) as caught:
        check_daily(settings(tmp_path, updates=WATCHED), msgspec.structs.replace(core_pack(), rules=rules))
    assert caught.value.key == "resident[0].well_check"


def test_paths_go_from_the_particular_to_the_general() -> None:
    assert release_paths("rules.toml", gateway="home-03", group="clinics") == (
        "gateway/home-03/rules.toml", "group/clinics/rules.toml", "all/rules.toml",
    )  # fmt: skip  # a list reads by lines


@pytest.mark.parametrize("path", ["settings.toml", "all/contacts.toml", "gateway/Home/rules.toml", "../all/rules.toml"])
def test_a_path_where_no_gateway_looks_is_refused(path: str) -> None:
    with pytest.raises(RemoteRefused, match="no gateway looks there"):
        check_release_path(path)


_DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_spec_names_every_setting_and_its_bounds() -> None:
    page = (_DOCS / "spec" / "updates.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip(" `"): line for line in page.splitlines() if line.startswith("| `")}
    for table, prefix in (
        (RemoteSettings, ""),
        (RemoteBroker, "broker."),
        (RemoteUplink, "uplink."),
        (RemoteAlarm, "alarm."),
    ):
        for name, schema in msgspec.json.schema(table)["$defs"][table.__name__]["properties"].items():
            bounds = next((kind for kind in schema.get("anyOf", ()) if "minimum" in kind), None)
            if bounds is not None:
                assert f"| {bounds['minimum']:g} to {bounds['maximum']:g} |" in rows[f"{prefix}{name}"]


def test_the_manual_explains_every_reason_and_round() -> None:
    page = (_DOCS / "updates.md").read_text(encoding="utf-8")
    assert [word for word in (*ReleaseReason, *Round) if f"| `{word.value}` |" not in page] == []
