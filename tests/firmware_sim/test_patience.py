import asyncio
import os
from pathlib import Path

from kanhu.contract import SystemClock
from kanhu.firmware_sim.journal import Journal
from kanhu.firmware_sim.scenario import load_scenario
from kanhu.firmware_sim.simulator import Announcement, Order, Simulator

_SCENARIO = """
name = "patience"
duration_s = 600
[[home]]
id = "home-01"
resident = [{ id = "r-0001", age_years = 80, sex = "f" }]
device = [{ id = "oximeter-01", kind = "oximeter-cms50d", person = "r-0001" }]
"""


class Play:
    """One simulator told to start at once, and what it announced."""

    def __init__(self, folder: Path, *, patience_s: float) -> None:
        file = folder / "patience.toml"
        file.write_text(_SCENARIO, encoding="utf-8")
        clock = SystemClock()
        self.port = folder / "home-01" / "oximeter-01"
        self.said: list[Announcement] = []
        self.orders: asyncio.Queue[Order] = asyncio.Queue()
        self.journal = Journal(folder / "truth.ndjson", clock=clock, devices=["oximeter-01"])
        self.simulator = Simulator(
            load_scenario(file),
            recordings=folder,
            state=folder,
            journal=self.journal,
            clock=clock,
            announce=self.said.append,
            patience_s=patience_s,
        )

    def started(self) -> bool:
        return any("started" in words for words in self.said)

    async def until(self, condition: str) -> None:
        while not any(condition in words for words in self.said):  # noqa: ASYNC110  # it announces by a call
            await asyncio.sleep(0.01)


async def test_the_play_waits_for_a_reader_and_begins_when_it_comes(tmp_path: Path) -> None:
    play = Play(tmp_path, patience_s=60)
    serving = asyncio.create_task(play.simulator.serve(play.orders))
    await play.until("ready")
    play.orders.put_nowait(Order.START)
    await asyncio.sleep(0.3)  # longer than several looks at the port
    assert not play.started()
    reader = os.open(play.port, os.O_RDWR | os.O_NOCTTY)
    await asyncio.wait_for(play.until("started"), 10)
    os.close(reader)
    play.orders.put_nowait(Order.QUIT)
    await serving
    play.journal.close()


async def test_patience_ends_and_the_play_begins_without_readers(tmp_path: Path) -> None:
    play = Play(tmp_path, patience_s=0.2)
    serving = asyncio.create_task(play.simulator.serve(play.orders))
    play.orders.put_nowait(Order.START)
    await asyncio.wait_for(play.until("started"), 10)
    play.orders.put_nowait(Order.QUIT)
    await serving
    play.journal.close()
