"""Each simulated device by itself, read by what reads devices: what it says becomes readings, also with its faults."""

import asyncio
import random
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kanhu.contract import SystemClock
from kanhu.edge import meters
from kanhu.edge.devices import DeviceConfig, RadioConfig
from kanhu.edge.kinds import SerialKind, kind_names, kind_of
from kanhu.edge.sensing import run_devices
from kanhu.firmware_sim.alone.model import Moment, OnALine
from kanhu.firmware_sim.alone.models import analyser_astm, find_model, model_names
from kanhu.firmware_sim.alone.stand import AloneFault, Options, serve
from kanhu.firmware_sim.errors import ModelRefused
from kanhu.firmware_sim.scenario.model import DeviceFault
from tests.edge.readings import RememberingSink, until

_ADDRESS = "F0:0D:00:00:00:01"
_KEY = bytes(range(16))
_MEASURING = [name for name in model_names() if kind_of(name).measures]
_SEALING = [name for name in model_names() if find_model(name).takes_key]


class Alone:
    """One device served, and read."""

    def __init__(self, name: str, folder: Path, **options: object) -> None:
        self.sink = RememberingSink()
        self.steps: list[Mapping[str, object]] = []
        self._name = name
        self._line = folder / "line"
        self._options = {"address": _ADDRESS, "port": self._line, **options}
        self._tasks: list[asyncio.Task[None]] = []

    def said_frames(self) -> set[object]:
        """What it has said, whatever it said twice once."""
        return {step["said"] for step in self.steps if "said" in step}

    async def __aenter__(self) -> "Alone":
        model = find_model(self._name)
        options = Options(**self._options)  # type: ignore[arg-type]  # as the dataclass takes them
        self._tasks.append(asyncio.create_task(serve(model, options, clock=SystemClock(), say=self.steps.append)))
        await until(lambda: self.steps or self._tasks[0].done())
        key = None if options.key is None else options.key.hex()
        serial = isinstance(kind_of(self._name), SerialKind)
        device = DeviceConfig(
            id="d-1",
            kind=self._name,
            port=str(self._line) if serial else None,
            address=None if serial else _ADDRESS,
            subject="r-0001" if kind_of(self._name).measures else None,
            key=key,
        )
        radio = None if serial else RadioConfig(bumble=str(self.steps[0]["hci"]))
        self._tasks.append(asyncio.create_task(run_devices([device], self.sink, clock=SystemClock(), radio=radio)))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in reversed(self._tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _often(name: str) -> float | None:
    model = find_model(name)
    return model.every_s if isinstance(model, OnALine) else min(0.3, model.every_s)


def test_every_kind_of_device_has_a_simulator() -> None:
    assert set(kind_names()) <= set(model_names())
    assert all(find_model(name).name == name and find_model(name).about for name in model_names())


@pytest.mark.parametrize("name", _MEASURING)
async def test_what_it_says_becomes_readings(name: str, tmp_path: Path) -> None:
    async with Alone(name, tmp_path, every_s=_often(name)) as alone:
        await until(lambda: alone.sink.accepted, within_s=30)
        assert alone.sink.refused == []


async def test_who_measures_nobody_is_heard(tmp_path: Path) -> None:
    """Nobody is known here, so each card is told as one that chooses nobody."""
    assert sorted(set(model_names()) - set(_MEASURING)) == ["scanner-serial"]
    async with Alone("scanner-serial", tmp_path, every_s=0.1) as alone:
        await until(lambda: len(alone.sink.refused) > 3, within_s=30)
    assert set(alone.sink.refused) == {("d-1", "card_unknown")}
    assert alone.sink.accepted == []


@pytest.mark.parametrize("name", _SEALING)
async def test_sealed_it_becomes_readings_too(name: str, tmp_path: Path) -> None:
    async with Alone(name, tmp_path, every_s=_often(name), key=_KEY) as alone:
        await until(lambda: alone.sink.accepted, within_s=30)
    assert alone.sink.refused == []
    assert all(not one.quality.reasons for one in alone.sink.accepted)


@pytest.mark.parametrize("fault", [DeviceFault.TRUNCATED, AloneFault.NO_RESULT])
async def test_what_it_spoils_is_refused_and_the_rest_is_read(fault: str, tmp_path: Path) -> None:
    async with Alone("thermometer-ble", tmp_path, every_s=0.05, faults=((fault, 0.4),)) as alone:
        await until(lambda: len(alone.sink.accepted) > 5 and len(alone.sink.refused) > 2, within_s=30)
        # Equal frames within a moment are one indication sent twice. Some may be on their way; a lost one would leave
        # the account short for ever.
        await until(lambda: alone.sink.readings >= len(alone.said_frames()), within_s=30)
    assert alone.sink.readings <= sum("said" in step for step in alone.steps)


async def test_a_wrong_clock_and_a_low_battery_are_seen(tmp_path: Path) -> None:
    faults = ((AloneFault.WRONG_CLOCK.value, -86_400.0), (AloneFault.LOW_BATTERY.value, 0.0))
    async with Alone("cuff-ble", tmp_path, every_s=0.2, faults=faults) as alone:
        await until(lambda: alone.sink.accepted and (seen := alone.sink.latest("d-1")) and seen.battery_percent == 4)
    times = alone.sink.accepted[0].times
    assert times.device_ms is not None
    assert times.arrival_ms - times.device_ms > 10 * 3_600_000


async def test_a_meter_that_drops_the_link_in_the_middle_of_a_report_loses_and_repeats_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(meters, "AGAIN_S", 0.3)
    faults = ((AloneFault.DISCONNECTS.value, 0.15),)
    async with Alone("glucose-ble", tmp_path, every_s=0.001, count=12, seed=11, faults=faults) as alone:
        await until(lambda: len(alone.sink.accepted) >= 12, within_s=60)
        await asyncio.sleep(1)
        assert any("dropped" in step for step in alone.steps)
    taken = [one.times.device_ms for one in alone.sink.accepted]
    assert len(taken) == 12
    assert taken == sorted(taken, key=lambda at_ms: at_ms or 0)


def test_a_model_that_there_is_not_is_refused_with_those_that_are() -> None:
    with pytest.raises(ModelRefused, match="cuff-ble"):
        find_model("toaster")


@pytest.mark.parametrize(("name", "options"), [("oximeter-cms50d", {"port": None}), ("thermometer-ble", {"key": _KEY})])
async def test_what_cannot_be_served_is_refused(name: str, options: dict[str, object]) -> None:
    with pytest.raises(ModelRefused):
        await serve(find_model(name), Options(address=_ADDRESS, **options), clock=SystemClock(), say=[].append)  # type: ignore[arg-type]  # as the dataclass takes them


async def test_an_analyser_whose_frames_are_spoiled_and_whose_cable_is_pulled_loses_and_repeats_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analyser_astm, "REPLY_S", 2.0)
    faults = (
        (DeviceFault.TRUNCATED.value, 0.1),
        (DeviceFault.FLIPPED.value, 0.1),
        (AloneFault.DISCONNECTS.value, 0.04),
    )
    async with Alone("analyser-astm", tmp_path, every_s=0.1, seed=3, faults=faults) as alone:
        await until(lambda: len(alone.sink.accepted) >= 5, within_s=120)
        assert any("dropped" in step for step in alone.steps)
    draw = random.Random("3/analyser-astm")
    measured = [
        str(Moment(at, datetime(2026, 11, 27, tzinfo=UTC), draw).around(6.1, 0.8, step="0.1")) for at in range(10)
    ]
    taken = [f"{one.value('glucose_capillary'):.1f}" for one in alone.sink.accepted]
    assert taken == measured[: len(taken)]
    assert {reason for _, reason in alone.sink.refused} <= {"short"}


@pytest.mark.parametrize(
    "fault",
    [
        (DeviceFault.CHATTERING.value, 3.0),
        (DeviceFault.SLOW.value, 1.0),
        (AloneFault.WRONG_CLOCK.value, -86_400.0),
        (AloneFault.LOW_BATTERY.value, 0.0),
    ],
)
async def test_other_faults_of_an_analyser_cost_no_reading(fault: tuple[str, float], tmp_path: Path) -> None:
    async with Alone("analyser-astm", tmp_path, every_s=0.1, faults=(fault,)) as alone:
        await until(lambda: len(alone.sink.accepted) >= 2, within_s=60)
    assert alone.sink.refused == []


async def test_an_analyser_that_is_stuck_or_has_no_result_makes_no_reading(tmp_path: Path) -> None:
    async with Alone("analyser-astm", tmp_path, faults=((DeviceFault.STUCK.value, 0.0),)) as alone:
        await until(lambda: sum("said" in step for step in alone.steps) > 3)
        assert alone.sink.readings == 0
    async with Alone("analyser-astm", tmp_path, faults=((AloneFault.NO_RESULT.value, 1.0),)) as alone:
        await until(lambda: alone.sink.refused)
        assert alone.sink.refused == [("d-1", "not_a_number")]
