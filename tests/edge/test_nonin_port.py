"""Nonin oximeters on a real pseudo-terminal: each format by its kind, fingers that leave, and other formats."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import FakeClock, QualityLevel, QualityReason, SubjectKind, SystemClock
from kanhu.edge.devices import DeviceConfig
from kanhu.edge.errors import LinkReason
from kanhu.edge.intake import Intake
from kanhu.edge.kinds import oximeter_nonin, oximeter_nonin_df8, oximeter_nonin_df13
from kanhu.edge.nonin_streams import NoninSecondStream, NoninStream
from kanhu.edge.sensing import run_devices
from kanhu.edge.spot_checks import SpotChecks
from kanhu.edge.transports import serial_port
from kanhu.edge.whose import Attendance, People
from kanhu.firmware_sim.wire.nonin import (
    STEADY,
    Status,
    Values,
    packet_2,
    packet_7,
    second_8,
    spot_check,
)
from tests.edge.readings import RememberingSink, until
from tests.edge.test_cms50d import packet_of
from tests.edge.test_serial_port import Plug

_FLAT = [0] * 25
_AT = datetime(2026, 3, 4, 12, 30, 15, tzinfo=UTC)
_FINGER_OUT = Status(sensor_alarm=True)
_WAVES = st.lists(st.integers(0, 255), min_size=25, max_size=25)


def two(spo2: int = 95, pulse: int = 70, *, status: Status = STEADY) -> bytes:
    return packet_2(Values(pulse_bpm=pulse, spo2_percent=spo2), _FLAT, status)


def seven(spo2: int = 95, pulse: int = 70) -> bytes:
    return packet_7(Values(pulse_bpm=pulse, spo2_percent=spo2), [40_000] * 25)


def eight(spo2: int = 95, pulse: int = 70, *, status: Status = STEADY) -> bytes:
    return second_8(Values(pulse_bpm=pulse, spo2_percent=spo2), status)


@pytest.fixture
def plug(tmp_path: Path) -> Iterator[Plug]:
    made = Plug(tmp_path / "oximeter")
    yield made
    made.end()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial_port, "GATHER_S", 0.02)
    for module in (oximeter_nonin, oximeter_nonin_df8, oximeter_nonin_df13):
        monkeypatch.setattr(module, "KIND", replace(module.KIND, pause_s=0.6))


@asynccontextmanager
async def reading(plug: Plug, kind: str, *, subject: str | None = "r-0003") -> AsyncIterator[RememberingSink]:
    sink = RememberingSink()
    device = DeviceConfig(id="ox-1", kind=kind, port=str(plug.path), subject=subject)
    task = asyncio.create_task(run_devices([device], sink, clock=SystemClock(), radio=None))
    try:
        await until(lambda: is_open(sink))
        yield sink
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def is_open(sink: RememberingSink) -> bool:
    seen = sink.latest("ox-1")
    return seen is not None and seen.reason is LinkReason.OPEN


def values(sink: RememberingSink) -> list[tuple[str, str]]:
    return [(str(one.value("spo2")), str(one.value("pulse_oximeter"))) for one in sink.accepted]


@pytest.mark.parametrize(
    ("kind", "piece", "pieces"),
    [
        ("oximeter-nonin", two(91, 140), 30),
        ("oximeter-nonin", seven(91, 140), 30),
        ("oximeter-nonin-df8", eight(91, 140), 10),
    ],
)
async def test_ten_seconds_on_the_wire_are_one_reading(plug: Plug, kind: str, piece: bytes, pieces: int) -> None:
    async with reading(plug, kind) as sink:
        await plug.send(piece * (2 * pieces + 4))  # format 8 begins with three seconds that do not count
        await until(lambda: len(sink.accepted) == 2)
    assert values(sink) == [("91", "140")] * 2
    assert {one.quality.level for one in sink.accepted} == {QualityLevel.OK}


async def test_a_damaged_packet_costs_itself_and_never_makes_a_value(plug: Plug) -> None:
    damaged = bytearray(two())
    damaged[12] ^= 0x40
    async with reading(plug, "oximeter-nonin") as sink:
        await plug.send(two() * 15 + bytes(damaged) + two() * 15)
        await until(lambda: sink.accepted)
        await until(lambda: (seen := sink.latest("ox-1")) is not None and seen.bad_bytes == 125)
    assert values(sink) == [("95", "70")]


@pytest.mark.parametrize(
    ("kind", "inside", "outside"),
    [
        ("oximeter-nonin", two(), two(status=_FINGER_OUT)),
        ("oximeter-nonin", two(), two(status=Status(sensor_disconnected=True))),
        ("oximeter-nonin-df8", eight(), eight(status=_FINGER_OUT)),
    ],
)
async def test_a_finger_that_is_out_ends_the_session_though_the_oximeter_talks_on(
    plug: Plug, kind: str, inside: bytes, outside: bytes
) -> None:
    window = 30 if kind == "oximeter-nonin" else 10
    async with reading(plug, kind, subject=None) as sink:
        await plug.send(outside * 3 + inside * (window + 4) + outside * 2 * window)
        await plug.send(inside * (window + 1) + outside)
        await until(lambda: len(sink.accepted) == 2 and len(sink.refused) == 2)
    first, second = (one.subject for one in sink.accepted)
    assert first.kind is SubjectKind.UNIDENTIFIED
    assert first != second, "another finger may be another person's"
    assert sink.refused == [("ox-1", "window_incomplete")] * 2, "and none for the time without a finger"


async def test_weak_pulses_are_doubted_and_searching_is_no_value(plug: Plug) -> None:
    searching = two(status=Status(out_of_track=True))
    async with reading(plug, "oximeter-nonin") as sink:
        await plug.send(two(status=Status(red=True)) * 30 + searching * 30)
        await until(lambda: sink.accepted and sink.refused)
    assert sink.accepted[0].quality.reasons == (QualityReason.WEAK_SIGNAL,)
    assert sink.refused[0] == ("ox-1", "no_valid_packets")


async def test_an_unplugged_oximeter_is_read_again_from_the_middle_of_a_packet(plug: Plug) -> None:
    async with reading(plug, "oximeter-nonin") as sink:
        await plug.send(two() * 5 + two()[:60])
        await asyncio.sleep(0.2)
        plug.unplug()
        await until(lambda: any(told.reason is LinkReason.UNPLUGGED for told in sink.seen))
        plug.plug_in()
        await until(lambda: is_open(sink))
        await plug.send(two(88)[60:] + two(88) * 30)
        await until(lambda: sink.accepted)
    assert values(sink) == [("88", "70")]
    assert sink.refused == [("ox-1", "window_incomplete")]


@pytest.mark.parametrize(
    ("kind", "stream"),
    [
        ("oximeter-nonin", eight() * 400),
        ("oximeter-nonin", packet_of() * 400),
        ("oximeter-nonin-df8", two() * 16),
        ("oximeter-nonin-df8", seven() * 16),
        ("oximeter-nonin-df8", packet_of() * 400),
        ("oximeter-nonin-df8", spot_check(Values(), at=_AT) * 80),
        ("oximeter-nonin-df13", two() * 16),
    ],
)
async def test_another_format_is_garbled_and_never_a_reading(plug: Plug, kind: str, stream: bytes) -> None:
    async with reading(plug, kind) as sink:
        await plug.send(stream)
        await until(lambda: any(told.reason is LinkReason.GARBLED for told in sink.seen))
    assert sink.readings == 0


async def test_a_spot_check_is_a_reading_with_its_time_once(plug: Plug) -> None:
    steady = Values(pulse_bpm=66, spo2_percent=94, smartpoint=True)
    async with reading(plug, "oximeter-nonin-df13") as sink:
        for at in (_AT, _AT + timedelta(minutes=5)):
            await plug.send(b"\x06" + spot_check(steady, at=at) * 2)
        await plug.send(spot_check(steady, at=_AT, from_memory=True))
        await plug.send(spot_check(Values(), at=_AT, no_measurement=True))
        await plug.send(spot_check(replace(steady, smartpoint=False), at=_AT + timedelta(minutes=9)))
        await until(lambda: len(sink.accepted) == 3 and sink.refused)
        await until(lambda: (seen := sink.latest("ox-1")) is not None and seen.repeats == 3)
    assert values(sink)[:2] == [("94", "66")] * 2
    assert sink.accepted[0].times.device_ms == int(_AT.timestamp()) * 1000
    assert [one.quality.reasons for one in sink.accepted] == [(), (), (QualityReason.UNSTABLE,)]
    assert sink.refused == [("ox-1", "no_value")]


async def test_a_spot_check_from_the_memory_of_a_shared_oximeter_is_nobodys() -> None:
    clock, sink = FakeClock(_AT), RememberingSink()
    attendance = Attendance(clock=clock)
    people = People(clock=clock, attendance=attendance)
    device = DeviceConfig(id="ox-1", kind="oximeter-nonin-df13", port="/dev/rfcomm0")
    now = lambda: (clock.wall_ms(), clock.wall_ms())  # noqa: E731  # as a gateway answers
    checks = SpotChecks(Intake(device, sink=sink, clock=clock, people=people, local_time=now))
    clock.advance(60)
    attendance.choose("r-0001")
    clock.advance(20)
    await checks.received(spot_check(Values(), at=_AT, from_memory=True))
    assert (seen := sink.latest("ox-1")) is None or seen.clock_error_s is None, "an old one says nothing of its clock"
    await checks.received(spot_check(Values(), at=_AT + timedelta(seconds=80)))
    whose = [one.subject.id if one.subject.kind is SubjectKind.RESIDENT else None for one in sink.accepted]
    assert whose == [None, "r-0001"]
    seen = sink.latest("ox-1")
    assert seen is not None
    assert seen.clock_error_s == 0


@given(_WAVES, st.integers(1, 250), st.integers(40, 100), st.integers(0, 124))
def test_no_packet_of_format_2_or_7_is_seconds_of_format_8_wherever_reading_begins(
    wave: list[int], pulse: int, spo2: int, start: int
) -> None:
    numbers = Values(pulse_bpm=pulse, spo2_percent=spo2)
    for packet in (packet_2(numbers, wave), packet_7(numbers, [one * 257 for one in wave])):
        assert list(NoninSecondStream().feed((packet * 8)[start:])) == []


def test_a_stray_byte_in_format_8_costs_the_seconds_beside_it_and_changes_no_value() -> None:
    stream = NoninSecondStream()
    lost = eight(97, 60)[:1] + eight(97, 60)[2:]
    found = list(stream.feed(eight(97, 60) * 5 + lost + eight(97, 60) * 5))
    assert {None if one is None else (one.spo2_percent, one.pulse_bpm) for one in found} == {(97, 60)}
    assert len(found) == 2 + 2


@given(st.binary(max_size=400), st.integers(1, 50))
def test_any_bytes_make_packets_or_are_counted(data: bytes, piece: int) -> None:
    for stream in (NoninStream(), NoninSecondStream()):
        found = 0
        for at in range(0, len(data), piece):
            found += len(list(stream.feed(data[at : at + piece])))
        stream.end()
        assert stream.bad_bytes <= len(data)
        assert found * 4 <= len(data)
