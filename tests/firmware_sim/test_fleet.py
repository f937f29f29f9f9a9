"""A small fleet from the first process to the last figure."""

import asyncio
import json
import os
import re
import resource
import signal
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kanhu.firmware_sim.cli import main
from kanhu.firmware_sim.errors import FleetRefused
from kanhu.firmware_sim.fleet.figures import LIMITS, Report
from kanhu.firmware_sim.fleet.room import make_room
from tests.cloud.waiting import until

_FIGURES = {
    "gateways", "connected", "reconnects", "links_broken", "receipts_silent", "seconds_asked", "seconds", "sent",
    "receipted", "owed", "stored", "lost",
    "duplicated", "wrong", "refused", "messages_per_s", "receipt_p50_ms", "receipt_p99_ms", "seconds_to_drain",
    "peak_mb", "county_cpu_s", "county_peak_mb", "broker_cpu_s", "broker_peak_mb", "cpu_s", "wall_s",
}  # fmt: skip  # names, not rows


async def _start(*arguments: str, folder: Path) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kanhu.firmware_sim", "fleet", *arguments,
        stdout=PIPE, stderr=PIPE, env={**os.environ, "TMPDIR": str(folder), "PYTHONWARNINGS": "error"},
    )  # fmt: skip  # a command line reads as a line


def _left_in(folder: Path) -> list[Path]:
    return [*folder.iterdir()]


async def _figures(process: Process) -> dict[str, Any]:
    out, errors = await process.communicate()
    assert out, errors.decode()
    report: dict[str, Any] = json.loads(out.splitlines()[-1])
    return report


@pytest.mark.broker
async def test_a_fleet_loses_nothing_through_a_storm_and_leaves_nothing_behind(tmp_path: Path) -> None:
    options = ("--gateways", "40", "--seconds", "1.2", "--speed", "200", "--rate", "300", "--ramp", "0.3", "--json")
    process = await _start(*options, "--storm", "0.4", "--storm-lasts", "0.2", "--seed", "3", folder=tmp_path)
    report = await _figures(process)
    figures = report["figures"]
    assert (process.returncode, report["name"], report["ok"], report["seed"]) == (0, "fleet", True, 3)
    assert figures.keys() == _FIGURES
    assert (figures["lost"], figures["duplicated"], figures["wrong"]) == (0, 0, 0)
    assert figures["sent"] == figures["receipted"] == figures["stored"] > 100
    assert (figures["connected"], figures["reconnects"], figures["links_broken"]) == (40, 40, 40)
    assert min(figures["county_peak_mb"], figures["broker_peak_mb"], figures["cpu_s"]) > 0
    assert _left_in(tmp_path) == []


@pytest.mark.broker
async def test_a_fleet_told_to_end_while_its_county_starts_leaves_nothing_behind(tmp_path: Path) -> None:
    process = await _start("--gateways", "5", folder=tmp_path)
    await until(lambda: [*tmp_path.glob("kanhu-fleet-*/cloud.toml")] != [])
    process.terminate()
    _, errors = await process.communicate()
    assert (process.returncode, _left_in(tmp_path)) == (130, [])
    assert b"there are no figures" in errors


async def test_a_broker_that_acknowledges_and_forgets_loses_everything(tmp_path: Path) -> None:
    async with _forgetful_broker() as port:
        options = ("--gateways", "6", "--seconds", "0.3", "--speed", "300", "--rate", "600", "--ramp", "0.1", "--json")
        address = f"127.0.0.1:{port}"
        process = await _start(*options, "--drain", "0.2", "--broker", address, folder=tmp_path)
        report = await _figures(process)
    figures = report["figures"]
    assert (process.returncode, report["ok"], figures["receipted"]) == (1, False, 0)
    assert figures["lost"] == figures["owed"] >= figures["sent"] > 0


async def test_an_interrupted_fleet_waits_for_receipts_reports_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with _forgetful_broker() as port:
        options = ("--gateways", "2", "--seconds", "600", "--speed", "60", "--rate", "120", "--ramp", "0.1", "--json")
        process = await _start(*options, "--drain", "0.3", "--broker", f"127.0.0.1:{port}", folder=tmp_path)
        assert process.stderr is not None
        while not (await process.stderr.readline()).startswith(b"sending"):
            pass
        process.send_signal(signal.SIGINT)
        report = await _figures(process)
    assert (process.returncode, report["ok"], _left_in(tmp_path)) == (1, False, [])
    assert report["figures"]["seconds"] < report["figures"]["seconds_asked"] == 600


