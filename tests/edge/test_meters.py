"""A glucose meter by the radio: every record is one reading once, whatever ends the link, and after a restart too."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from kanhu.contract import FakeClock, Meal, Observation, QualityReason, SubjectKind, SystemClock
from kanhu.edge import meters
from kanhu.edge.devices import DeviceConfig, RadioConfig
from kanhu.edge.errors import DecodeReason, LinkLost, LinkReason
from kanhu.edge.intake import Intake
from kanhu.edge.meters import GlucosePeer
from kanhu.edge.sensing import run_devices
from kanhu.edge.whose import Attendance, People
from kanhu.firmware_sim.wire.glucose import MeterResult, MeterStatus, SampleLocation, SampleType, glucose_measurement
from kanhu.firmware_sim.wire.glucose_context import MeterContext
from kanhu.firmware_sim.wire.record_access import serve_racp
from kanhu.firmware_sim.wire.sfloat import SfloatSpecial
from tests.edge.readings import RememberingMemory, RememberingSink, until
from tests.edge.virtual_meter import GLUCOSE_SERVICE, Meter
from tests.edge.virtual_radio import VirtualAir

METER = DeviceConfig(id="meter-1", kind="glucose-ble", address="F0:0D:00:00:00:0B", subject="r-0003")
_FIRST = datetime(2026, 3, 1, 7, tzinfo=UTC)


def result(sequence: int, value: str = "0.0061", **more: object) -> MeterResult:
    at = _FIRST + timedelta(hours=sequence)
    return MeterResult(sequence, at, concentration=Decimal(value), **more)  # type: ignore[arg-type]  # of the dataclass


@pytest.fixture(autouse=True)
def _asked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meters, "AGAIN_S", 0.2)


@asynccontextmanager
async def fetching(
    air: VirtualAir, sink: RememberingSink, memory: RememberingMemory, device: DeviceConfig = METER
) -> AsyncIterator[None]:
    running = asyncio.create_task(
        run_devices([device], sink, clock=SystemClock(), radio=RadioConfig(bumble=air.transport), memory=memory)
    )
    try:
        yield
        assert not running.done(), running.exception()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def meter_on(air: VirtualAir, *memory: MeterResult, encrypted: bool = False) -> Meter:
    meter = Meter(air, address=METER.address or "", memory=memory, encrypted=encrypted)
    await meter.power_on()
    await meter.advertise(GLUCOSE_SERVICE)
    return meter


def values(sink: RememberingSink) -> list[str]:
    return [str(one.value("glucose_capillary")) for one in sink.accepted]


async def test_each_record_is_one_reading_and_what_is_measured_later_follows(air: VirtualAir) -> None:
    sink, memory = RememberingSink(), RememberingMemory()
    meter = await meter_on(air, result(1), result(2, "0.0102", context_follows=True))
    meter.contexts[2] = MeterContext(2, meal=2)
    async with fetching(air, sink, memory):
        await until(lambda: len(sink.accepted) == 2)
        meter.memory.append(result(3, "0.0034"))
        await until(lambda: len(sink.accepted) == 3)
        await until(lambda: memory.kept.get("meter-1", {}).get("sequence") == 3)
        asked = len(meter.asked)
        await until(lambda: len(meter.asked) > asked + 4)
    assert values(sink) == ["6.1", "10.2", "3.4"]
    assert sink.accepted[1].context is not None
    assert sink.accepted[1].context.meal is Meal.AFTER
    assert {one.subject.id for one in sink.accepted} == {"r-0003"}
    assert [one.times.device_ms for one in sink.accepted] == [
        int((_FIRST + timedelta(hours=hours)).timestamp()) * 1000 for hours in (1, 2, 3)
    ]


async def test_after_a_restart_only_new_records_are_readings(air: VirtualAir) -> None:
    memory, sinks = RememberingMemory(), (RememberingSink(), RememberingSink())
    meter = await meter_on(air, result(1), result(2))
    for sink, count in zip(sinks, (2, 1), strict=True):
        async with fetching(air, sink, memory):
            await until(lambda sink=sink, count=count: len(sink.accepted) == count)  # type: ignore[misc]  # mypy cannot infer a lambda's default
            await until(lambda: memory.kept.get("meter-1", {}).get("sequence") == len(meter.memory))
        meter.memory.append(result(3, "0.0214"))
    assert values(sinks[1]) == ["21.4"]


async def test_a_link_cut_in_the_middle_loses_and_repeats_nothing(air: VirtualAir) -> None:
    sink, memory = RememberingSink(), RememberingMemory()
    meter = await meter_on(air, *(result(sequence, f"0.0{sequence:03}") for sequence in range(50, 90)))
    meter.cut_after = 17
    async with fetching(air, sink, memory):
        await until(lambda: len(sink.accepted) >= 40)
        await until(lambda: memory.kept.get("meter-1", {}).get("sequence") == 89)
    assert values(sink) == [str(Decimal(sequence) / 10) for sequence in range(50, 90)]


async def test_more_records_than_may_wait_are_readings_all_the_same(
    air: VirtualAir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kanhu.edge.intake._MOST_WAITING", 3)
    sink, memory = RememberingSink(), RememberingMemory()
    await meter_on(air, *(result(sequence) for sequence in range(1, 31)))
    async with fetching(air, sink, memory):
        await until(lambda: memory.kept.get("meter-1", {}).get("sequence") == 30)
    assert len(sink.accepted) == 30
    assert sink.refused == []


async def test_hi_and_control_solution_and_what_cannot_be_read(air: VirtualAir) -> None:
    sink, memory = RememberingSink(), RememberingMemory()
    hi = MeterResult(1, _FIRST, concentration=SfloatSpecial.POSITIVE_INFINITY, status=MeterStatus.RESULT_TOO_HIGH)
    control = result(2, sample_type=SampleType.CONTROL_SOLUTION, location=SampleLocation.CONTROL_SOLUTION)
    await meter_on(air, hi, control)
    async with fetching(air, sink, memory):
        await until(lambda: memory.kept.get("meter-1", {}).get("sequence") == 2)
    assert values(sink) == ["33.3"]
    assert QualityReason.ABOVE_RANGE in sink.accepted[0].quality.reasons
    assert sink.refused == [("meter-1", DecodeReason.NO_VALUE.value)]


async def test_a_meter_whose_memory_was_erased_counts_anew_and_nothing_of_it_is_missed(air: VirtualAir) -> None:
    sink, memory = RememberingSink(), RememberingMemory()
    memory.kept["meter-1"] = {"sequence": 7, "base_time_ms": 1_700_000_000_000}
    await meter_on(air, result(1), result(2))
    async with fetching(air, sink, memory):
        await until(lambda: len(sink.accepted) == 2)
        await until(lambda: memory.kept["meter-1"]["sequence"] == 2)


async def test_a_meter_that_answers_nothing_is_left_and_tried_again(
    air: VirtualAir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meters, "SILENT_S", 0.2)
    sink, memory = RememberingSink(), RememberingMemory()
    meter = await meter_on(air, result(1))
    meter.mute = True
    async with fetching(air, sink, memory):
        await until(lambda: any(seen.reason is LinkReason.TIMED_OUT for seen in sink.seen))
        assert any(seen.detail == "asking" for seen in sink.seen)
        meter.mute = False
        await until(lambda: len(sink.accepted) == 1)


async def test_a_meter_that_wants_an_encrypted_link_is_paired_with_and_then_asked(air: VirtualAir) -> None:
    sink, memory = RememberingSink(), RememberingMemory()
    meter = await meter_on(air, result(1), result(2), encrypted=True)
    async with fetching(air, sink, memory):
        await until(lambda: len(sink.accepted) == 2, within_s=40)
        assert [link.is_encrypted for link in meter.connections] == [True]
    assert [seen.reason for seen in sink.seen].count(LinkReason.NOT_PAIRED) == 1, "once is enough to know"


async def test_records_of_a_shared_meter_are_of_nobody_each(air: VirtualAir) -> None:
    sink, memory = RememberingSink(), RememberingMemory()
    shared = DeviceConfig(id="meter-1", kind="glucose-ble", address=METER.address)
    await meter_on(air, result(1), result(2))
    async with fetching(air, sink, memory, shared):
        await until(lambda: len(sink.accepted) == 2)
    assert {one.subject.kind for one in sink.accepted} == {SubjectKind.UNIDENTIFIED}
    assert len({one.subject.id for one in sink.accepted}) == 2


@pytest.mark.parametrize(
    ("records", "age_s", "of_chosen"), [(1, 30, True), (1, 90, True), (1, 150, False), (1, -300, False), (2, 30, False)]
)
async def test_on_a_shared_meter_a_single_record_of_just_now_is_of_who_was_chosen(
    records: int, age_s: int, of_chosen: bool
) -> None:
    clock, sink = FakeClock(start=_FIRST), RememberingSink()
    attendance = Attendance(clock=clock)
    people = People(clock=clock, attendance=attendance)
    attendance.choose("r-0009")
    clock.advance(200)
    now_ms = clock.wall_ms()
    shared = DeviceConfig(id="meter-1", kind="glucose-ble", address=METER.address)
    intake = Intake(shared, sink=sink, clock=clock, people=people, local_time=lambda: (now_ms, now_ms))
    intake.clock_read(3600)  # an hour ahead
    at = datetime.fromtimestamp(now_ms / 1000 + 3600 - age_s, UTC)
    memory = [
        MeterResult(sequence, at.replace(microsecond=0), concentration=Decimal("0.0061"))
        for sequence in range(1, records + 1)
    ]
    peer = GlucosePeer(intake)
    draining = asyncio.create_task(peer.inbox.drain())

    async def write(uuid: str, value: bytes) -> None:
        reply = serve_racp(value, [one.sequence for one in memory])
        for place in reply.places:
            peer.notified(glucose_measurement(memory[place]))
        peer.told(uuid, reply.indication)

    await peer.ask(write)
    await until(lambda: len(sink.accepted) == records)
    draining.cancel()
    assert {one.subject.id == "r-0009" for one in sink.accepted} == {of_chosen}


async def test_a_meter_that_never_ends_its_report_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meters, "SILENT_S", 0.05)
    monkeypatch.setattr(meters, "_MOST_TOLD", 500)
    peer = GlucosePeer(Intake(METER, sink=RememberingSink(), clock=FakeClock()))

    async def write(uuid: str, value: bytes) -> None:
        peer.told(uuid, b"\x05\x00\x01\x00" if value[0] == 0x04 else b"")

    async def endless() -> None:
        while True:
            peer.notified(b"\x00")
            await asyncio.sleep(0.0005)

    sending = asyncio.create_task(endless())
    with pytest.raises(LinkLost, match="no end"):
        await peer.ask(write)
    sending.cancel()


class FullSink(RememberingSink):
    """Takes nothing of the even hours, until there is room."""

    def __init__(self) -> None:
        super().__init__()
        self.full = True
        self.not_kept = 0

    async def accept(self, observation: Observation) -> bool:
        if self.full and (observation.times.device_ms or 0) // 3_600_000 % 2 == 0:
            self.not_kept += 1
            return False
        return await super().accept(observation)


async def test_what_the_card_did_not_take_is_asked_for_again_and_nothing_comes_twice(air: VirtualAir) -> None:
    sink, memory = FullSink(), RememberingMemory()
    await meter_on(air, *(result(number) for number in range(1, 7)))
    async with fetching(air, sink, memory):
        await until(lambda: sink.not_kept > 6)
        assert "sequence" not in memory.kept.get("meter-1", {}), "a position stands for what is on the card"
        sink.full = False
        await until(lambda: memory.kept.get("meter-1", {}).get("sequence") == 6)
    taken = [one.times.device_ms for one in sink.accepted]
    assert len(taken) == len(set(taken)) == 6
