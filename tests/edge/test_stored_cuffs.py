"""A Microlife cuff tells its whole memory each time: every record is one reading once, whatever breaks off."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest

from kanhu.contract import FakeClock, Observation, SubjectKind
from kanhu.edge import stored_cuffs
from kanhu.edge.devices import DeviceConfig
from kanhu.edge.errors import DecodeReason, LinkLost, LinkReason
from kanhu.edge.intake import Intake
from kanhu.edge.stored_cuffs import MicrolifePeer
from kanhu.edge.whose import Attendance, People
from kanhu.firmware_sim.wire.cuff_reading import StoredCuffReading
from kanhu.firmware_sim.wire.microlife import microlife_frame, microlife_records
from tests.edge.readings import RememberingMemory, RememberingSink

_NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_ADDRESS = "F0:0D:00:00:00:0C"


def record(minutes_ago: int, systolic: int = 130) -> StoredCuffReading:
    return StoredCuffReading(systolic, 80, 70, _NOON - timedelta(minutes=minutes_ago))


class Cuff:
    """The cuff's side: answers what is written to it."""

    def __init__(self, *, sink: RememberingSink | None = None, shared: bool = False) -> None:
        self.clock = FakeClock(_NOON)
        self.sink = sink or RememberingSink()
        self.memory = RememberingMemory()
        self.device = DeviceConfig(
            id="cuff-7", kind="cuff-microlife", address=_ADDRESS, subject=None if shared else "r-0003"
        )
        self.attendance = Attendance(clock=self.clock)
        self.records: Sequence[StoredCuffReading | None] = ()
        self.written: list[bytes] = []
        self.silent_after = 10_000
        """So many pieces are sent on a link, and no more."""
        self.spoiled = False
        self.takes_time = b"\x81"
        self.restart()

    def restart(self) -> None:
        """The gateway starts again, with what was kept of the cuff."""
        now = lambda: (self.clock.wall_ms(), self.clock.wall_ms())  # noqa: E731  # its zone is UTC
        self.peer = MicrolifePeer(
            Intake(
                self.device,
                sink=self.sink,
                clock=self.clock,
                people=People(clock=self.clock, attendance=self.attendance),
                local_time=now,
                memory=self.memory,
                notes=self.memory.kept.get("cuff-7", {}),
            )
        )

    async def write(self, uuid: str, value: bytes) -> None:
        assert uuid.startswith("0000fff2")
        self.written.append(value)
        payload = {0x0D: self.takes_time, 0x00: microlife_records(self.records)}.get(value[4])
        if payload is None:
            return
        frame = bytearray(microlife_frame(payload))
        if self.spoiled and value[4] == 0x00:
            frame[50] ^= 0x01
        for at in range(0, len(frame), 20):
            if self.silent_after == 0:
                return
            self.silent_after -= 1
            self.peer.notified(bytes(frame[at : at + 20]))

    @asynccontextmanager
    async def linked(self) -> AsyncIterator[None]:
        """A link of the cuff, while somebody drains."""
        draining = asyncio.create_task(self.peer.inbox.drain())
        self.peer.linked(LinkReason.CONNECTED)
        try:
            yield
        finally:
            self.peer.unlinked(LinkReason.DISCONNECTED, "")
            draining.cancel()
            with suppress(asyncio.CancelledError):
                await draining

    async def tells(self) -> None:
        """One whole link."""
        async with self.linked():
            await self.peer.ask(self.write)

    @property
    def systolic(self) -> list[str]:
        return [str(one.value("systolic")) for one in self.sink.accepted]


async def test_each_record_is_one_reading_over_links_and_restarts() -> None:
    cuff = Cuff()
    cuff.records = [record(300, 131), None, record(200, 132), None]
    await cuff.tells()
    await cuff.tells()
    cuff.records = [*cuff.records, record(1, 133)]
    cuff.restart()
    await cuff.tells()
    assert cuff.systolic == ["131", "132", "133"]
    assert [one.times.device_ms for one in cuff.sink.accepted][-1] == int((_NOON.timestamp() - 60) * 1000)
    assert cuff.sink.refused == []


async def test_its_clock_is_set_first_and_it_is_said_goodbye_to() -> None:
    cuff = Cuff()
    await cuff.tells()
    time, records, goodbye = cuff.written
    assert time.hex() == "4dff00080d1a03020c0000" + f"{sum(bytes.fromhex('4dff00080d1a03020c0000')) % 256:02x}"
    assert records.hex() == "4dff000900000000000000fd52"
    assert goodbye.hex() == "4dff00020452"


async def test_a_link_cut_in_the_middle_loses_and_repeats_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_cuffs, "SILENT_S", 0.05)
    cuff = Cuff()
    cuff.records = [record(300 - number, 100 + number) for number in range(40)]
    cuff.silent_after = 9
    with pytest.raises(TimeoutError):
        await cuff.tells()
    assert cuff.sink.accepted == []
    cuff.silent_after = 10_000
    await cuff.tells()
    assert len(cuff.systolic) == 40
    assert [reason for _, reason in cuff.sink.refused] == [DecodeReason.SHORT.value]


async def test_a_frame_that_was_changed_on_its_way_is_refused_and_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stored_cuffs, "SILENT_S", 0.05)
    cuff = Cuff()
    cuff.records = [record(300)]
    cuff.spoiled = True
    with pytest.raises(TimeoutError):
        await cuff.tells()
    cuff.spoiled = False
    await cuff.tells()
    assert cuff.systolic == ["130"]
    assert [reason for _, reason in cuff.sink.refused] == [DecodeReason.NOT_SYNCHRONISED.value]


async def test_noise_without_end_is_bounded_and_refused() -> None:
    cuff = Cuff()
    async with cuff.linked():
        cuff.peer.notified(b"M:\xff\xff")
        for _ in range(1000):
            cuff.peer.notified(bytes(20))
        await cuff.peer.inbox.settled()
    assert cuff.sink.refused
    assert cuff.sink.accepted == []


async def test_a_cuff_that_refuses_its_clock_is_told_by_name() -> None:
    cuff = Cuff()
    cuff.takes_time = b"\x82"
    with pytest.raises(LinkLost, match="clock"):
        await cuff.tells()


async def test_what_the_card_did_not_take_is_taken_on_the_next_link() -> None:
    class Full(RememberingSink):
        full = True

        async def accept(self, observation: Observation) -> bool:
            return False if self.full else await super().accept(observation)

    sink = Full()
    cuff = Cuff(sink=sink)
    cuff.records = [record(300)]
    await cuff.tells()
    assert sink.accepted == []
    sink.full = False
    await cuff.tells()
    await cuff.tells()
    assert cuff.systolic == ["130"]


async def test_of_a_shared_cuff_only_a_single_record_of_just_now_is_of_who_is_chosen() -> None:
    cuff = Cuff(shared=True)
    cuff.attendance.choose("r-0009")
    cuff.clock.advance(60)
    cuff.records = [record(500), record(400)]
    await cuff.tells()
    cuff.records = [*cuff.records, record(0, 140)]
    await cuff.tells()
    kinds = [one.subject.kind for one in cuff.sink.accepted]
    assert kinds == [SubjectKind.UNIDENTIFIED, SubjectKind.UNIDENTIFIED, SubjectKind.RESIDENT]
    assert cuff.sink.accepted[-1].subject.id == "r-0009"


async def test_two_records_of_one_minute_are_two() -> None:
    cuff = Cuff()
    cuff.records = [record(5, 130), record(5, 131)]
    await cuff.tells()
    assert sorted(cuff.systolic) == ["130", "131"]
