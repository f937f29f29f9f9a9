"""What goes to whoever helps holds nothing of anybody: secrets are planted wherever a gateway keeps text."""

import stat
import tarfile
from pathlib import Path

import msgspec
import pytest

from kanhu.contract import FakeClock, Lane
from kanhu.gateway import Outbox, cli, load_config
from kanhu.gateway.diagnosis import LOG_LINES
from tests.gateway.records import heart_rate, sos

_CANARIES = (
    "wangxiaoming",  # a name, wherever an installer may write one
    "王小明",
    "13912345678",
    "94317258",  # a PIN
    "PRIVATE KEY",
    "MIIEvQIBADANBg",
    "hypertension",
    "F0:0D:00:00:00:03",
    "F00D",
    "token-of-the-light",
    "88.125",
    "r-0003",
    "heart_rate",  # what was measured
    "SPO2-LOW",
    "state-of-a-rule",
)


def plant(folder: Path) -> Path:
    """A gateway's whole folder, with a canary in each place that takes text."""
    data = folder / "wangxiaoming-data"
    data.mkdir()
    (data / "identity.pem").write_text("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n", encoding="ascii")
    contacts = folder / "wangxiaoming.toml"
    contacts.write_text(
        'pin = "94317258"\n[[contact]]\nrole = "village_doctor"\nnumber = "13912345678"\nhome = "王小明家"\n',
        encoding="utf-8",
    )
    contacts.chmod(0o600)
    file = folder / "gateway.toml"
    file.write_text(
        f"""gateway = "home-03"
data = "{data}"
timezone = "Asia/Shanghai"
[alarm]
modem_port = "/dev/wangxiaoming"
contacts = "{contacts}"
light_on = ["curl", "http://light/?token-of-the-light"]
light_off = ["curl", "http://light/?token-of-the-light"]
[[resident]]
id = "r-0003"
tags = ["hypertension"]
spo2_limit_percent = 88.125
[[device]]
id = "cuff-of-wangxiaoming"
kind = "cuff-ble"
address = "F0:0D:00:00:00:03"
resident = "r-0003"
[[device]]
id = "button-王小明"
kind = "button-bthome"
address = "F0:0D:00:00:00:04"
dwelling = "wangxiaoming-home"
""",
        encoding="utf-8",
    )
    outbox = Outbox.open(data / "outbox.db", clock=FakeClock(), max_bytes=1 << 22)
    outbox.accept(
        [(Lane.LIVE, heart_rate(2)), (Lane.ALERT, sos(2)), (Lane.LIVE, heart_rate(3))],
        states={"r-0003": b"state-of-a-rule"},
        refused=[("cuff-of-wangxiaoming", "not_a_number"), ("wangxiaoming-before", "short")],
    )
    outbox.quarantine([3], reason="malformed")
    outbox.remember({"connected:cuff-of-wangxiaoming": 1, "bad_bytes:button-王小明": 7, "puback_ms": 5})
    outbox.close()
    (data / "outbox.damaged-1.db").write_bytes(b"wangxiaoming")
    (folder / "log.txt").write_text(
        "".join(f"2026-03-02 08:00:00,{number:03} INFO kanhu.gateway.run: old\n" for number in range(LOG_LINES))
        + "2026-03-02 08:30:00,001 WARNING kanhu.gateway.intake: high SPO2-LOW raised 0123456789abcdef\n"
        "2026-03-02 08:30:00,002 INFO kanhu.gateway.intake: cuff-of-wangxiaoming: connected 183/88.125\n"
        "2026-03-02 08:30:00,003 ERROR kanhu.gateway.supervisor: sensing failed, 王小明 13912345678\n"
        "Traceback (most recent call last):\n"
        f'  File "{folder}/wangxiaoming/kanhu/gateway/run.py", line 12, in _sense\n'
        '    raise ValueError("wangxiaoming")\n'
        "kanhu.gateway.errors.OutboxFailed: wangxiaoming\n"
        "2026-03-02 08:30:00,004 INFO another.program: wangxiaoming\n"
        "wangxiaoming\n",
        encoding="utf-8",
    )
    return file


