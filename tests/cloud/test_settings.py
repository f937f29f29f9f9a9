"""cloud.toml and the site file: what is wrong is named with file, key and remedy; docs name every setting."""

import argparse
import io
import socket
from pathlib import Path

import msgspec
import pytest

from kanhu.cloud.alerting.log import TimerKind
from kanhu.cloud.alerting.pipeline import Reason
from kanhu.cloud.alerting.state import Activation, Condition, Event, Handling, Signal
from kanhu.cloud.authority.enrolment import Answer
from kanhu.cloud.cli import main
from kanhu.cloud.config import CloudConfig, County, Http, Identity, SilenceLimits, load_config, policy_of
from kanhu.cloud.desk.model import ActResult, Outcome
from kanhu.cloud.doctor import Severity, examine
from kanhu.cloud.errors import ConfigInvalid, SiteRefused
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.database import LEDGER_FILE, Ledger
from kanhu.cloud.people.site import load_site, read_site
from kanhu.cloud.updates.cli import fill_updates
from kanhu.contract import FakeClock, RefusalReason
from tests.cloud.town import PACK, Town

_DOCS = Path(__file__).parents[2] / "docs"


def _write(folder: Path, text: str) -> Path:
    path = folder / "cloud.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "file"),
        ("data =", "file"),
        ('data = "x"\nport = 1', "file"),
        ('data = "x"\n[http]\nport = "high"', "http.port"),
        ('data = "x"\n[http]\nport = 99999', "http.port"),
        ('data = "x"\ntimezone = "Mars/Olympus"', "timezone"),
        ('data = "x"\nbroker = "http://here"', "broker"),
        ('data = "x"\n[silence]\ngateway_silent_s = -1', "silence.gateway_silent_s"),
        ('data = "x"\n[silence]\nunknown_s = 1', "silence"),
        (f"data = {'9' * 5000}", "file"),
        (f"data = {'[' * 5000}", "file"),
        ('data = ""', "data"),
        ('data = "x"\ntimezone = "Asia"', "timezone"),
        (f'data = "x"\ntimezone = "{"A" * 5000}"', "timezone"),
        ('data = "x"\nbroker = "mqtt://127.0.0.1:99999"', "broker"),
        ('data = "x"\nbroker = "mqtt://127.0.0.1:high"', "broker"),
        ('data = "x"\nbroker = "mqtt://[::1"', "broker"),
        ('data = "x"\nbroker = "mqtt://"', "broker"),
        ('data = "x"\nbroker = "mqtt://a..b"', "broker"),
        ('data = "x"\n[http]\nhost = ""', "http.host"),
        ('data = "x"\n[http]\nhost = "a\\u0000"', "http.host"),
    ],
)
def test_wrong_settings_are_named_with_file_key_and_remedy(tmp_path: Path, text: str, key: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(ConfigInvalid) as refused:
        load_config(path)
    assert (refused.value.file, refused.value.key) == (str(path), key)
    assert len(refused.value.remedy) > 10


def test_an_address_that_is_taken_is_named_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = _write(tmp_path, f'data = "{tmp_path}/data"\n[http]\nport = {port}')
        assert main(["serve", "--config", str(path)]) == 1
    assert f"cloud.toml: http: 127.0.0.1:{port}: Address already in use" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("verb", ["migrate", "doctor"])
def test_a_ledger_that_is_none_is_named_with_its_remedy(
    tmp_path: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ledger.db").write_bytes(b"this is no database\n" * 500)
    path = _write(tmp_path, f'data = "{tmp_path}/data"')
    assert main([verb, "--config", str(path)]) > 0
    said = capsys.readouterr()
    assert "ledger.db: file is not a database; check its disk" in said.out + said.err


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _write(tmp_path, f'data = "{tmp_path}/cloud.toml"')
    assert main(["migrate", "--config", str(path)]) == 1
    assert "change `data` in cloud.toml" in capsys.readouterr().err


def test_a_script_that_names_no_password_file_is_told_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    path = _write(tmp_path, f'data = "{tmp_path}/data"')
    assert main(["user", "add", "li.jing", "--role", "county", "--place", "yunling", "--config", str(path)]) == 1
    assert "--password-file" in capsys.readouterr().err


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match=r"nowhere\.toml"):
        load_config(tmp_path / "nowhere.toml")


def test_silence_comes_from_the_rule_pack_unless_the_county_says_otherwise(tmp_path: Path) -> None:
    silence = policy_of(load_config(_write(tmp_path, 'data = "x"')), PACK).silence
    assert (silence.technical_ms, silence.watch_list_ms, silence.everyone_ms) == (180_000, 900_000, 7_200_000)
    shorter = load_config(_write(tmp_path, 'data = "x"\n[silence]\ngateway_silent_s = 30\nreconnect_grace_s = 0'))
    assert policy_of(shorter, PACK).silence.technical_ms == 30_000
    assert policy_of(shorter, PACK).silence.grace_ms == 0
    with pytest.raises(ConfigInvalid):
        policy_of(CloudConfig(data=tmp_path, silence=SilenceLimits(gateway_silent_s=1000)), PACK)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[gateway]]\nid = 'home-01'\nkind = 'home'\nplace = 'atlantis'", "atlantis"),
        ("[[place]]\nid = 'a'\nkind = 'county'\nzh = 'a'\nen = 'a'\nparent = 'b'", "no parent"),
        ("[[resident]]\nid = 'r'\ngateway = 'none'\nplace = 'a'\nname = 'x'", "no gateway"),
        ("[[contact]]\nresident = 'r'\norder = 1\nname = 'x'\nphone = '1'", "no resident"),
        ("[[place]]\nid = 'A B'\nkind = 'county'\nzh = 'a'\nen = 'a'", "place id"),
        ("colour = 1", "unknown field"),
        ("[[", "cloud.toml"),
        (f"x = {'9' * 5000}", "cloud.toml"),
        (f"x = {'[' * 5000}", "cloud.toml"),
        ("[[place]]\nid = 'liulin'\nkind = 'village'\nzh = 'a'\nen = 'a'\nparent = 'liulin'", "circle"),
        ("[[resident]]\nid = '../r'\ngateway = 'home-01'\nplace = 'liulin'\nname = 'x'", "resident id"),
        ("[[resident]]\nid = 'r'\ngateway = 'home-01'\nplace = 'liulin'\nname = 'x'\nbirth_year = -5", "1850"),
        ("[[resident]]\nid = 'r'\ngateway = 'home-01'\nplace = 'liulin'\nname = 'x'\ntags = ['lone']", "unknown tag"),
        (f"[[contact]]\nresident = 'r-0001'\norder = {10**30}\nname = 'x'\nphone = '1'", "order"),
        (f"[[place]]\nid = 'a'\nkind = 'county'\nzh = '{'x' * 999}'\nen = 'a'", "length"),
    ],
)
def test_a_site_that_contradicts_itself_is_refused_whole(town: Town, tmp_path: Path, text: str, said: str) -> None:
    before = town.table("place"), town.table("gateway"), town.table("resident")
    with pytest.raises(SiteRefused, match=said):
        town.county.writer.run(lambda tx: load_site(tx.connection, read_site(_write(tmp_path, text))))
    assert before == (town.table("place"), town.table("gateway"), town.table("resident"))


