"""A serial oximeter on a real pseudo-terminal: whole windows, pauses, unplugging, and no modem lines."""

import asyncio
import errno
import fcntl
import os
import pty
import struct
import termios
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from kanhu.contract import QualityLevel, SubjectKind, SystemClock
from kanhu.edge.devices import DeviceConfig
from kanhu.edge.errors import DecodeReason, LinkReason
from kanhu.edge.kinds import oximeter_cms50d
from kanhu.edge.sensing import run_devices
from kanhu.edge.transports.serial_port import GATHER_S
from tests.edge.readings import RememberingSink, SlowSink, until
from tests.edge.test_cms50d import packet_of

_PAUSE_S = 0.6


class Plug:
    """The device's side of a pseudo-terminal behind a path that can be unplugged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.master = -1
        self.plug_in()

    def plug_in(self) -> None:
        self.master, slave = pty.openpty()
        self.path.symlink_to(os.ttyname(slave))
        os.close(slave)

    def unplug(self) -> None:
        self.path.unlink()
        os.close(self.master)
        self.master = -1

    def end(self) -> None:
        if self.master >= 0:
            os.close(self.master)

    async def send(self, data: bytes) -> None:
        """Write as the other side reads: a pseudo-terminal holds 4096 bytes."""
        for at in range(0, len(data), 1000):
            os.write(self.master, data[at : at + 1000])
            await asyncio.sleep(0.1)


@pytest.fixture
def plug(tmp_path: Path) -> Iterator[Plug]:
    made = Plug(tmp_path / "oximeter")
    yield made
    made.end()


@pytest.fixture(autouse=True)
def short_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oximeter_cms50d, "KIND", replace(oximeter_cms50d.KIND, pause_s=_PAUSE_S))


@asynccontextmanager
async def reading(sink: RememberingSink, *devices: DeviceConfig) -> AsyncIterator[None]:
    task = asyncio.create_task(run_devices(devices, sink, clock=SystemClock(), radio=None))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def oximeter(plug: Plug, *, subject: str | None = "r-0003") -> DeviceConfig:
    return DeviceConfig(id="ox-03", kind="oximeter-cms50d", port=str(plug.path), subject=subject)


def is_open(sink: RememberingSink) -> bool:
    seen = sink.latest("ox-03")
    return seen is not None and seen.reason is LinkReason.OPEN


async def test_600_packets_on_the_wire_are_one_reading(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, oximeter(plug)):
        await until(lambda: is_open(sink))
        await plug.send(packet_of(spo2=95) * 1200)
        await until(lambda: len(sink.accepted) == 2)
    assert [reading.value("spo2") for reading in sink.accepted] == [95, 95]
    assert {reading.quality.level for reading in sink.accepted} == {QualityLevel.OK}
    assert {reading.subject.id for reading in sink.accepted} == {"r-0003"}
    assert sink.refused == []


async def test_garbage_on_the_line_is_counted_and_is_no_reading(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, oximeter(plug)):
        await until(lambda: is_open(sink))
        await plug.send(b"\x01\x02\x03" + packet_of() * 300 + b"\x85\x01" + packet_of() * 300)
        await until(lambda: (seen := sink.latest("ox-03")) is not None and seen.bad_bytes == 5)
    assert len(sink.accepted) == 1
    assert sink.refused == []


async def test_a_window_cut_by_silence_is_refused_and_the_next_session_starts_afresh(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, oximeter(plug, subject=None)):
        await until(lambda: is_open(sink))
        await plug.send(packet_of(spo2=80) * 100)
        await until(lambda: sink.refused)
        await plug.send(packet_of(spo2=97) * 600)
        await until(lambda: sink.accepted)
        await asyncio.sleep(2 * _PAUSE_S)
        await plug.send(packet_of(spo2=98) * 600)
        await until(lambda: len(sink.accepted) == 2)
    assert sink.refused == [("ox-03", DecodeReason.WINDOW_INCOMPLETE.value)]
    first, second = sink.accepted
    assert [first.value("spo2"), second.value("spo2")] == [97, 98]
    assert first.subject.kind is SubjectKind.UNIDENTIFIED
    assert first.subject != second.subject, "each session of a shared device is another unknown person"


async def test_an_unplugged_device_is_told_and_read_again_once_it_is_back(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, oximeter(plug)):
        await until(lambda: is_open(sink))
        await plug.send(packet_of() * 60)
        await asyncio.sleep(2 * GATHER_S)  # what the kernel still holds when a port goes, nobody can read
        plug.unplug()
        await until(lambda: (seen := sink.latest("ox-03")) is not None and not seen.connected)
        assert sink.refused == [("ox-03", DecodeReason.WINDOW_INCOMPLETE.value)]
        plug.plug_in()
        await until(lambda: is_open(sink))
        await plug.send(packet_of(spo2=96) * 600)
        await until(lambda: sink.accepted)
    seen = sink.latest("ox-03")
    assert seen is not None
    assert seen.links == 2
    assert any(told.reason is LinkReason.UNPLUGGED for told in sink.seen)


async def test_a_path_that_leads_to_another_device_is_opened_again(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, oximeter(plug)):
        await until(lambda: is_open(sink))
        old = plug.master
        plug.path.unlink()
        plug.plug_in()  # the old one stays open and silent, as some adapters do
        os.write(old, packet_of())
        await until(lambda: any(told.reason is LinkReason.REPLACED for told in sink.seen))
        await until(lambda: is_open(sink))
        await plug.send(packet_of(spo2=94) * 600)
        await until(lambda: sink.accepted)
        os.close(old)


async def test_a_port_that_is_not_there_harms_no_other(plug: Plug, tmp_path: Path) -> None:
    sink = RememberingSink()
    absent = DeviceConfig(id="absent", kind="oximeter-cms50d", port=str(tmp_path / "nothing"))
    async with reading(sink, absent, oximeter(plug)):
        await until(lambda: is_open(sink))
        await plug.send(packet_of() * 600)
        await until(lambda: sink.accepted)
    seen = sink.latest("absent")
    assert seen is not None
    assert (seen.connected, seen.reason) == (False, LinkReason.OPEN_FAILED)


async def test_a_port_is_read_although_it_refuses_modem_lines(plug: Plug) -> None:
    slave = os.open(plug.path, os.O_RDWR | os.O_NOCTTY)
    with pytest.raises(OSError, match="ioctl") as refused:
        fcntl.ioctl(slave, termios.TIOCMBIS, struct.pack("I", termios.TIOCM_DTR))
    os.close(slave)
    assert refused.value.errno == errno.ENOTTY
    sink = RememberingSink()
    async with reading(sink, oximeter(plug)):
        await until(lambda: is_open(sink))


async def test_a_window_that_was_begun_is_refused_when_reading_ends(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, oximeter(plug)):
        await until(lambda: is_open(sink))
        os.write(plug.master, packet_of() * 30)
        await asyncio.sleep(GATHER_S / 4)  # it ends in the middle of a batch
    assert sink.refused == [("ox-03", DecodeReason.WINDOW_INCOMPLETE.value)]


async def test_what_was_read_with_the_reading_under_way_is_received_when_reading_ends(plug: Plug) -> None:
    sink = SlowSink()
    async with reading(sink, oximeter(plug)):
        await until(lambda: is_open(sink))
        os.write(plug.master, packet_of() * 700)  # 3,500 bytes, in one batch
        await until(lambda: sink.committing == 1)
        asyncio.get_running_loop().call_later(GATHER_S, sink.let.set)
    assert len(sink.accepted) == 1
    assert sink.refused == [("ox-03", DecodeReason.WINDOW_INCOMPLETE.value)]
    assert sink.details == ["100 of 600 packets"]
