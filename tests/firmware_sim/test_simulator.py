"""A whole play in virtual time: the shipped morning, alike for the same seed, and nothing lost from its account."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from kanhu.contract import FakeClock
from kanhu.firmware_sim import load_scenario
from kanhu.firmware_sim.journal import Journal
from kanhu.firmware_sim.simulator import Order, Simulator

_MORNING = Path(__file__).parents[2] / "harness" / "scenarios" / "morning.toml"
_RECORDINGS = _MORNING.parents[1] / "data" / "rr_af"
_STEP_S, _TURNS = 0.1, 4
# What the script says, counted by hand: one reading a cuff event, a strap second, an oximeter window, a press.
_READINGS = {
    "cuff-01": 2,
    "oximeter-02": 10,
    "cuff-03": 2,
    "oximeter-04": 4,
    "cuff-04": 1,
    "button-05": 1,
    "cuff-05": 1,
    "oximeter-06": 4,
    "cuff-06": 1,
    "strap-07": 100,
    "strap-08": 100,
    "cuff-09": 1,
    "cuff-10": 1,
    "strap-10": 75,
    "button-11": 0,
    "oximeter-12": 7,
    "cuff-clinic": 2,
}


async def _play(folder: Path, *, seed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Play the morning to nobody; what was announced, and the journal."""
    scenario = load_scenario(_MORNING)
    clock = FakeClock()
    file = folder / "truth.ndjson"
    journal = Journal(file, clock=clock, devices=list(_READINGS))
    announced: list[dict[str, Any]] = []
    simulator = Simulator(
        scenario,
        recordings=_RECORDINGS,
        state=folder,
        journal=journal,
        clock=clock,
        announce=lambda line: announced.append(dict(line)),
        seed=seed,
    )
    orders: asyncio.Queue[Order] = asyncio.Queue()
    serving = asyncio.create_task(simulator.serve(orders))
    orders.put_nowait(Order.START)
    async with asyncio.timeout(60):
        while not any("started" in line for line in announced):  # noqa: ASYNC110  devices power on in real time
            await asyncio.sleep(0.01)
        while not any("finished" in line for line in announced):
            clock.advance(_STEP_S)
            for _ in range(_TURNS):
                await asyncio.sleep(0)
    finished_s = clock.mono_ns() / 1e9
    orders.put_nowait(Order.QUIT)
    await serving
    journal.close()
    assert 100 <= finished_s < 102
    return announced, [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _truth(lines: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted((line["device"], json.dumps(line["values"])) for line in lines if "values" in line)


async def test_the_morning_makes_every_reading_of_its_script(tmp_path: Path) -> None:
    announced, lines = await _play(tmp_path / "one", seed=1)
    totals = lines[-1]
    assert {name: totals["emitted"][name] + totals["unsent"][name] for name in _READINGS} == _READINGS
    assert totals["emitted"] == dict.fromkeys(_READINGS, 0) | {"button-05": 1}  # nobody listened
    assert [next(iter(line)) for line in announced] == ["ready", "started", "finished", "stopped"]


async def test_the_same_seed_makes_the_same_morning_and_another_seed_another(tmp_path: Path) -> None:
    plays = [await _play(tmp_path / name, seed=seed) for name, seed in (("one", 1), ("same", 1), ("other", 2))]
    one, same, other = (_truth(lines) for _, lines in plays)
    assert one == same
    assert one != other


async def test_the_strap_of_home_07_sends_the_recording_and_the_journal_says_what_it_is(tmp_path: Path) -> None:
    _, lines = await _play(tmp_path / "one", seed=1)
    rhythms = {line["values"]["rhythm"] for line in lines if line.get("device") == "strap-07"}
    assert rhythms == {"af"}


def test_emitted_and_unsent_readings_are_counted_apart(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "truth.ndjson", clock=FakeClock(), devices=["cuff-01"])
    journal.write_emitted("home-01", "cuff-01", kind="cuff-ble", values={})
    journal.write_unsent("home-01", "cuff-01", kind="cuff-ble", reason="no_subscriber", values={})
    journal.write_unconfirmed("home-01", "cuff-01", kind="cuff-ble")
    journal.close()
    with pytest.raises(ValueError, match="closed"):
        journal.write_totals()
    assert (journal.emitted, journal.unsent) == ({"cuff-01": 1}, {"cuff-01": 1})
