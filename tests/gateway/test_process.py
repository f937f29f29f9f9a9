"""The whole process with a real serial line, a real broker and a small county; stopped, and killed."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kanhu.contract import GatewayState, Observation, QualityLevel
from tests.gateway.broker import Broker
from tests.gateway.county import County
from tests.gateway.sender import until

_PROGRAM = Path(sys.executable).with_name("kanhu-gateway")
_WINDOW = 600  # packets that make one reading


class Oximeter:
    """A CMS50D+ on a pseudo-terminal: 5 bytes a packet, steady values."""

    def __init__(self) -> None:
        self._ours, theirs = pty.openpty()
        tty.setraw(theirs)
        self.port = os.ttyname(theirs)
        self._theirs = theirs

    def send_window(self, *, spo2: int, pulse: int = 70) -> None:
        os.write(self._ours, bytes((0x85, 50, 0x05, pulse, spo2)) * _WINDOW)

    def close(self) -> None:
        os.close(self._theirs)
        os.close(self._ours)


@pytest.fixture
def oximeter() -> Iterator[Oximeter]:
    device = Oximeter()
    yield device
    device.close()


def write_settings(folder: Path, *, port: int, oximeter: Oximeter) -> Path:
    file = folder / "gateway.toml"
    file.write_text(
        f"""
gateway = "home-03"
data = "data"
timezone = "Asia/Shanghai"
heartbeat_s = 0.3
[broker]
port = {port}
[uplink]
routine_s = 0.1
receipt_timeout_s = 2
reconnect_max_s = 0.5
[[resident]]
id = "r-0003"
[[device]]
id = "oximeter-03"
kind = "oximeter-cms50d"
port = "{oximeter.port}"
resident = "r-0003"
[journal]
path = "accepted.ndjson"
""",
        encoding="utf-8",
    )
    return file


@contextmanager
def running(settings: Path) -> Iterator[subprocess.Popen[bytes]]:
    log = settings.with_name("log").open("ab")
    process = subprocess.Popen([_PROGRAM, "run", "--config", settings], stdout=log, stderr=log)
    log.close()
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def promises(folder: Path) -> list[dict[str, Any]]:
    journal = folder / "data" / "accepted.ndjson"
    lines = journal.read_bytes().splitlines(keepends=True) if journal.exists() else []
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


async def connected(county: County) -> None:
    await until(lambda: any(device.connected for device in county.statuses[-1][0].devices) if county.statuses else 0)


async def asked(settings: Path) -> dict[str, Any]:
    command = (_PROGRAM, "doctor", "--json", "--config", settings)
    doctor = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    told: dict[str, Any] = json.loads((await doctor.communicate())[0])
    assert told["exit"] == doctor.returncode
    return told


@pytest.mark.broker
async def test_readings_reach_the_county_and_a_stop_says_goodbye(
    tmp_path: Path, broker: Broker, oximeter: Oximeter
) -> None:
    settings = write_settings(tmp_path, port=broker.port, oximeter=oximeter)
    async with County(broker.port) as county:
        with running(settings) as process:
            await connected(county)
            oximeter.send_window(spo2=97)
            await until(lambda: county.stored)
            (reading,) = county.stored.values()
            assert isinstance(reading, Observation)
            assert (reading.metric, reading.value("spo2")) == ("oximetry", Decimal(97))
            assert reading.quality.level is QualityLevel.OK
            told = await asked(settings)
            assert {check["name"]: check["level"] for check in told["checks"]}["gateway"] == "ok"
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
        await until(lambda: county.statuses[-1][0].state is GatewayState.STOPPED)
        assert county.statuses[-1][0].accepted == 1
        assert GatewayState.LOST not in [status.state for status, _ in county.statuses]


@pytest.mark.broker
async def test_low_oxygen_is_found_across_a_kill(tmp_path: Path, broker: Broker, oximeter: Oximeter) -> None:
    settings = write_settings(tmp_path, port=broker.port, oximeter=oximeter)
    async with County(broker.port) as county:
        for spo2 in (90, 89, 90):  # the third in a row decides; each is read by another process
            county.statuses.clear()
            with running(settings) as process:
                await connected(county)
                before = len(promises(tmp_path))
                oximeter.send_window(spo2=spo2)
                await until(lambda before=before: len(promises(tmp_path)) > before)  # type: ignore[misc]  # a default
                process.kill()
        with running(settings):
            made = promises(tmp_path)
            await until(lambda: {line["seq"] for line in made} <= set(county.stored))
        assert [line["kind"] for line in made].count("reading") == 3
        assert [line["rule"] for line in made if line["kind"] == "finding"] == ["SPO2-LOW"]
        assert len({line["epoch"] for line in made}) == 1


@pytest.mark.broker
async def test_a_gateway_without_a_county_goes_on_and_delivers_later(
    tmp_path: Path, free_port: int, broker: Broker, oximeter: Oximeter
) -> None:
    settings = write_settings(tmp_path, port=free_port, oximeter=oximeter)
    log = tmp_path / "log"
    with running(settings) as process:
        await until(lambda: log.exists() and "oximeter-03: open" in log.read_text(encoding="utf-8"))
        oximeter.send_window(spo2=96)
        await until(lambda: promises(tmp_path))
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0
    settings = write_settings(tmp_path, port=broker.port, oximeter=oximeter)
    async with County(broker.port) as county:
        with running(settings):
            await until(lambda: county.stored)
        assert [line["seq"] for line in promises(tmp_path)] == list(county.stored)


def test_settings_that_cannot_be_used_are_told_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('gateway = "home-03"\ndata = "."\n', encoding="utf-8")
    done = subprocess.run([_PROGRAM, "run", "--config", file], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"kanhu-gateway: {file}: timezone: is missing. Add it; docs/gateway.md has an example\n"


@pytest.mark.parametrize("verb", ["", "run", "doctor"])
def test_help_has_an_example(verb: str) -> None:
    command = [str(_PROGRAM), *([verb] if verb else []), "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "kanhu-gateway run" in shown.stdout or f"example:\n  kanhu-gateway {verb}" in shown.stdout
