"""An analyser on a real pseudo-terminal: answered in order, acknowledged once committed, no reading lost or twice."""

import asyncio
import io
import json
import os
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from kanhu.contract import SystemClock
from kanhu.edge.capture import CaptureWriter
from kanhu.edge.capture_replay import replay_capture
from kanhu.edge.devices import DeviceConfig, Memory
from kanhu.edge.errors import LinkReason
from kanhu.edge.kinds import analyser_astm
from kanhu.edge.sensing import run_devices
from kanhu.edge.transports import serial_port
from kanhu.firmware_sim.wire.astm_link import Analyser, astm_frame, astm_frames
from kanhu.firmware_sim.wire.astm_records import SentResult, astm_message
from tests.edge.readings import RememberingMemory, RememberingSink, SlowSink, until
from tests.edge.test_serial_port import Plug

_ENQ, _EOT, _ACK, _NAK = b"\x05", b"\x04", b"\x06", b"\x15"


def message(value: str = "5.5", *, at: str = "20261127080000", specimen: str = "S1") -> list[bytes]:
    return astm_message(
        [SentResult("GLU", value, "mmol/L", completed=at, loinc="15074-8")], specimen=specimen, patient_name="Wang Wu"
    )


def analyser(plug: Plug) -> DeviceConfig:
    return DeviceConfig(id="lab-1", kind="analyser-astm", port=str(plug.path), subject="r-0001")


@pytest.fixture
def plug(tmp_path: Path) -> Iterator[Plug]:
    made = Plug(tmp_path / "analyser")
    os.set_blocking(made.master, False)
    yield made
    made.end()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analyser_astm, "KIND", replace(analyser_astm.KIND, pause_s=0.4, over_s=1.0))
    monkeypatch.setattr(serial_port, "GATHER_S", 0.02)
    monkeypatch.setattr(serial_port, "WRITE_S", 0.4)


@asynccontextmanager
async def reading(
    sink: RememberingSink, plug: Plug, *, memory: Memory | None = None, tap: CaptureWriter | None = None
) -> AsyncIterator[None]:
    clock, before = SystemClock(), len(sink.seen)
    task = asyncio.create_task(run_devices([analyser(plug)], sink, clock=clock, radio=None, memory=memory, tap=tap))
    try:
        await until(lambda: any(told.reason is LinkReason.OPEN for told in sink.seen[before:]))
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def is_open(sink: RememberingSink) -> bool:
    seen = sink.latest("lab-1")
    return seen is not None and seen.reason is LinkReason.OPEN


def values(sink: RememberingSink) -> list[str]:
    return [str(one.value("glucose_capillary")) for one in sink.accepted]


async def answer(plug: Plug, *, within_s: float = 5.0) -> bytes:
    """What the gateway wrote next."""
    heard = b""

    def came() -> bool:
        nonlocal heard
        with suppress(BlockingIOError):
            heard = os.read(plug.master, 4096)
        return bool(heard)

    await until(came, within_s=within_s)
    return heard


async def said(plug: Plug, words: bytes) -> bytes:
    os.write(plug.master, words)
    return await answer(plug)


async def send(plug: Plug, frames: Iterable[bytes], spoiled: Sequence[int] = ()) -> bytes:
    """A whole session as an analyser keeps it, all answers; the words with these numbers are spoiled on their way."""
    sender = Analyser(frames)
    words, answers, number = sender.begin(), b"", 0
    while not sender.ended:
        sent = words[:-5] + b"?" + words[-4:] if number in spoiled else words
        heard = await said(plug, sent)
        answers += heard
        words = sender.hear(heard)
        number += 1
    os.write(plug.master, words)
    assert not sender.gave_up
    return answers


async def test_each_frame_is_answered_and_the_message_is_a_reading(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, plug):
        assert await send(plug, astm_frames(message())) == _ACK * 6
        assert await send(plug, astm_frames(message("6.1", at="20261127081500"))) == _ACK * 6
        assert values(sink) == ["5.5", "6.1"], "committed before the last frame was acknowledged"
    assert sink.refused == []


async def test_the_last_frame_is_not_acknowledged_before_its_results_are_committed(plug: Plug) -> None:
    sink = SlowSink()
    async with reading(sink, plug):
        *frames, last = astm_frames(message())
        for words in (_ENQ, *frames):
            assert await said(plug, words) == _ACK
        os.write(plug.master, last)
        await until(lambda: sink.committing)
        await asyncio.sleep(0.2)
        with pytest.raises(BlockingIOError):
            os.read(plug.master, 1)
        sink.let.set()
        assert await answer(plug) == _ACK
        assert values(sink) == ["5.5"]


async def test_a_wrong_checksum_is_refused_until_the_frame_comes_right(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, plug):
        answers = await send(plug, astm_frames(message()), spoiled=(2, 3, 6))
        assert answers == _ACK * 2 + _NAK * 2 + _ACK * 2 + _NAK + _ACK * 2
        await until(lambda: (seen := sink.latest("lab-1")) is not None and seen.bad_bytes > 0)
    assert values(sink) == ["5.5"]
    assert sink.refused == []