async def test_the_ledger_of_another_county_is_asked_for_by_its_own_command(tmp_path: Path) -> None:
    empty = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text('')"
    async with _forgetful_broker() as port:
        options = ("--gateways", "2", "--seconds", "0.3", "--speed", "300", "--rate", "600", "--ramp", "0.1", "--json")
        there = ("--broker", f"127.0.0.1:{port}", "--ledger-dump", f'{sys.executable} -c "{empty}" {{}}')
        report = await _figures(await _start(*options, "--drain", "0.2", *there, folder=tmp_path))
    assert report["figures"]["lost"] > report["figures"]["stored"] == 0


@asynccontextmanager
async def _forgetful_broker() -> AsyncIterator[int]:
    """Yield the port of a broker that answers every packet and hands nothing on."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while first := await reader.read(1):
        length, shift = 0, 0
        while True:
            byte = (await reader.readexactly(1))[0]
            length, shift = length | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                break
        body = await reader.readexactly(length)
        match first[0] >> 4:
            case 1:
                writer.write(b"\x20\x02\x00\x00")
            case 8:
                writer.write(b"\x90\x03" + body[:2] + b"\x00")
            case 3:
                (topic,) = struct.unpack(">H", body[:2])
                writer.write(b"\x40\x02" + body[2 + topic : 4 + topic])
            case 12:
                writer.write(b"\xd0\x00")
            case _:
                break
    writer.close()


@pytest.mark.parametrize(
    "options",
    [
        ["--gateways", "0"],
        ["--gateways", "many"],
        ["--gateways", "100000"],
        ["--seconds", "0"],
        ["--rate", "nan"],
        ["--rate", "6001"],
        ["--speed", "-1"],
        ["--speed", "1e9"],
        ["--speed", "1e-300"],
        ["--rate", "1e-300"],
        ["--storm", "60", "--seconds", "60"],
        ["--broker", "127.0.0.1"],
        ["--broker", "127.0.0.1:0"],
        ["--ledger-dump", "dump {}"],
        ["--broker", "127.0.0.1:1883", "--ledger-dump", "dump"],
    ],
)
def test_wrong_usage_is_refused_before_anything_starts(options: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fleet", *options])
    assert ended.value.code == 2


def test_more_gateways_than_this_user_may_have_files_are_refused_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raised: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: raised.append(limits))
    with pytest.raises(FleetRefused, match="at most 3896 gateways, or raise the limit"):
        make_room(10_000)
    make_room(3000)
    make_room(100)
    assert raised == [(3200, 4096)]


def test_more_gateways_than_local_ports_are_refused_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    narrow = tmp_path / "ip_local_port_range"
    narrow.write_text("32768\t33767\n", encoding="ascii")
    monkeypatch.setattr("kanhu.firmware_sim.fleet.room._PORT_RANGE", narrow)
    with pytest.raises(FleetRefused, match="at most 800 gateways"):
        make_room(1000)


@pytest.mark.parametrize("broken", sorted(LIMITS))
def test_each_broken_or_missing_figure_makes_the_run_not_ok(broken: str) -> None:
    good: dict[str, int | float] = {
        "gateways": 10, "connected": 10, "seconds_asked": 5.0, "seconds": 5.0, "sent": 9, "lost": 0, "duplicated": 0,
        "wrong": 0, "refused": 0, "cpu_s": 1.0, "wall_s": 9.0, "peak_mb": 60.0,
    }  # fmt: skip  # figures, not rows
    assert Report(good, 1).ok
    worse = {"connected": 9, "seconds": 4.9, "sent": 0, "cpu_s": 9.1, "peak_mb": 1501.0}.get(broken, 1)
    report = Report({**good, broken: worse}, 1)
    assert not report.ok
    assert "BROKEN" in report.table()
    assert not Report({name: value for name, value in good.items() if name != broken}, 1).ok


def test_the_site_file_enrols_every_gateway_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site.toml"
    assert main(["fleet", "--gateways", "60", "--write-site", str(site)]) == 0
    text = site.read_text(encoding="utf-8")
    assert text.count("[[gateway]]") == text.count("[[resident]]") == 60
    assert text.count('kind = "village"') == 3
    assert "60 gateways" in capsys.readouterr().out


@pytest.mark.parametrize("file", ["absent/site.toml", "."])
def test_a_site_file_that_cannot_be_written_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    assert main(["fleet", "--gateways", "2", "--write-site", str(tmp_path / file)]) == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_the_tour_names_every_option_and_figure(capsys: pytest.CaptureFixture[str]) -> None:
    tour = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8").partition("## A fleet")[2]
    with pytest.raises(SystemExit):
        main(["fleet", "--help"])
    options = {*re.findall(r"--[a-z-]+", capsys.readouterr().out)} - {"--help", "--config", "--out"}
    assert {name for name in options | (_FIGURES - {"gateways", "seconds_asked"}) if f"`{name}" not in tour} == set()
