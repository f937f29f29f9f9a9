"""Radars on a real pseudo-terminal: what is news is a reading, a fall at once, and silence is a radar that failed."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from kanhu.contract import QualityLevel, QualityReason, SubjectKind
from kanhu.edge.devices import DeviceConfig
from kanhu.edge.errors import DecodeReason, LinkReason
from kanhu.edge.kinds import radar_mr60fda2, radar_r60abd1
from kanhu.edge.radar import RadarFold
from kanhu.firmware_sim.wire import micradar, tinyframe
from tests.edge.readings import RememberingSink, until
from tests.edge.test_serial_port import Plug, reading

_SECOND_NS = 1_000_000_000
_PAUSE_S = 0.6


@pytest.fixture
def plug(tmp_path: Path) -> Iterator[Plug]:
    made = Plug(tmp_path / "radar")
    yield made
    made.end()


@pytest.fixture(autouse=True)
def short_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (radar_mr60fda2, radar_r60abd1):
        receiver = partial(module.KIND.receiver, silence_s=_PAUSE_S)
        monkeypatch.setattr(module, "KIND", replace(module.KIND, pause_s=_PAUSE_S, receiver=receiver))


def fall_radar(plug: Plug, *, subject: str | None = "r-0003", dwelling: str | None = None) -> DeviceConfig:
    return DeviceConfig(id="radar-1", kind="radar-mr60fda2", port=str(plug.path), subject=subject, dwelling=dwelling)


def sleep_radar(plug: Plug) -> DeviceConfig:
    return DeviceConfig(id="radar-1", kind="radar-r60abd1", port=str(plug.path), subject="r-0003")


def state(sink: RememberingSink) -> tuple[bool, LinkReason] | None:
    seen = sink.latest("radar-1")
    return None if seen is None else (seen.connected, seen.reason)


def told(sink: RememberingSink) -> list[tuple[str, int]]:
    return [(one.metric, one.series(one.metric)[0]) for one in sink.accepted]


async def test_a_fall_is_told_once_at_once_and_its_end_as_well(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, fall_radar(plug)):
        await until(lambda: state(sink) == (False, LinkReason.OPEN))
        lying = tinyframe.presence(True) + tinyframe.fall(True)
        await plug.send(tinyframe.fall(False) + lying * 50 + tinyframe.fall(False))
        await until(lambda: len(sink.accepted) == 4)
    assert told(sink) == [("fall", 0), ("presence", 1), ("fall", 1), ("fall", 0)]
    fall = sink.accepted[2]
    assert (fall.subject.kind, fall.subject.id) == (SubjectKind.RESIDENT, "r-0003")
    assert fall.quality.level is QualityLevel.OK
    assert sink.refused == []
    seen = sink.latest("radar-1")
    assert seen is not None
    assert seen.repeats == 98


async def test_a_fall_in_a_room_of_nobody_is_of_the_dwelling(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, fall_radar(plug, subject=None, dwelling="d-01")):
        await until(lambda: state(sink) is not None)
        await plug.send(tinyframe.fall(True))
        await until(lambda: sink.accepted)
    assert [(one.subject.kind, one.subject.id) for one in sink.accepted] == [(SubjectKind.DWELLING, "d-01")]


async def test_a_fall_of_nobody_known_is_told_and_questionable(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, fall_radar(plug, subject=None)):
        await until(lambda: state(sink) is not None)
        await plug.send(tinyframe.fall(True))
        await until(lambda: sink.accepted)
    assert told(sink) == [("fall", 1)]
    assert sink.accepted[0].quality.reasons == (QualityReason.IDENTITY_UNKNOWN,)


async def test_a_night_of_a_sleeper_is_read_although_bytes_are_lost(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, sleep_radar(plug)):
        await until(lambda: state(sink) == (False, LinkReason.OPEN))
        await plug.send(micradar.heartbeat())
        await until(lambda: state(sink) == (True, LinkReason.HEARD))
        assert sink.accepted == []
        await plug.send(micradar.bed(micradar.IN_BED) + micradar.presence(True))
        await plug.send(micradar.breath_rate(15)[:6] + micradar.breath_rate(14) + b"\x00\x53")
        await plug.send(micradar.heart_rate(62) + micradar.heart_rate(0) + micradar.bed(micradar.OUT_OF_BED))
        await until(lambda: len(sink.accepted) == 5)
    assert told(sink) == [
        ("bed_occupancy", 1),
        ("presence", 1),
        ("respiration", 140),
        ("heart_rate_radar", 62),
        ("bed_occupancy", 0),
    ]
    seen = sink.latest("radar-1")
    assert seen is not None
    assert seen.bad_bytes == 8


async def test_silence_is_a_radar_that_failed_and_never_nobody(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, sleep_radar(plug)):
        await until(lambda: state(sink) is not None)
        await plug.send(micradar.presence(True))
        await until(lambda: state(sink) == (False, LinkReason.TIMED_OUT))
        assert told(sink) == [("presence", 1)]
        await plug.send(micradar.presence(True))
        await until(lambda: state(sink) == (True, LinkReason.HEARD))
        await until(lambda: len(sink.accepted) == 2)
    assert told(sink) == [("presence", 1)] * 2, "what was told before the silence is told anew"


async def test_a_gateway_that_stops_does_not_call_the_radar_silent(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, sleep_radar(plug)):
        await until(lambda: state(sink) is not None)
        await plug.send(micradar.presence(True))
        await until(lambda: sink.accepted)
    assert state(sink) == (True, LinkReason.HEARD)


async def test_bytes_that_are_no_frames_are_no_sign_of_life(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, sleep_radar(plug)):
        await until(lambda: state(sink) is not None)
        await plug.send(b"\xff" * 40)
        await until(lambda: (seen := sink.latest("radar-1")) is not None and seen.bad_bytes == 40)
    assert not any(seen.connected for seen in sink.seen)


async def test_an_unplugged_radar_is_told(plug: Plug) -> None:
    sink = RememberingSink()
    async with reading(sink, fall_radar(plug)):
        await until(lambda: state(sink) is not None)
        await plug.send(tinyframe.presence(True))
        await until(lambda: sink.accepted)
        plug.unplug()
        await until(lambda: any(seen.reason is LinkReason.UNPLUGGED for seen in sink.seen))


async def test_a_reserved_value_is_refused_once_and_stops_nothing(plug: Plug) -> None:
    sink = RememberingSink()
    reserved = micradar.micradar_frame(0x84, 0x01, b"\x07")
    async with reading(sink, sleep_radar(plug)):
        await until(lambda: state(sink) is not None)
        await plug.send(reserved * 20 + micradar.presence(True))
        await until(lambda: sink.accepted)
        await asyncio.sleep(0)
    assert sink.refused == [("radar-1", DecodeReason.RESERVED_VALUE.value)]


def test_what_does_not_change_is_told_each_minute() -> None:
    fold = RadarFold()
    times_s = [second for second in range(181) if fold.news({"presence": 1}, mono_ns=second * _SECOND_NS)]
    assert times_s == [0, 60, 120, 180]


def test_a_state_is_told_as_it_changes() -> None:
    fold = RadarFold()
    steps = [0, 1, 1, 0]
    found = [fold.news({"fall": step}, mono_ns=at) for at, step in enumerate(steps)]
    assert found == [{"fall": 0}, {"fall": 1}, {}, {"fall": 0}]


@pytest.mark.parametrize(("code", "waver", "change"), [("respiration", 19, 20), ("heart_rate_radar", 4, 5)])
def test_a_rate_that_wavers_is_told_each_minute_and_a_change_after_ten_seconds(
    code: str, waver: int, change: int
) -> None:
    fold = RadarFold()
    assert fold.news({code: 100}, mono_ns=0) == {code: 100}
    assert fold.news({code: 100 + change}, mono_ns=9 * _SECOND_NS) == {}
    assert fold.news({code: 100 - waver}, mono_ns=59 * _SECOND_NS) == {}
    assert fold.news({code: 100 + change}, mono_ns=10 * _SECOND_NS) == {code: 100 + change}
    assert fold.news({code: 100 + change + waver}, mono_ns=70 * _SECOND_NS) == {code: 100 + change + waver}


def test_a_radar_that_says_nobody_is_there_has_no_rates_of_anybody() -> None:
    fold = RadarFold()
    rates = {"respiration": 150, "heart_rate_radar": 66}
    assert fold.news({"presence": 0}, mono_ns=0) == {"presence": 0}
    assert fold.news(rates, mono_ns=1) == {}
    assert fold.news({"presence": 1}, mono_ns=2) == {"presence": 1}
    assert fold.news(rates, mono_ns=3) == rates
