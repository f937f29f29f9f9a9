"""The installer's trial: everything fitted is used once, says that it is a test, and says how it came out."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kanhu.contract import SystemClock
from kanhu.firmware_sim.modem.line import ModemLine
from kanhu.gateway.alarm import trial
from kanhu.gateway.cli import main

PLAY = [sys.executable, "-c", "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])", "{file}"]
SPEAK = [sys.executable, "-c", "import pathlib, sys; pathlib.Path(sys.argv[3]).write_bytes(sys.stdin.buffer.read())"]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    monkeypatch.setattr(trial, "_LIGHT_S", 0.0)
    contacts = tmp_path / "contacts.toml"
    contacts.write_text(
        '[[contact]]\nrole = "village_doctor"\nnumber = "111"\n'
        '[[contact]]\nrole = "family"\nresident = "r-1"\nnumber = "222"\n'
        '[[contact]]\nrole = "family"\nresident = "r-2"\nnumber = "333"\n',
        encoding="utf-8",
    )
    contacts.chmod(0o600)

    def write(alarm: str) -> str:
        file = tmp_path / "gateway.toml"
        file.write_text(
            f'gateway = "home-03"\ndata = "data"\ntimezone = "Asia/Shanghai"\n[alarm]\n{alarm}', encoding="utf-8"
        )
        return str(file)

    return write


def test_all_that_is_fitted_is_tried(
    tmp_path: Path, settings: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    modem = ModemLine(tmp_path / "modem", clock=SystemClock())
    file = settings(
        f"player = {[*PLAY, str(tmp_path / 'said')]!r}\nspeech = {SPEAK!r}\nlight_file = '{tmp_path / 'light'}'\n"
        f"modem_port = '{tmp_path / 'modem'}'\ncontacts = '{tmp_path / 'contacts.toml'}'\n"
    )
    assert main(["try-alarm", "--config", file]) == 0
    modem.close()
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines()] == [
        "voice", "light", "sms:village_doctor", "sms:family", "sms:family",
    ]  # fmt: skip  # one line reads best
    assert [message["to"] for message in modem.messages()] == ["111", "222", "333"]
    assert all("测试" in str(message["text"]) for message in modem.messages())
    assert "测试" in (tmp_path / "said").read_text(encoding="utf-8")
    assert (tmp_path / "light").read_text(encoding="ascii") == "0\n"
    assert not any(number in said for number in ("111", "222", "333"))


def test_a_failure_and_a_house_without_an_alarm_are_told(
    settings: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["try-alarm", "--config", settings("player = ['/no/such/player']\nspeech = []\n")]) == 1
    assert "voice" in capsys.readouterr().out
    assert main(["try-alarm", "--config", settings("")]) == 1
    assert "fits no alarm" in capsys.readouterr().err
