"""A Polar strap by the radio: sample by sample what it sent, holes as holes, and whatever it refuses told by name."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.contract import FakeClock, Observation, Part, QualityReason, SystemClock
from kanhu.edge import straps
from kanhu.edge.codecs.polar_pmd import DATA_UUID
from kanhu.edge.codecs.polar_pmd_control import CONTROL_UUID, PmdSetting, PmdSettings
from kanhu.edge.devices import DeviceConfig, DeviceSeen, RadioConfig, Stretch
from kanhu.edge.errors import DecodeReason, LinkLost, LinkReason
from kanhu.edge.intake import Intake
from kanhu.edge.sensing import run_devices
from kanhu.edge.straps import PolarPeer, choose
from kanhu.firmware_sim.bodies.signals import ACCELERATION, RecordedSignal, load_signal
from kanhu.firmware_sim.wire.heart_rate import HeartRateReading, heart_rate_measurement
from kanhu.firmware_sim.wire.polar_pmd import (
    Pmd,
    PmdError,
    PmdOp,
    SettingType,
    compressed_acceleration_frame,
    ecg_frame,
    pmd_answer,
    pmd_factor,
    pmd_settings,
)
from tests.edge.readings import RememberingSink, Watcher, samples_of, until
from tests.edge.virtual_radio import VirtualAir
from tests.edge.virtual_strap import Strap

STRAP = DeviceConfig(id="strap-1", kind="strap-polar", address="F0:0D:00:00:00:0E", subject="r-0003")
_ECG = load_signal(Path(__file__).resolve().parents[1] / "vectors" / "signals" / "mitdb_106_ecg.csv")
_WALK = RecordedSignal(
    ACCELERATION, Fraction(50), tuple((-990 + number % 7, number % 300 - 150, number % 11) for number in range(2000))
)


@pytest.fixture(autouse=True)
def _asked_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(straps, "AGAIN_S", 0.2)


@asynccontextmanager
async def reading(air: VirtualAir, sink: RememberingSink, watcher: Watcher | None) -> AsyncIterator[None]:
    radio = RadioConfig(bumble=air.transport)
    task = asyncio.create_task(run_devices([STRAP], sink, clock=SystemClock(), radio=radio, signals=watcher))
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def strap_on(air: VirtualAir, *signals: RecordedSignal, streams: bool = True) -> Strap:
    return await Strap(air, address=STRAP.address or "", signals=signals, streams=streams).put_on()


def both(strap: Strap) -> Callable[[], bool]:
    return lambda: strap.model.streaming == {Pmd.ECG, Pmd.ACC}


def seen(sink: RememberingSink) -> DeviceSeen:
    return sink.latest("strap-1") or DeviceSeen("strap-1", "strap-polar", connected=False, reason=LinkReason.STARTING)


async def test_what_was_recorded_arrives_sample_by_sample(air: VirtualAir) -> None:
    sink, watcher, strap = RememberingSink(), Watcher(), await strap_on(air, _ECG, _WALK)
    async with reading(air, sink, watcher):
        await until(both(strap))
        for _ in range(60):
            await strap.play(0.5)
        await until(lambda: len(watcher.stretches) == 4)
    recorded = [microvolts for (microvolts,) in _ECG.at(130)]
    sent = recorded * 3
    assert [len(samples_of(one)) for one, _ in watcher.of("ecg")] == [18 * 73, 18 * 73]
    assert watcher.samples("ecg") == sent[: 36 * 73]
    for place, axis in enumerate("xyz"):
        moved = [sample[place] for sample in _WALK.samples]
        assert watcher.samples(f"acceleration_{axis}") == moved[: 28 * 36]
    assert [joins for _, joins in watcher.of("ecg")] == [False, True]
    assert {one.rate_millihertz for one, _ in watcher.of("ecg")} == {130_000}
    assert {one.rate_millihertz for one, _ in watcher.of("acceleration_z")} == {50_000}
    assert {(one.device, one.subject.id) for one, _ in watcher.of("ecg")} == {("strap-1", "r-0003")}
    assert sink.refused == []
    assert strap.asked == [
        bytes.fromhex("0100"),
        bytes.fromhex("02000001820001010e00"),
        bytes.fromhex("0102"),
        bytes.fromhex("0202000132000101100002010800"),
    ]


async def test_the_times_are_those_of_the_last_samples(air: VirtualAir) -> None:
    sink, watcher, strap = RememberingSink(), Watcher(), await strap_on(air, _ECG)
    async with reading(air, sink, watcher):
        await until(both(strap))
        await strap.play(25)
        await until(lambda: len(watcher.of("ecg")) == 2)
    first, second = (one.times.device_ms for one, _ in watcher.of("ecg"))
    assert first is not None
    assert second is not None
    assert second - first == pytest.approx(18 * 73 * 1000 / 130, abs=1)
    assert first == 1_546_300_800_000 + 18 * 73 * 1000 // 130, "its clock began in 2019, and nobody set it"


async def test_a_link_cut_in_the_middle_loses_what_was_not_sent_and_marks_the_hole(air: VirtualAir) -> None:
    sink, watcher, strap = RememberingSink(), Watcher(), await strap_on(air, _ECG, _WALK)
    async with reading(air, sink, watcher):
        await until(both(strap))
        await strap.play(3.7)
        await strap.drop()
        await until(lambda: len(watcher.stretches) == 2)
        await until(both(strap))
        await strap.play(12)
        await until(lambda: len(watcher.stretches) == 4)
    recorded = [microvolts for (microvolts,) in _ECG.at(130)]
    before, after = watcher.of("ecg")
    assert samples_of(before[0]) == tuple(recorded[: 6 * 73]), "3.7 s hold six whole frames"
    assert samples_of(after[0]) == tuple(recorded[: 18 * 73]), "the strap begins anew"
    assert [before[1], after[1]] == [False, False]
    assert [seen.reason for seen in sink.seen].count(LinkReason.DISCONNECTED) == 1


async def test_frames_that_got_lost_on_the_air_end_a_stretch(air: VirtualAir) -> None:
    sink, watcher, strap = RememberingSink(), Watcher(), await strap_on(air, _ECG)
    async with reading(air, sink, watcher):
        await until(both(strap))
        await strap.play(2)
        await strap.lose(2)
        await strap.play(12)
        await until(lambda: len(watcher.of("ecg")) == 2)
    recorded = [microvolts for (microvolts,) in _ECG.at(130)] * 2
    (before, _), (after, joins) = watcher.of("ecg")
    assert samples_of(before) == tuple(recorded[: 3 * 73])
    assert samples_of(after) == tuple(recorded[7 * 73 : 25 * 73]), "frames 4 to 7 are missing, and nothing else"
    assert not joins


async def test_a_frame_that_cannot_be_read_is_refused_and_is_a_hole(air: VirtualAir) -> None:
    sink, watcher, strap = RememberingSink(), Watcher(), await strap_on(air)
    async with reading(air, sink, watcher):
        await until(both(strap))
        await strap.play(1.2)
        await strap.send_data(ecg_frame(strap.now_ns, [1, 2, 3])[:-1])
        await strap.send_data(ecg_frame(strap.now_ns, [40_000]))
        await until(lambda: len(sink.refused) == 2)
    assert [reason for _, reason in sink.refused] == [DecodeReason.SHORT.value, DecodeReason.INFINITE.value]


async def test_heart_rate_comes_beside_the_streams(air: VirtualAir) -> None:
    sink, watcher, strap = RememberingSink(), Watcher(), await strap_on(air)
    async with reading(air, sink, watcher):
        await until(both(strap))
        await strap.beat(heart_rate_measurement(HeartRateReading(71, rr_intervals_1024=(860, 870))))
        await strap.beat(b"\x10")
        await until(lambda: sink.readings == 2)
    (reading_,) = sink.accepted
    assert reading_.series("heart_rate") == (71,)
    assert reading_.series("rr_interval") == (860 * 125, 870 * 125)
    assert reading_.times.device_ms is None, "the strap's clock is not told with it"
    assert sink.refused == [("strap-1", DecodeReason.SHORT.value)]


async def test_without_somebody_who_looks_no_stream_is_asked_for(air: VirtualAir) -> None:
    sink, strap = RememberingSink(), await strap_on(air)
    async with reading(air, sink, None):
        await until(lambda: strap.connections and seen(sink).reason is LinkReason.CONNECTED)
        await strap.beat(heart_rate_measurement(HeartRateReading(64)))
        await until(lambda: sink.accepted)
    assert strap.asked == []


@pytest.mark.parametrize("error", [error for error in PmdError if error not in {PmdError.SUCCESS}], ids=str)
async def test_a_strap_that_refuses_to_stream_is_told_by_name_and_its_heart_rate_comes(
    air: VirtualAir, error: PmdError
) -> None:
    sink, watcher, strap = RememberingSink(), Watcher(), await strap_on(air)
    strap.refuses = {b"\x02\x00": error}
    async with reading(air, sink, watcher):
        await until(lambda: "ECG: refused" in seen(sink).detail)
        assert f"({error.value}); " in seen(sink).detail, "with the code, and what to do"
        assert "acceleration" not in seen(sink).detail
        assert seen(sink).connected
        await strap.beat(heart_rate_measurement(HeartRateReading(64)))
        await until(lambda: sink.accepted and strap.model.streaming == {Pmd.ACC})
        strap.refuses.clear()
        await until(both(strap))
        await until(lambda: seen(sink).detail == "")


async def test_messages_that_are_too_small_are_named_as_such(air: VirtualAir) -> None:
    sink, strap = RememberingSink(), await strap_on(air)
    strap.device.gatt_server.max_mtu = 23  # the link agrees on the smaller of two
    async with reading(air, sink, Watcher()):
        await until(lambda: "acceleration: refused" in seen(sink).detail)
        for part in seen(sink).detail.split("; acceleration"):
            assert "invalid mtu (10); its messages are too small on this link" in part


async def test_on_small_messages_frames_are_shorter_and_every_sample_comes(air: VirtualAir) -> None:
    sink, watcher, strap = RememberingSink(), Watcher(), await strap_on(air, _ECG, _WALK)
    strap.device.gatt_server.max_mtu = 70
    async with reading(air, sink, watcher):
        await until(both(strap))
        await strap.play(3)
        await strap.lose(0.1)  # one frame of each
        await strap.play(9)
        await until(lambda: len(watcher.of("ecg")) == 1 and watcher.of("acceleration_x"))
    assert watcher.samples("ecg") == [microvolts for (microvolts,) in _ECG.at(130)][: 20 * 19]
    assert watcher.samples("acceleration_x") == [x for x, _, _ in _WALK.samples][: 16 * 9]


async def test_the_refusal_that_a_real_h10_was_seen_to_send_is_understood(air: VirtualAir) -> None:
    sink, strap = RememberingSink(), await strap_on(air)
    strap.answers = {b"\x01": [bytes.fromhex("f000010a")]}  # phdiethelm/h10_ecg, as printed there
    async with reading(air, sink, Watcher()):
        await until(lambda: "ECG: refused, invalid mtu (10)" in seen(sink).detail)


async def test_a_stream_left_over_is_stopped_and_started_anew(air: VirtualAir) -> None:
    sink, watcher, strap = RememberingSink(), Watcher(), await strap_on(air, _ECG)
    strap.model.asked(bytes.fromhex("02000001820001010e00"), att_mtu=232, now_ns=0)
    async with reading(air, sink, watcher):
        await until(both(strap))
        await strap.play(11)
        await until(lambda: watcher.of("ecg"))
    assert strap.asked[:4] == [
        bytes.fromhex("0100"),
        bytes.fromhex("02000001820001010e00"),
        bytes.fromhex("0300"),
        bytes.fromhex("02000001820001010e00"),
    ]
    assert watcher.samples("ecg") == [microvolts for (microvolts,) in _ECG.at(130)][: 18 * 73]


async def test_a_stream_that_stalls_is_started_again(air: VirtualAir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(straps, "_STALLED_S", 0.3)
    sink, strap = RememberingSink(), await strap_on(air)
    async with reading(air, sink, Watcher()):
        await until(lambda: strap.asked.count(bytes.fromhex("02000001820001010e00")) > 2)
        assert seen(sink).connected
    assert strap.asked.count(bytes.fromhex("0300")) >= 1, "the strap believes that it streams"


async def test_a_strap_that_stops_by_itself_hands_over_what_it_sent_and_is_asked_again(air: VirtualAir) -> None:
    sink, watcher, strap = RememberingSink(), Watcher(), await strap_on(air, _ECG)
    async with reading(air, sink, watcher):
        await until(both(strap))
        await strap.play(2)
        asked = len(strap.asked)
        strap.model.unlinked()
        await strap.indicate(bytes([1, Pmd.ECG, Pmd.ACC]))
        await until(lambda: len(watcher.stretches) == 2)
        await until(both(strap))
        assert len(strap.asked) > asked
    assert watcher.samples("ecg") == [microvolts for (microvolts,) in _ECG.at(130)][: 3 * 73]


async def test_a_strap_that_does_not_answer_is_told_and_its_heart_rate_comes(
    air: VirtualAir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(straps, "ANSWER_S", 0.1)
    sink, strap = RememberingSink(), await strap_on(air)
    strap.mute = True
    async with reading(air, sink, Watcher()):
        await until(lambda: "acceleration: no answer" in seen(sink).detail)
        assert "ECG: no answer" in seen(sink).detail
        await strap.beat(heart_rate_measurement(HeartRateReading(64)))
        await until(lambda: sink.accepted)


async def test_an_answer_that_cannot_be_read_is_told(air: VirtualAir) -> None:
    sink, strap = RememberingSink(), await strap_on(air)
    strap.answers = {b"\x01\x00": [pmd_answer(PmdOp.GET, Pmd.ECG, parameters=b"\x09\x01\x00")]}
    async with reading(air, sink, Watcher()):
        await until(lambda: "ECG: its answer cannot be read (reserved_value" in seen(sink).detail)


async def test_a_strap_without_the_service_is_told_and_its_heart_rate_comes(air: VirtualAir) -> None:
    sink, strap = RememberingSink(), await strap_on(air, streams=False)
    async with reading(air, sink, Watcher()):
        await until(lambda: "ECG: not offered" in seen(sink).detail)
        await strap.beat(heart_rate_measurement(HeartRateReading(64)))
        await until(lambda: sink.accepted)
        assert seen(sink).connected


async def test_an_answer_in_two_parts_is_one(air: VirtualAir) -> None:
    sink, strap = RememberingSink(), await strap_on(air)
    parameters = pmd_settings({SettingType.SAMPLE_RATE: (130,), SettingType.RESOLUTION: (14,)})
    strap.answers = {
        b"\x01\x00": [
            b"\x0f\x05",  # no word of the control point
            pmd_answer(PmdOp.STOP, Pmd.ECG),  # of something else
            pmd_answer(PmdOp.GET, Pmd.ECG, parameters=parameters[:3], more=1),
            pmd_answer(PmdOp.GET, Pmd.ECG, parameters=parameters[3:]),
        ]
    }
    async with reading(air, sink, Watcher()):
        await until(both(strap))
        assert seen(sink).detail == ""


async def test_compressed_acceleration_is_scaled_by_the_factor_of_its_start(air: VirtualAir) -> None:
    sink, watcher, strap = RememberingSink(), Watcher(), await strap_on(air)
    strap.answers = {b"\x02\x02": [pmd_answer(PmdOp.START, Pmd.ACC, parameters=pmd_factor(0.000244))]}
    samples = [(4098 + number, -4098, 7) for number in range(36)]
    async with reading(air, sink, watcher):
        await until(lambda: Pmd.ECG in strap.model.streaming and len(strap.asked) == 4)
        for number in range(14):
            await strap.send_data(compressed_acceleration_frame(number * 720_000_000, samples, frame_type=0))
        await until(lambda: watcher.of("acceleration_x"))
    assert watcher.samples("acceleration_x")[:3] == [999, 1000, 1000]
    assert set(watcher.samples("acceleration_y")) == {-999}


@pytest.mark.parametrize("rate_hz", [0, 1001, 65_535])
async def test_a_rate_that_no_strap_has_is_not_started(air: VirtualAir, rate_hz: int) -> None:
    sink, strap = RememberingSink(), await strap_on(air)
    offered = pmd_settings({SettingType.SAMPLE_RATE: (rate_hz,), SettingType.RESOLUTION: (14,)})
    strap.answers = {b"\x01\x00": [pmd_answer(PmdOp.GET, Pmd.ECG, parameters=offered)]}
    async with reading(air, sink, Watcher()):
        await until(lambda: f"ECG: it offers {rate_hz} Hz" in seen(sink).detail)
        assert strap.model.streaming == {Pmd.ACC}


@given(st.lists(st.tuples(st.sampled_from([DATA_UUID, CONTROL_UUID, None]), st.binary(max_size=60)), max_size=30))
@settings(deadline=None)
def test_whatever_a_strap_sends_goes_to_the_inbox_or_is_counted(events: list[tuple[str | None, bytes]]) -> None:
    sink = RememberingSink()

    async def worn() -> None:
        peer = PolarPeer(Intake(STRAP, sink=sink, clock=FakeClock(), signals=Watcher()))
        peer.linked(LinkReason.CONNECTED)
        asking = asyncio.create_task(peer.ask(_into_the_void))
        await asyncio.sleep(0)
        peer.told(CONTROL_UUID, bytes.fromhex("f0010000000001820001010e00"))
        for uuid, value in events:
            if uuid is None:
                peer.notified(value)
            else:
                peer.told(uuid, value)
            await asyncio.sleep(0)
        peer.unlinked(LinkReason.DISCONNECTED, "")
        draining = asyncio.create_task(peer.inbox.drain())
        await peer.inbox.settled()
        for task in (asking, draining):
            task.cancel()
        await asyncio.gather(asking, draining, return_exceptions=True)

    asyncio.run(worn())
    assert sink.readings <= len(events)
    assert DecodeReason.CODEC_FAILED.value not in [reason for _, reason in sink.refused]


async def _into_the_void(uuid: str, value: bytes) -> None:
    del uuid, value


def test_a_strap_is_asked_for_what_is_wanted_or_the_next_better() -> None:
    rates = {PmdSetting.RATE_HZ: (25, 52, 104), PmdSetting.RANGE_G: (2, 16), PmdSetting.CHANNELS: (3,)}
    chosen = choose(PmdSettings({**rates, PmdSetting.FACTOR: (1,), PmdSetting.RESOLUTION_BITS: ()}), wanted_hz=50)
    assert chosen == {PmdSetting.RATE_HZ: 52, PmdSetting.RANGE_G: 16, PmdSetting.CHANNELS: 3}
    assert choose(PmdSettings({PmdSetting.RATE_HZ: (10, 25)}), wanted_hz=50) == {PmdSetting.RATE_HZ: 25}
    assert choose(PmdSettings(), wanted_hz=50) == {}


async def test_on_a_link_that_only_seems_to_stand_the_strap_is_left() -> None:
    clock = FakeClock()
    peer = PolarPeer(Intake(STRAP, sink=RememberingSink(), clock=clock, signals=Watcher()))
    peer.linked(LinkReason.CONNECTED)
    clock.advance(301)

    async def write(uuid: str, value: bytes) -> None:
        raise AssertionError(f"{value.hex()} to {uuid}")

    with pytest.raises(LinkLost, match="no value for 300 s"):
        await peer.ask(write)


async def test_what_is_found_in_a_stretch_is_a_reading_of_the_strap(air: VirtualAir) -> None:
    def find(stretch: Stretch) -> tuple[Observation, ...]:
        first = stretch.waveforms[0]
        if first.metric == "ecg":
            return ()
        return (Observation("fall", (Part("fall", (1,)),), first.subject, first.device, first.times),)

    sink, strap = RememberingSink(), await strap_on(air)
    async with reading(air, sink, Watcher(find)):
        await until(both(strap))
        await strap.play(11)
        await until(lambda: sink.accepted)
    assert [(one.metric, one.device, one.subject.id) for one in sink.accepted] == [("fall", "strap-1", "r-0003")]


async def test_who_looks_and_fails_stops_neither_the_strap_nor_its_heart_rate(air: VirtualAir) -> None:
    def fail(stretch: Stretch) -> tuple[Observation, ...]:
        raise ZeroDivisionError(stretch.waveforms[0].metric)

    sink, strap = RememberingSink(), await strap_on(air)
    async with reading(air, sink, Watcher(fail)):
        await until(both(strap))
        await strap.play(11)
        await strap.beat(heart_rate_measurement(HeartRateReading(64)))
        await until(lambda: sink.accepted and len(sink.refused) == 2)
    assert {reason for _, reason in sink.refused} == {DecodeReason.CODEC_FAILED.value}


async def test_a_signal_of_nobody_known_is_questionable(air: VirtualAir) -> None:
    sink, watcher, strap = RememberingSink(), Watcher(), await strap_on(air)
    shared = DeviceConfig(id="strap-1", kind="strap-polar", address=STRAP.address)
    radio = RadioConfig(bumble=air.transport)
    task = asyncio.create_task(run_devices([shared], sink, clock=SystemClock(), radio=radio, signals=watcher))
    await until(both(strap))
    await strap.play(11)
    await until(lambda: watcher.of("ecg"))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert watcher.of("ecg")[0][0].quality.reasons == (QualityReason.IDENTITY_UNKNOWN,)