def bundle(folder: Path) -> tuple[Path, dict[str, str]]:
    file, out = plant(folder), folder / "home-03.tar.gz"
    assert cli.main(["diagnose", "--config", str(file), "--out", str(out), "--log", str(folder / "log.txt")]) == 0
    with tarfile.open(out) as packed:
        members = {member.name: packed.extractfile(member) for member in packed}
        return out, {name: held.read().decode() for name, held in members.items() if held is not None}


def test_nothing_that_was_planted_is_in_the_bundle(tmp_path: Path) -> None:
    out, files = bundle(tmp_path)
    everything = "\n".join([*files, *files.values()])
    assert [canary for canary in _CANARIES if canary.lower() in everything.lower()] == []
    assert str(tmp_path) not in everything
    assert b"wangxiaoming" not in out.read_bytes()
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_what_was_planted_would_be_found(tmp_path: Path) -> None:
    file = plant(tmp_path)
    planted = "\n".join(each.read_text("utf-8", "replace") for each in tmp_path.rglob("*") if each.is_file())
    assert [canary for canary in _CANARIES if canary not in planted and canary not in {"F00D"}] == []
    assert load_config(file).gateway == "home-03"


def test_what_is_needed_to_help_is_there(tmp_path: Path) -> None:
    _, files = bundle(tmp_path)
    told = {Path(name).name: text for name, text in files.items()}
    outbox = msgspec.json.decode(told["outbox.json"])
    assert outbox["counters"]["device 1"] == {"refused:not_a_number": 1}
    assert outbox["counters"]["device not in the settings"]["refused:short"] == 1
    assert outbox["notes"]["connected: device 1"] == 1
    assert (outbox["rows"]["quarantine"], outbox["rows"]["state"]) == (1, 1)
    assert outbox["damaged files"] == 1
    settings = msgspec.json.decode(told["settings.json"])
    assert settings["gateway"] == "home-03"
    assert settings["resident"] == 1
    assert settings["uplink"]["receipt_timeout_s"] == 20
    assert settings["alarm"]["contacts"] == "set"
    assert [device["kind"] for device in settings["device"]] == ["cuff-ble", "button-bthome"]
    checks = {check["name"] for check in msgspec.json.decode(told["doctor.json"])}
    assert {"outbox", "receipts", "device (device 1)"} <= checks
    assert msgspec.json.decode(told["versions.json"])["packages"]["msgspec"]
    lines = told["log.txt"].splitlines()
    assert "2026-03-02 08:30:00,003 ERROR kanhu.gateway.supervisor: sensing failed, # (number)" in lines
    assert "2026-03-02 08:30:00,002 INFO kanhu.gateway.intake: (device 1): connected #/#.#" in lines
    assert lines[-2:] == ["  kanhu/gateway/run.py:12 _sense", "  kanhu.gateway.errors.OutboxFailed"]


def test_a_gateway_that_never_ran_can_be_told_of(tmp_path: Path) -> None:
    file = plant(tmp_path)
    for each in (tmp_path / "wangxiaoming-data").glob("outbox*"):
        each.unlink()
    assert cli.main(["diagnose", "--config", str(file), "--out", str(tmp_path / "out.tar.gz")]) == 0
    assert not list((tmp_path / "wangxiaoming-data").glob("outbox*")), "looking makes nothing"


@pytest.mark.parametrize("given", [["--out", "nowhere/out.tar.gz"], ["--out", "out.tar.gz", "--log", "nowhere"]])
def test_what_cannot_be_read_or_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["diagnose", "--config", str(plant(tmp_path)), *given]) == 1
    assert "nowhere" in capsys.readouterr().err