def test_loading_a_site_again_updates_and_forgets_no_heartbeat(town: Town, clock: FakeClock, tmp_path: Path) -> None:
    town.beat("home-01")
    text = "[[gateway]]\nid = 'home-01'\nkind = 'clinic'\nplace = 'heping'"
    town.county.writer.run(lambda tx: load_site(tx.connection, read_site(_write(tmp_path, text))))
    (row,) = (row for row in town.table("gateway") if row[0] == "home-01")
    assert row[1:4] == ("clinic", "/yunling/dongshan/heping/", clock.wall_ms())


def test_every_setting_command_table_and_refusal_is_named_in_the_docs() -> None:
    text = (_DOCS / "cloud.md").read_text(encoding="utf-8")
    for table in (CloudConfig, County, Http, Identity, SilenceLimits):
        for field in msgspec.structs.fields(table):
            assert f"`{field.name}`" in text, field.name
    for name in (*schema.metadata.tables, *RefusalReason, "bad_topic"):
        assert f"`{name}`" in text, name
    for command in ("serve", "migrate", "doctor", "broker", "user add", "site load", "ledger dump", "export openapi"):
        assert f"kanhu-cloud {command}" in text, command
    for action in ("invite", "revoke", "list"):
        assert f"kanhu-cloud gateway {action}" in text, action
    for action in updates_actions():
        assert f"kanhu-cloud updates {action}" in (_DOCS / "updates.md").read_text(encoding="utf-8"), action
    for answer in Answer:
        assert f"`{answer}`" in text, answer


def updates_actions() -> list[str]:
    parser = argparse.ArgumentParser()
    fill_updates(parser)
    (actions,) = (found for found in parser._actions if isinstance(found.choices, dict))  # argparse has no other way
    return list(actions.choices or ())


def test_every_axis_event_reason_timer_and_outcome_is_named_in_the_docs() -> None:
    text = (_DOCS / "alerts.md").read_text(encoding="utf-8")
    events = [str(kind.__struct_config__.tag) for kind in Event.__args__]
    for name in (*Condition, *Signal, *Activation, *Handling, *events, *Reason, *TimerKind, *Outcome, *ActResult):
        assert f"`{name}`" in text, name


@pytest.mark.parametrize(
    ("host", "severity"),
    [("127.0.0.1", Severity.FINE), ("0.0.0.0", Severity.WARNING)],  # noqa: S104  # not bound here
)
def test_the_doctor_warns_of_a_plain_broker_elsewhere(tmp_path: Path, host: str, severity: Severity) -> None:
    ledger = Ledger(tmp_path / LEDGER_FILE)
    ledger.migrate()
    ledger.close()
    with socket.create_server(("127.0.0.1", 0)) as broker:
        config = CloudConfig(data=tmp_path, broker=f"mqtt://{host}:{broker.getsockname()[1]}")
        (found,) = (complaint for complaint in examine(config, clock=FakeClock()) if complaint.about == "broker")
    assert found.severity is severity


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('broker = "mosquitto"', "identity"),
        ('broker = "mqtts://broker.example:8883"', "identity"),
        ('broker = "mqtt://broker.example:1883"\n[identity]\nhost = "a"', "broker"),
        ('[identity]\nhost = ""', "identity.host"),
        ('[identity]\nhost = "a/b"', "identity.host"),
        ('[identity]\nhost = "a"\nbroker_port = 8884', "identity.broker_port"),
        ('[identity]\nhost = "a"\nenrol_port = 0', "identity.broker_port"),
        ('[identity]\nhost = "a"\nprovisional_days = 1', "identity.provisional_days"),
        ('[identity]\nhost = "a"\nprovisional_days = 31', "identity.provisional_days"),
    ],
)
def test_settings_that_would_let_anybody_in_are_refused(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        load_config(_write(tmp_path, f'data = "x"\n{text}'))
    assert refused.value.key.startswith(key)
