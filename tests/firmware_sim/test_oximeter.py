"""The oximeter sends whole windows to whoever reads, and its journal says what happened to every one of them."""

import asyncio
import os
import select
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kanhu.firmware_sim.devices import Oximeter
from kanhu.firmware_sim.scenario.model import Artefact, DeviceKind, Event, Remove, Wear, Window
from kanhu.firmware_sim.serial_line import SerialLine
from tests.firmware_sim.playing import Stage, fill

_KERNEL_PATIENCE_S = 0.05  # a pseudo terminal carries bytes over in its own time, not in the fake clock's


class Bench:
    """An oximeter at play, and a reader that can be plugged in."""

    def __init__(self, folder: Path) -> None:
        self.stage = Stage(folder)
        self.line = SerialLine(folder / "line")
        self.reader: int | None = None
        self.tasks: list[asyncio.Task[None]] = []

    def play(self, *events: Event, duration_s: float = 60) -> None:
        oximeter = Oximeter(self.stage.surroundings(DeviceKind.OXIMETER, *events), line=self.line)
        timeline = self.stage.timeline(duration_s=duration_s)
        self.tasks = [asyncio.create_task(oximeter.play(timeline)), asyncio.create_task(oximeter.idle())]

    def plug_in(self) -> None:
        self.reader = os.open(self.line.name, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)

    def pull_out(self) -> None:
        if self.reader is not None:
            os.close(self.reader)
        self.reader = None

    async def read_for(self, seconds: float) -> bytes:
        heard = b""
        for _ in range(round(seconds)):
            await self.stage.pass_time(1)
            heard += self._waiting(patience_s=0)
        return heard + self._waiting(patience_s=_KERNEL_PATIENCE_S)

    def _waiting(self, *, patience_s: float) -> bytes:
        heard = b""
        while self.reader is not None and select.select([self.reader], [], [], patience_s)[0]:
            heard += os.read(self.reader, 65536)
        return heard

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    await bench.stop()
    bench.pull_out()
    bench.line.close()
    bench.stage.journal.close()


def _fates(bench: Bench) -> list[object]:
    return [line.get("unsent", line["values"].get("cut", "sent")) for line in bench.stage.readings()]


async def test_each_window_is_600_packets_and_one_reading(bench: Bench) -> None:
    bench.plug_in()
    windows = (Window(spo2_percent=90, pulse_bpm=80), Window(artefact=Artefact.FINGER_OUT))
    bench.play(Wear(at_s=2, device="device-01", windows=windows))
    heard = await bench.read_for(24)
    assert len(heard) == 2 * 600 * 5
    assert [line["n"] for line in bench.stage.readings()] == [1, 2]
    assert bench.stage.readings()[0]["values"]["spo2_percent"] == 90
    assert bench.stage.readings()[1]["values"]["valid_packets"] == 0
    assert bench.stage.journal.emitted == {"device-01": 2}


async def test_packets_come_at_sixty_a_second(bench: Bench) -> None:
    bench.plug_in()
    bench.play(Wear(at_s=2, device="device-01", windows=(Window(),)))
    await bench.read_for(2)
    assert [len(await bench.read_for(1)) // 5 for _ in range(3)] == [60, 60, 60]


async def test_nothing_is_sent_to_nobody(bench: Bench) -> None:
    bench.play(Wear(at_s=2, device="device-01", windows=(Window(count=2),)))
    await bench.read_for(25)
    assert _fates(bench) == ["no_reader", "no_reader"]
    assert bench.stage.journal.emitted == {"device-01": 0}
    bench.plug_in()
    assert await bench.read_for(3) == b""


async def test_a_reader_who_comes_late_gets_the_next_whole_window(bench: Bench) -> None:
    bench.play(Wear(at_s=0, device="device-01", windows=(Window(count=2),)))
    await bench.read_for(4)
    bench.plug_in()
    assert len(await bench.read_for(18)) == 600 * 5
    assert _fates(bench) == ["no_reader", "sent"]


async def test_a_reader_who_has_only_just_come_is_given_time_to_settle(bench: Bench) -> None:
    bench.play(Wear(at_s=1, device="device-01", windows=(Window(count=2),)))
    await bench.stage.pass_time(0.8)
    bench.plug_in()
    await bench.read_for(22)
    assert _fates(bench) == ["reader_just_came", "sent"]


async def test_a_reader_who_goes_leaves_an_unsent_window_and_a_pause(bench: Bench) -> None:
    bench.plug_in()
    bench.play(Wear(at_s=2, device="device-01", windows=(Window(count=3),)))
    await bench.read_for(11)
    bench.pull_out()
    await bench.stage.pass_time(0.4)
    bench.plug_in()  # back at 11.4 s, the next window would begin at 12 s
    await bench.read_for(22)
    assert _fates(bench) == ["reader_gone", "reader_just_came", "sent"]


async def test_a_session_pauses_three_seconds_after_it_broke_off(bench: Bench) -> None:
    bench.plug_in()
    bench.play(Wear(at_s=2, device="device-01", windows=(Window(count=3),)))
    await bench.stage.pass_time(10)
    bench.pull_out()
    await bench.stage.pass_time(0.3)
    bench.plug_in()  # settled when the window at 12 s should begin, and still in the pause
    await bench.read_for(24)
    assert _fates(bench) == ["reader_gone", "pausing", "sent"]


async def test_stopping_inside_a_window_counts_it_as_emitted_and_cut(bench: Bench) -> None:
    bench.plug_in()
    bench.play(Wear(at_s=2, device="device-01", windows=(Window(),)))
    heard = await bench.read_for(6)
    await bench.stop()
    (line,) = bench.stage.readings()
    assert line["values"]["cut"] == "stopped"
    assert line["values"]["handed_over_packets"] == len(heard) // 5
    assert bench.stage.journal.emitted == {"device-01": 1}


async def test_a_window_with_a_gap_inside_is_cut_and_the_next_one_is_whole(bench: Bench) -> None:
    bench.plug_in()
    bench.play(Wear(at_s=2, device="device-01", windows=(Window(count=2),)))
    heard = await bench.read_for(5)
    bench.stage.clock.advance(1.5)  # the machine was too busy to let the simulator run
    heard += await bench.read_for(3)
    assert _fates(bench) == ["interrupted"]
    assert bench.stage.readings()[0]["values"]["handed_over_packets"] == len(heard) // 5
    assert len(await bench.read_for(14)) == 600 * 5
    assert bench.stage.journal.emitted == {"device-01": 2}


async def test_stopping_between_windows_leaves_no_trace(bench: Bench) -> None:
    bench.plug_in()
    bench.play(Wear(at_s=2, device="device-01", windows=(Window(),)))
    await bench.read_for(1)
    await bench.stop()
    assert bench.stage.readings() == []


async def test_an_open_ended_wear_sends_whole_windows_until_it_is_taken_off(bench: Bench) -> None:
    bench.plug_in()
    bench.play(Wear(at_s=2, device="device-01"), Remove(at_s=27, device="device-01"))
    assert len(await bench.read_for(40)) == 2 * 600 * 5
    assert _fates(bench) == ["sent", "sent"]


async def test_a_reader_who_sleeps_for_minutes_costs_the_window_not_the_simulator(bench: Bench) -> None:
    bench.plug_in()
    fill(bench.line)
    bench.play(Wear(at_s=2, device="device-01", windows=(Window(),)))
    await bench.stage.pass_time(13)
    assert _fates(bench) == ["reader_too_slow"]
    assert bench.stage.journal.emitted == {"device-01": 0}
