"""The demo's command line: what cannot work is said before the village is started, not after it."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kanhu.harness.demo.conduct import SCENARIO, SITE
from kanhu.harness.demo.show import Timeline
from kanhu.harness.village.script import load_script


def refused(*arguments: str) -> str:
    command = [sys.executable, "-m", "kanhu.harness.demo", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    return done.stderr


@pytest.mark.parametrize(("name", "reason"), [("missing/demo.json", "does not exist"), (".", "is a folder")])
def test_a_report_that_could_not_be_written_is_refused_at_once(tmp_path: Path, name: str, reason: str) -> None:
    assert reason in refused("--headless", "--report", str(tmp_path / name))


@pytest.mark.parametrize("port", ["0", "80000"])
def test_a_port_that_is_none_is_refused_at_once(port: str) -> None:
    assert "from 1 to 65535" in refused("--port", port)


def test_a_port_that_is_taken_is_refused_at_once() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert "is taken" in refused("--port", str(other.getsockname()[1]))


def test_a_long_sentence_stays_whole_in_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    words = [f"word{number}" for number in range(40)]
    Timeline().say(" ".join(words))
    lines = capsys.readouterr().out.splitlines()
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    assert all(len(line.rstrip()) <= 80 for line in plain)
    assert [each for each in words if not any(each in line.split() for line in plain)] == []
    assert all(line.startswith(" " * 11) for line in plain[1:])


def test_the_script_of_the_demo_says_when_it_is_over() -> None:
    script = load_script(SCENARIO, SITE)
    assert script.duration_s >= script.last_due_s()
