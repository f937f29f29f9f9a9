"""The matrix: a gateway that deletes too early is caught, an honest one is not, and counts are right."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from kanhu.contract import FakeClock, SystemClock
from kanhu.harness.conform.candidates import Candidate, Door, Wire, command
from kanhu.harness.conform.cell import Figures, Pace, run_cell
from kanhu.harness.conform.feed import HttpFeed, LineFeed
from kanhu.harness.conform.matrix import Kept, KeptRefused
from kanhu.harness.conform.meter import Meter
from kanhu.harness.conform.rows import ROWS, Row, quick
from kanhu.harness.ports import free_port
from kanhu.harness.village.processes import ProcessDied, Processes, environment

_PROGRAM = Path(__file__).with_name("conform_gateway.py")
_PACE = Pace(rate=8, before_s=0.5, after_s=1, quiet_s=2.5, drain_s=20)


def _gateway(kind: str) -> Candidate:
    text = f"{sys.executable} {_PROGRAM} {kind} {{folder}} {{broker_port}} {{feed_port}}"
    return command(text, wire=Wire.KANHU, door=Door.LINES)


def _row(name: str, lasts_s: float) -> Row:
    return replace(next(row for row in ROWS if row.name == name), lasts_s=lasts_s)


async def _cells(folder: Path, *cells: tuple[Candidate, Row]) -> list[Figures]:
    """Each with its processes in a folder of its own, side by side."""

    async def one(number: int, candidate: Candidate, row: Row) -> Figures:
        place = folder / str(number)
        place.mkdir()
        processes = Processes(place, environment())
        try:
            return await run_cell(
                candidate, row, folder=place / "cell", processes=processes, clock=SystemClock(), pace=_PACE
            )
        finally:
            await processes.stop_all()

    return await asyncio.gather(*(one(number, *cell) for number, cell in enumerate(cells)))


@pytest.mark.broker
async def test_a_gateway_that_deletes_at_the_puback_is_caught_and_honest_ones_are_not(tmp_path: Path) -> None:
    away, killed = _row("county-away", 3), _row("killed-offline", 4)
    honest, broken, restarted = await _cells(
        tmp_path, (_gateway("honest"), away), (_gateway("puback"), away), (_gateway("honest"), killed)
    )
    assert broken.lost > 5
    for figures in (honest, restarted):
        assert figures.accepted > 10
        assert (figures.lost, figures.duplicated, figures.unreadable) == (0, 0, 0)
        assert figures.peak_mib > 10
        assert figures.cpu_s > 0.1
        assert figures.wire_kib > 0.5


async def test_a_reading_is_accepted_only_once_the_gateway_says_so() -> None:
    port = free_port()
    async with LineFeed(port, clock=FakeClock()) as feed:
        await feed.offer(1)
        assert feed.promises.offered == 0  # nobody is there
        feed.promises.asked.add(9)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b'{"accepted": 9}\n')
        for _ in range(500):  # until the connection has been taken
            if feed.promises.accepted_s:
                break
            await asyncio.sleep(0.01)
        offering = asyncio.create_task(feed.offer(2))
        assert json.loads(await reader.readline())["n"] == 2
        assert not offering.done()
        assert list(feed.promises.accepted_s) == [9]
        writer.write(b'{"accepted": 2}\n')
        await offering
        assert list(feed.promises.accepted_s) == [9, 2]
        writer.close()


async def test_nonsense_from_a_gateway_ends_its_connection_and_promises_nothing() -> None:
    port = free_port()
    async with LineFeed(port, clock=FakeClock()) as feed:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"all is well\n")
        assert await reader.read() == b""
        assert feed.promises.accepted_s == {}
        writer.close()


@pytest.mark.parametrize(
    "line",
    [b'{"accepted": 7}', b'{"accepted": true}', b'{"accepted": 1e999}', b'{"accepted": "2"}', b"[2]", b"[" * 50_000],
)
async def test_a_word_for_what_was_never_handed_over_is_counted_and_promises_nothing(line: bytes) -> None:
    port = free_port()
    async with LineFeed(port, clock=FakeClock()) as feed:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(line + b"\n")
        async with asyncio.timeout(10):
            while not feed.promises.nonsense:  # noqa: ASYNC110  # until it has been read
                await asyncio.sleep(0.01)
        assert feed.promises.accepted_s == {}
        writer.close()


async def test_what_falls_due_counts_from_the_first_that_was_accepted() -> None:
    async with LineFeed(free_port(), clock=FakeClock()) as feed:
        await feed.offer(1)
        feed.promises.asked.add(1)
        feed.promises.accept(1, at_s=0.0)
        for number in (2, 3):
            await feed.offer(number)  # nobody is there any more
        assert (feed.promises.offered, feed.promises.due) == (1, 2)


@pytest.mark.broker
async def test_a_gateway_that_ends_by_itself_is_no_gateway_that_loses_nothing(tmp_path: Path) -> None:
    with pytest.raises(ProcessDied, match="ended with status 3"):
        await _cells(tmp_path, (_gateway("faint"), _row("refused", 30)))


async def test_a_gateway_that_does_not_listen_yet_is_offered_nothing() -> None:
    async with HttpFeed(f"http://127.0.0.1:{free_port()}/readings", clock=FakeClock(), extra={}) as feed:
        await feed.offer(1)
        assert feed.promises.offered == 0


def test_the_meter_adds_up_what_ended_with_what_runs() -> None:
    meter = Meter()
    meter.look(os.getpid())
    before_s = meter.cpu_s
    meter.look(os.getpid())
    assert meter.cpu_s >= before_s > 0
    assert meter.peak_bytes > 10_000_000


async def test_the_meter_sees_children() -> None:
    work = "import time; data = bytes(range(256)) * 200000; time.sleep(60)"
    shell = await asyncio.create_subprocess_exec(
        sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}])",
        start_new_session=True,
    )  # fmt: skip  # one row
    meter = Meter()
    try:
        async with asyncio.timeout(20):
            while meter.peak_bytes < 55_000_000:
                meter.look(shell.pid)
                await asyncio.sleep(0.02)
    finally:
        os.killpg(shell.pid, signal.SIGKILL)
        await shell.wait()


def test_what_is_done_is_taken_up_again_and_other_settings_are_refused(tmp_path: Path) -> None:
    figures = Figures("kanhu", "reset", 3, 3, 0, 0, 0, 0, 1.5, 40.0, 0.5, 3.0, 100.0, 60.0)
    Kept.open(tmp_path, made_by={"rate": 1}).add(figures)
    assert Kept.open(tmp_path, made_by={"rate": 1}).done == {("kanhu", "reset"): figures}
    with pytest.raises(KeptRefused, match="another --folder"):
        Kept.open(tmp_path, made_by={"rate": 2})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_quick_row_is_shorter_and_says_how_long(row: Row) -> None:
    assert quick(row).lasts_s < row.lasts_s
    assert f"{quick(row).lasts_s:.0f} s" in quick(row).title


@pytest.mark.parametrize("damage", ["\x00\n", "{}\n[1]\n", '{"rate": 1}\n{"candidate": 3}\n', "[" * 100_000 + "\n"])
def test_damaged_figures_are_refused_with_the_remedy(tmp_path: Path, damage: str) -> None:
    (tmp_path / "figures.ndjson").write_text(damage, encoding="utf-8")
    with pytest.raises(KeptRefused, match="another --folder"):
        Kept.open(tmp_path, made_by={"rate": 1})


def test_a_figure_cut_short_by_a_kill_is_measured_again(tmp_path: Path) -> None:
    figures = Figures("kanhu", "reset", 9, 8, 0, 0, 0, 0, 1.5, 40.0, 0.5, 3.0, 100.0, 60.0)
    Kept.open(tmp_path, made_by={"rate": 1}).add(figures)
    with (tmp_path / "figures.ndjson").open("ab") as file:
        file.write(b'{"candidate": "kan')
    kept = Kept.open(tmp_path, made_by={"rate": 1})
    assert kept.done == {("kanhu", "reset"): figures}
    kept.add(replace(figures, row="silent-90"))
    assert len(Kept.open(tmp_path, made_by={"rate": 1}).done) == 2
