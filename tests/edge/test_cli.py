"""The command: replay judges a file, and says what it refuses."""

import asyncio
import json
import os
import pty
import sys
import tty
from pathlib import Path

import msgspec
import pytest

from kanhu.contract import Observation
from kanhu.edge.cli import main
from tests.edge.readings import until
from tests.edge.test_cms50d import packet_of
from tests.edge.test_pipeline import press, saturation


def written(path: Path, *readings: Observation) -> Path:
    path.write_bytes(b"\n".join(msgspec.json.encode(reading) for reading in readings) + b"\n\n")
    return path


def test_replay_shows_what_would_have_been_raised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path / "field.jsonl", saturation(97, second=0), press(5))
    assert main(["replay", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "SOS" in shown
    assert "97" not in shown, "a reading without a finding is shown with --all only"
    assert main(["replay", str(file), "--all", "--language", "zh"]) == 0
    assert "oxygen saturation 97 %" in capsys.readouterr().out


def test_replay_tells_machines_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path / "field.jsonl", *(saturation(90, second=second) for second in range(0, 50, 10)))
    assert main(["replay", str(file), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 1
    assert [decision["rule"] for decision in lines[0]["decisions"]] == ["SPO2-LOW"]


def test_a_resident_with_chronic_lung_disease_has_another_limit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "field.jsonl", *(saturation(90, second=second) for second in range(0, 50, 10)))
    assert main(["replay", str(file), "--json", "--resident", "r-0003=copd"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("line", [b"{", b"[]", b'["o","no_such_metric",[],["resident","r"],"d",[0,0,"","synced"]]'])
def test_a_line_that_is_no_observation_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: bytes
) -> None:
    file = tmp_path / "field.jsonl"
    file.write_bytes(msgspec.json.encode(press(0)) + b"\n" + line + b"\n")
    assert main(["replay", str(file)]) == 2
    assert "line 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay", "/nowhere/field.jsonl"],
        ["listen", "--ble", "F0:0D:00:00:00:03"],
        ["listen", "--ble", "nonsense", "--kind", "cuff-ble"],
        ["listen", "--serial", "/nowhere/ttyUSB0", "--timezone", "Nowhere/Nothing"],
        ["listen", "--serial", "/nowhere/ttyUSB0", "--timezone", "../../etc/passwd"],
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


async def test_listen_shows_readings_of_a_serial_port() -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    arguments = ["listen", "--json", "--resident", "r-0003", "--serial", os.ttyname(slave)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from kanhu.edge.cli import main; raise SystemExit(main())", *arguments),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    lines: list[dict[str, object]] = [json.loads(await process.stdout.readline())]
    assert lines[0]["device"]["reason"] == "open"  # type: ignore[index]  # JSON
    os.write(master, packet_of(spo2=96) * 600)
    lines.append(json.loads(await process.stdout.readline()))
    assert lines[1]["reading"][1] == "oximetry"  # type: ignore[index]  # JSON
    process.terminate()
    await process.wait()
    await until(lambda: process.returncode is not None)
    os.close(slave)
    os.close(master)
