"""A strap from its recording to what is made of it: over the simulator's radio, sample by sample, with its faults."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kanhu.contract import Finding, Observation, Part, QualityLevel, SystemClock
from kanhu.edge.capture import CaptureWriter
from kanhu.edge.capture_replay import replay_capture
from kanhu.edge.devices import DeviceConfig, RadioConfig, Stretch
from kanhu.edge.pipeline import SensingPipeline
from kanhu.edge.sensing import run_devices
from kanhu.firmware_sim.alone.models import find_model
from kanhu.firmware_sim.alone.stand import AloneFault, Options, serve
from kanhu.firmware_sim.bodies.signals import load_signal
from kanhu.firmware_sim.errors import ModelRefused, RecordRefused
from kanhu.firmware_sim.hurried_clock import HurriedClock
from kanhu.firmware_sim.scenario.model import DeviceFault
from kanhu.firmware_sim.wire.heart_rate import HeartRateReading, heart_rate_measurement
from kanhu.vitals import Judge, Runs, core_pack, profile_from_tags
from tests.edge.readings import RememberingSink, Watcher, samples_of, until

_ADDRESS = "F0:0D:00:00:00:01"
_STRAP = DeviceConfig(id="strap-1", kind="strap-polar", address=_ADDRESS, subject="r-0001")
_VECTORS = Path(__file__).resolve().parents[1] / "vectors"
_ECG = _VECTORS / "signals" / "mitdb_106_ecg.csv"
_SPEED = 10.0


class JudgingSink(RememberingSink):
    """Judges what it accepts, as a gateway does."""

    def __init__(self) -> None:
        super().__init__()
        profiles = {"r-0001": profile_from_tags("r-0001", ["lives_alone"])}
        judge = Judge(core_pack(), Runs.GATEWAY, profiles, ZoneInfo("Asia/Shanghai"))
        self._pipeline = SensingPipeline(judge, profiles=profiles)
        self.findings: list[Finding] = []

    async def accept(self, observation: Observation) -> bool:
        self.findings += self._pipeline.take(observation).findings
        return await super().accept(observation)


@asynccontextmanager
async def worn(
    sink: RememberingSink, watcher: Watcher, *, tap: CaptureWriter | None = None, **options: object
) -> AsyncIterator[list[Mapping[str, object]]]:
    """The simulated strap, hurried, read by what reads devices."""
    steps: list[Mapping[str, object]] = []
    clock = HurriedClock(SystemClock(), speed=_SPEED)
    chosen = Options(address=_ADDRESS, **options)  # type: ignore[arg-type]  # as the dataclass takes them
    tasks = [asyncio.create_task(serve(find_model("strap-polar"), chosen, clock=clock, say=steps.append))]
    try:
        await until(lambda: steps or tasks[0].done())
        if tasks[0].done():
            tasks[0].result()
        radio = RadioConfig(bumble=str(steps[0]["hci"]))
        reading = run_devices([_STRAP], sink, clock=SystemClock(), radio=radio, signals=watcher, tap=tap)
        tasks.append(asyncio.create_task(reading))
        yield steps
    finally:
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_recording_played_through_the_radio_arrives_sample_by_sample() -> None:
    sink, watcher = RememberingSink(), Watcher()
    async with worn(sink, watcher, recordings=(_ECG,)):
        await until(lambda: len(watcher.of("ecg")) == 2 and len(watcher.of("acceleration_z")) == 2)
    played = [microvolts for (microvolts,) in load_signal(_ECG).at(130)] * 2
    arrived = watcher.samples("ecg")
    assert len(arrived) == 2 * 18 * 73
    assert arrived == played[: len(arrived)]
    assert sink.refused == []
    assert len(sink.accepted) > 10, "a heart rate a second"


async def test_a_capture_of_a_strap_gives_the_same_signals_and_readings_again() -> None:
    sink, watcher, file = RememberingSink(), Watcher(), io.BytesIO()
    tap = CaptureWriter(file, [_STRAP], clock=SystemClock())
    async with worn(sink, watcher, tap=tap, recordings=(_ECG,)):
        await until(lambda: watcher.of("ecg") and watcher.of("acceleration_x"))
    again, seen = RememberingSink(), Watcher()
    file.seek(0)
    await replay_capture(file, again, subject="r-0001", signals=seen)
    for metric in ("ecg", "acceleration_x"):
        assert samples_of(seen.of(metric)[0][0]) == samples_of(watcher.of(metric)[0][0])
    assert [one.parts for one in again.accepted[:5]] == [one.parts for one in sink.accepted[:5]]
    nobody = RememberingSink()
    file.seek(0)
    await replay_capture(file, nobody, subject="r-0001")
    assert len(nobody.accepted) == len(again.accepted), "whether somebody looks at signals or not"


def _fall(folder: Path) -> Path:
    """Somebody stands, falls freely for 0.4 s, hits with 5 g and lies."""
    still, free, hit, lying = (-990, 10, 100), (-90, 10, 40), (-4200, 1500, 2600), (-30, 20, 1000)
    samples = [still] * 250 + [free] * 20 + [hit] * 4 + [lying] * 600
    file = folder / "fall.csv"
    lines = [",".join(map(str, sample)) for sample in samples]
    file.write_text("\n".join(["# rate_hz: 50", "x_mg,y_mg,z_mg", *lines]), encoding="utf-8")
    return file


def _stand_in_for_a_detector(stretch: Stretch) -> tuple[Observation, ...]:
    """Free fall, then a hit: enough to see that what is found is judged. No part of the product."""
    if stretch.waveforms[0].metric != "acceleration_x":
        return ()
    squares = [sum(axis * axis for axis in sample) for sample in zip(*map(samples_of, stretch.waveforms), strict=True)]
    first = next((place for place, square in enumerate(squares) if square < 400**2), None)
    if first is None or max(squares[first:]) < 3000**2:
        return ()
    told = stretch.waveforms[0]
    return (Observation("fall", (Part("fall", (1,)),), told.subject, told.device, told.times),)


async def test_what_a_detector_finds_in_the_bytes_of_a_strap_becomes_a_finding(tmp_path: Path) -> None:
    sink = JudgingSink()
    async with worn(sink, Watcher(_stand_in_for_a_detector), recordings=(_fall(tmp_path),)):
        await until(lambda: sink.findings)
    assert [(finding.rule, finding.subject.id) for finding in sink.findings] == [("FALL", "r-0001")]


def _two_days_of_beats(name: str) -> bytes:
    """400 real beat intervals on each of two days, as the strap notifies them, one at a time."""
    with (_VECTORS / "rr" / name).open(encoding="utf-8") as rows:
        intervals_ms = [int(row["rr_ms"]) for row in csv.DictReader(rows)]
    head = {"capture": 1, "began_ms": 1_780_000_000_000, "clock": "synced", "devices": []}
    device = {"id": "strap-1", "kind": "strap-polar", "address": _ADDRESS}
    lines: list[Mapping[str, object]] = [{**head, "devices": [device]}]
    at_ns = 0
    for number, interval_ms in enumerate(intervals_ms):
        at_ns += interval_ms * 1_000_000 if number != 400 else 86_400 * 1_000_000_000
        beat = HeartRateReading(60_000 // interval_ms, rr_intervals_1024=(interval_ms * 1024 // 1000,))
        value = heart_rate_measurement(beat).hex()
        lines.append({"at_ns": at_ns, "device": "strap-1", "what": "value", "data": value})
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@pytest.mark.parametrize(
    ("recording", "rules"), [("afdb_06995_fibrillation.csv", ["RHYTHM"]), ("mitdb_106_extra_beats.csv", [])]
)
async def test_beats_from_the_wire_of_a_strap_are_judged_for_their_rhythm(recording: str, rules: list[str]) -> None:
    sink = JudgingSink()
    await replay_capture(io.BytesIO(_two_days_of_beats(recording)), sink, subject="r-0001")
    assert [finding.rule for finding in sink.findings if finding.rule == "RHYTHM"] == rules
    assert all(one.quality.level is QualityLevel.OK for one in sink.accepted)


@pytest.mark.parametrize("fault", [*DeviceFault, *AloneFault], ids=str)
async def test_with_every_fault_what_is_whole_is_read_and_the_rest_is_named(fault: str) -> None:
    amounts = {DeviceFault.SLOW.value: 1.0, DeviceFault.CHATTERING.value: 2.0, AloneFault.DISCONNECTS.value: 0.05}
    sink, watcher = RememberingSink(), Watcher()
    async with worn(sink, watcher, faults=((str(fault), amounts.get(str(fault), 0.0)),)):
        await until(lambda: len(sink.accepted) > 8 and watcher.stretches, within_s=40)
    spoilt = {DeviceFault.TRUNCATED.value, DeviceFault.FLIPPED.value, AloneFault.NO_RESULT.value}
    assert not sink.refused or str(fault) in spoilt


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ecg_uv\n1\n2\n", "rate_hz"),
        ("# rate_hz: 0\necg_uv\n1\n2\n", "no rate"),
        ("# rate_hz: 360\nvolt\n1\n2\n", "ecg_uv"),
        ("# rate_hz: 360\necg_uv\n1\n2.5\n", "whole numbers"),
        ("# rate_hz: 360\necg_uv\n1\n99999\n", "whole numbers"),
        ("# rate_hz: 50\nx_mg,y_mg,z_mg\n1,2\n", "3 whole numbers"),
        ("# rate_hz: 360\necg_uv\n1\n", "two samples"),
    ],
)
async def test_a_recording_that_cannot_be_played_is_refused_with_the_remedy(
    text: str, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "ecg.csv"
    file.write_text(text, encoding="utf-8")
    options = Options(address=_ADDRESS, recordings=(file,))
    with pytest.raises(RecordRefused, match=told):
        await serve(find_model("strap-polar"), options, clock=SystemClock(), say=print)


async def test_a_device_without_signals_plays_no_recording() -> None:
    options = Options(address=_ADDRESS, recordings=(_ECG,))
    with pytest.raises(ModelRefused, match="leave the recording away"):
        await serve(find_model("cuff-ble"), options, clock=SystemClock(), say=print)
