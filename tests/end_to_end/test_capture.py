"""What was captured is read again as it was: the same readings of the same bytes, for every way to a device."""

import asyncio
import io
import json
from pathlib import Path

import pytest

from kanhu.contract import Observation, SystemClock
from kanhu.edge import capture_replay, cli, meters
from kanhu.edge.capture import CaptureWriter
from kanhu.edge.capture_replay import replay_capture
from kanhu.edge.devices import DeviceConfig, RadioConfig
from kanhu.edge.errors import CaptureRefused
from kanhu.edge.kinds import SerialKind, kind_of
from kanhu.edge.sensing import run_devices
from kanhu.firmware_sim.alone.models import find_model
from kanhu.firmware_sim.alone.stand import Options, serve
from tests.edge.readings import RememberingSink, until

_ADDRESS = "F0:0D:00:00:00:01"
_KEY = bytes(range(16))
_HEAD = b'{"capture":1,"began_ms":1772438400000,"clock":"synced","devices":[{"id":"a","kind":"cuff-ble","port":null,'
_HEAD += b'"address":"F0:0D:00:00:00:03"}]}\n'


def told(readings: list[Observation]) -> list[tuple[str, object, object, object]]:
    return [(one.metric, one.parts, one.quality, one.times.device_ms) for one in readings]


async def captured(
    name: str, folder: Path, *, key: bytes | None = None, readings: int = 3
) -> tuple[bytes, RememberingSink]:
    """A device served, read and captured, until there are so many readings."""
    steps: list[object] = []
    line = folder / "line"
    every_s = min(0.2, find_model(name).every_s)
    options = Options(address=_ADDRESS, port=line, every_s=every_s, key=key)
    serving = asyncio.create_task(serve(find_model(name), options, clock=SystemClock(), say=steps.append))
    await until(lambda: steps)
    serial = isinstance(kind_of(name), SerialKind)
    device = DeviceConfig(
        id="d-1",
        kind=name,
        port=str(line) if serial else None,
        address=None if serial else _ADDRESS,
        subject="r-0001",
        key=None if key is None else key.hex(),
    )
    file, sink, clock = io.BytesIO(), RememberingSink(), SystemClock()
    radio = None if serial else RadioConfig(bumble=str(steps[0]["hci"]))  # type: ignore[index]  # the first says where
    reading = asyncio.create_task(
        run_devices([device], sink, clock=clock, radio=radio, tap=CaptureWriter(file, [device], clock=clock))
    )
    await until(lambda: len(sink.accepted) >= readings, within_s=40)
    for task in (reading, serving):
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return file.getvalue(), sink


@pytest.mark.parametrize(
    ("name", "key", "readings"),
    [
        ("cuff-ble", None, 3),
        ("sensor-bthome", _KEY, 3),
        ("button-bthome", None, 1),
        ("glucose-ble", None, 3),
        ("health-sensor-ble", None, 2),
        ("oximeter-cms50d", None, 1),
        ("oximeter-contec-v7", None, 1),
        ("analyser-astm", None, 1),
        ("oximeter-berry", None, 1),
    ],
)
async def test_a_capture_gives_the_same_readings_again(
    name: str, key: bytes | None, readings: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meters, "AGAIN_S", 0.3)
    capture, before = await captured(name, tmp_path, key=key, readings=readings)
    assert _KEY.hex().encode() not in capture, "a key is a secret"
    assert b"r-0001" not in capture
    sink = RememberingSink()
    await replay_capture(io.BytesIO(capture), sink, subject="r-0001", key=None if key is None else key.hex())
    assert told(sink.accepted) == told(before.accepted)
    assert [reason for _, reason in sink.refused] == [reason for _, reason in before.refused]
    first, *_ = (one.times.arrival_ms for one in before.accepted)
    assert abs(sink.accepted[0].times.arrival_ms - first) < 1000


async def test_a_capture_of_something_sealed_without_its_key_is_refused_reading_by_reading(tmp_path: Path) -> None:
    capture, _ = await captured("sensor-bthome", tmp_path, key=_KEY)
    sink = RememberingSink()
    await replay_capture(io.BytesIO(capture), sink)
    assert sink.accepted == []
    assert {reason for _, reason in sink.refused} == {"encrypted"}


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        (b"", 1),
        (b"{}\n", 1),
        (_HEAD.replace(b'"capture":1', b'"capture":2'), 1),
        (_HEAD.replace(b"1772438400000", b"9" * 18), 1),
        (_HEAD.replace(b"cuff-ble", b"toaster"), 1),
        (_HEAD + b'{"at_ns":9000000000000000000,"device":"a","what":"value","data":"00"}\n{"at_ns":0}\n', 3),
        (_HEAD + b'{"at_ns":1,"device":"b","what":"linked"}\n', 2),
        (_HEAD + b'{"at_ns":1,"device":"a","what":"linked"}\n', 2),
        (_HEAD + b'{"at_ns":1,"device":"a","what":"value","data":"0g"}\n', 2),
        (_HEAD + b'{"at_ns":1,"device":"a","what":"opened"}\n', 2),
        (_HEAD + b'{"at_ns":9,"device":"a","what":"battery","data":"9"}\n{"at_ns":8,"device":"a","what":"value"}\n', 3),
    ],
)
async def test_a_line_that_no_transport_said_is_named(lines: bytes, number: int) -> None:
    with pytest.raises(CaptureRefused) as refused:
        await replay_capture(io.BytesIO(lines), RememberingSink())
    assert refused.value.line == number


def test_what_begins_as_a_capture_is_one() -> None:
    assert capture_replay.is_capture(_HEAD)
    assert not capture_replay.is_capture(b'["o",1]')


async def test_the_command_captures_and_replays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture, before = await captured("thermometer-ble", tmp_path)
    file = tmp_path / "thermometer.capture"
    file.write_bytes(capture)
    assert await asyncio.to_thread(cli.main, ["replay", str(file), "--all", "--json", "--resident", "r-0001"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sum("reading" in line for line in lines) == len(before.accepted)
    out = ["capture", "--ble", _ADDRESS, "--kind", "cuff-ble", "--out", str(file)]
    assert await asyncio.to_thread(cli.main, out) == 2
    assert str(file) in capsys.readouterr().err, "a capture is never written over another"


def test_a_capture_of_no_device_is_refused_with_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["capture", "--out", str(tmp_path / "x")]) == 2
    assert "--device KIND=WAY" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
