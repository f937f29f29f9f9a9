"""Every reading that arrived is accepted or refused once, whatever happens around it."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

import pytest

from kanhu.contract import FakeClock, Observation, Part, Times
from kanhu.edge import intake as intake_module
from kanhu.edge.devices import DeviceConfig, Forgetful
from kanhu.edge.errors import DecodeError, DecodeReason, LinkReason
from kanhu.edge.intake import Inbox, Intake
from tests.edge.readings import RESIDENT, RememberingSink, SlowSink, until

STRAP = DeviceConfig(id="strap-03", kind="strap-ble", address="F0:0D:00:00:00:04", subject="r-0003")


class RememberingMemory(Forgetful):
    """Keeps what is known of one device."""

    def __init__(self) -> None:
        self.notes: dict[str, int] = {}

    async def keep(self, device: str, notes: Mapping[str, int]) -> None:
        assert device == STRAP.id
        self.notes |= notes


def frame_of(*frame: int) -> Callable[[Times], Observation]:
    def observe(times: Times) -> Observation:
        if not frame:
            raise DecodeError(DecodeReason.SHORT, "nothing")
        return Observation("heart_rhythm", (Part("heart_rate", (frame[0],)),), RESIDENT, "strap-03", times)

    return observe


async def test_readings_keep_their_order_and_the_time_of_their_arrival() -> None:
    sink, clock = SlowSink(), FakeClock()
    inbox = Inbox(Intake(STRAP, sink=sink, clock=clock))
    draining = asyncio.create_task(inbox.drain())
    for rate in range(60, 65):
        inbox.put(frame_of(rate))
        clock.advance(1)
    sink.let.set()
    await until(lambda: len(sink.accepted) == 5)
    assert [reading.series("heart_rate")[0] for reading in sink.accepted] == [60, 61, 62, 63, 64]
    assert [reading.times.mono_ns // 1_000_000_000 for reading in sink.accepted] == [0, 1, 2, 3, 4]
    draining.cancel()


async def test_what_arrived_before_the_end_is_still_handed_over() -> None:
    sink = SlowSink()
    inbox = Inbox(Intake(STRAP, sink=sink, clock=FakeClock()))
    draining = asyncio.create_task(inbox.drain())
    for rate in range(60, 65):
        inbox.put(frame_of(rate))
    inbox.put(frame_of())
    await until(lambda: sink.committing == 1)
    draining.cancel()
    await asyncio.sleep(0)
    assert not draining.done(), "the commit under way is waited for"
    sink.let.set()
    with suppress(asyncio.CancelledError):
        await draining
    assert [reading.series("heart_rate")[0] for reading in sink.accepted] == [60, 61, 62, 63, 64]
    assert sink.refused == [("strap-03", DecodeReason.SHORT.value)]


async def test_what_is_kept_of_a_reading_is_kept_although_the_end_came_with_its_commit() -> None:
    sink, memory = SlowSink(), RememberingMemory()
    inbox = Inbox(Intake(STRAP, sink=sink, clock=FakeClock(), memory=memory))
    draining = asyncio.create_task(inbox.drain())
    inbox.put(frame_of(60), notes={"counter": 7})
    await until(lambda: sink.committing == 1)
    draining.cancel()
    sink.let.set()
    with suppress(asyncio.CancelledError):
        await draining
    assert len(sink.accepted) == 1
    assert memory.notes == {"counter": 7}


async def test_a_full_inbox_refuses_the_newest_and_counts_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "_MOST_WAITING", 4)
    sink = SlowSink()
    inbox = Inbox(Intake(STRAP, sink=sink, clock=FakeClock()))
    for rate in range(60, 70):
        inbox.put(frame_of(rate))
    sink.let.set()
    draining = asyncio.create_task(inbox.drain())
    await until(lambda: sink.readings == 10)
    assert [reading.series("heart_rate")[0] for reading in sink.accepted] == [60, 61, 62, 63]
    assert sink.refused == [("strap-03", DecodeReason.BACKLOG_FULL.value)] * 6
    draining.cancel()


async def test_a_device_that_floods_without_end_still_gets_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "_MOST_WAITING", 4)
    sent = 0

    class FloodedSink(RememberingSink):
        async def refuse(self, device: str, reason: str, detail: str) -> None:
            nonlocal sent
            await super().refuse(device, reason, detail)
            for _ in range(2):  # by the time a refusal is committed, two more have come
                if sent < 2_000:
                    sent += 1
                    inbox.put(frame_of(0x40))

    sink = FloodedSink()
    inbox = Inbox(Intake(STRAP, sink=sink, clock=FakeClock()))
    for rate in range(60, 70):
        inbox.put(frame_of(rate))
    draining = asyncio.create_task(inbox.drain())
    await until(lambda: sink.readings == 2_010)
    assert [reading.series("heart_rate")[0] for reading in sink.accepted[:4]] == [60, 61, 62, 63]
    assert len(sink.accepted) > 4 + 2, "and those that came during the flood got theirs"
    draining.cancel()


async def test_what_did_not_fit_is_refused_even_where_everything_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "_MOST_WAITING", 1)
    sink = SlowSink()
    inbox = Inbox(Intake(STRAP, sink=sink, clock=FakeClock()))
    draining = asyncio.create_task(inbox.drain())
    inbox.put(frame_of(0x3C))
    await until(lambda: sink.committing == 1)
    for rate in (61, 62, 63):
        inbox.put(frame_of(rate))
    draining.cancel()
    sink.let.set()
    with suppress(asyncio.CancelledError):
        await draining
    assert (len(sink.accepted), len(sink.refused)) == (2, 2)


async def test_a_sink_that_fails_is_not_passed_over() -> None:
    class BrokenSink(RememberingSink):
        async def accept(self, observation: Observation) -> bool:
            raise OSError(f"no space left for {observation.metric}")

    inbox = Inbox(Intake(STRAP, sink=BrokenSink(), clock=FakeClock()))
    inbox.put(frame_of(0x40))
    with pytest.raises(OSError, match="no space"):
        await inbox.drain()


async def test_a_sink_that_fails_for_one_reading_still_gets_the_others() -> None:
    class FailingSink(RememberingSink):
        async def accept(self, observation: Observation) -> bool:
            if observation.series("heart_rate") in {(61,), (63,)}:
                raise OSError("no space left")
            return await super().accept(observation)

    sink = FailingSink()
    inbox = Inbox(Intake(STRAP, sink=sink, clock=FakeClock()))
    for rate in range(60, 66):
        inbox.put(frame_of(rate))
    inbox.put(frame_of())
    with pytest.raises(OSError, match="no space"):
        await inbox.drain()
    assert [reading.series("heart_rate")[0] for reading in sink.accepted] == [60, 62, 64, 65]
    assert sink.refused == [("strap-03", DecodeReason.SHORT.value)]


def test_the_sink_is_told_of_changes_only() -> None:
    sink = RememberingSink()
    intake = Intake(STRAP, sink=sink, clock=FakeClock())
    intake.linked(LinkReason.CONNECTED)
    intake.battery(81)
    intake.battery(81)
    intake.tell()
    intake.unlinked(LinkReason.DISCONNECTED, "")
    intake.unlinked(LinkReason.DISCONNECTED, "")
    assert [(seen.connected, seen.battery_percent) for seen in sink.seen] == [(True, None), (True, 81), (False, 81)]