async def test_a_cable_cut_within_a_message_loses_nothing_and_the_half_message_is_told(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, plug):
        for words in (_ENQ, *astm_frames(message())[:4]):
            assert await said(plug, words) == _ACK
        plug.unplug()
        await until(lambda: any(told.reason is LinkReason.UNPLUGGED for told in sink.seen))
        assert sink.refused == [("lab-1", "short")]
        plug.plug_in()
        os.set_blocking(plug.master, False)
        await until(lambda: is_open(sink))
        await send(plug, astm_frames(message()))
    assert values(sink) == ["5.5"]


async def test_a_message_whose_last_answer_was_lost_comes_again_and_is_one_reading_over_a_restart_too(
    plug: Plug,
) -> None:
    sink, notes = RememberingSink(), RememberingMemory()
    async with reading(sink, plug, memory=notes):
        for words in (_ENQ, *astm_frames(message())[:-1]):
            assert await said(plug, words) == _ACK
        os.write(plug.master, astm_frames(message())[-1])
        await until(lambda: notes.kept)
        plug.unplug()  # the answer is on its way
        plug.plug_in()
        os.set_blocking(plug.master, False)
        await until(lambda: any(told.links == 2 for told in sink.seen))
        await send(plug, astm_frames(message()))
        await until(lambda: (seen := sink.latest("lab-1")) is not None and seen.repeats == 1)
    async with reading(sink, plug, memory=notes):
        await send(plug, astm_frames([*message("7.0", specimen="S2")[:-1], *message()]))
    assert values(sink) == ["5.5", "7"]


async def test_a_whole_message_in_one_long_frame_without_line_end_is_answered_after_a_silence(plug: Plug) -> None:
    sink = RememberingSink()
    comment = b"C|1|I|" + b"x" * 3000 + b"|G"
    text = b"\r".join([*message()[:-1], comment, message()[-1]]) + b"\r"
    async with reading(sink, plug):
        assert await said(plug, _ENQ) == _ACK
        assert await said(plug, astm_frame(1, text)[:-2]) == _ACK
        os.write(plug.master, _EOT)
    assert values(sink) == ["5.5"]


async def test_an_analyser_that_asks_again_is_answered_again_and_begins_anew(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, plug):
        assert await said(plug, _ENQ) == _ACK
        assert await said(plug, _ENQ) == _ACK, "it did not hear us, or wanted the line at the same time"
        assert await said(plug, astm_frames(message("9.9"))[0]) == _ACK
        await send(plug, astm_frames(message()))
    assert values(sink) == ["5.5"]
    assert sink.refused == [("lab-1", "short")]


async def test_an_analyser_that_falls_silent_within_a_message_is_given_up_after_the_time_of_the_standard(
    plug: Plug,
) -> None:
    sink = RememberingSink()
    async with reading(sink, plug):
        for words in (_ENQ, *astm_frames(message())[:3]):
            assert await said(plug, words) == _ACK
        await until(lambda: sink.refused)
        skipped = await said(plug, astm_frames(message())[3])
        assert skipped == _ACK, "the session is over, so this begins another"
        await until(lambda: len(sink.refused) == 2)
        await send(plug, astm_frames(message()))
    assert values(sink) == ["5.5"]


def filled(descriptor: int) -> int:
    """How many bytes it took until it took no more."""
    count = 0
    for size in (512, 1):
        with suppress(BlockingIOError):
            while True:
                count += os.write(descriptor, b"\xff" * size)
    return count


async def test_a_port_that_takes_nothing_is_told_opened_again_and_the_message_arrives_once(plug: Plug) -> None:
    stuck = os.open(plug.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    sink = RememberingSink()
    async with reading(sink, plug):
        await until(lambda: not filled(stuck))
        os.write(plug.master, _ENQ)
        await until(lambda: any(told.reason is LinkReason.TIMED_OUT for told in sink.seen))
        await until(lambda: is_open(sink))
        with suppress(BlockingIOError):
            while os.read(plug.master, 4096):
                pass
        os.close(stuck)
        await send(plug, astm_frames(message()))
    assert values(sink) == ["5.5"]
    (detail, *_) = (told.detail for told in sink.seen if told.reason is LinkReason.TIMED_OUT)
    assert detail == "the port took nothing of 1 bytes for 0.4 s"


async def test_what_was_answered_stands_in_a_capture_which_replays_to_the_same_reading(plug: Plug) -> None:
    sink, file = RememberingSink(), io.BytesIO()
    async with reading(sink, plug, tap=CaptureWriter(file, [analyser(plug)], clock=SystemClock())):
        await send(plug, astm_frames(message()), spoiled=(3,))
        await until(lambda: file.getvalue().count(b'"wrote"') == 7)
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [line["data"] for line in lines if line.get("what") == "wrote"] == ["06"] * 3 + ["15"] + ["06"] * 3
    again = RememberingSink()
    await replay_capture(io.BytesIO(file.getvalue()), again, subject="r-0001")
    assert values(again) == values(sink) == ["5.5"]
    assert again.refused == sink.refused == []
