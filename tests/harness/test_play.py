"""Playing a schedule: each fault has its time, overlapping ones do not mend each other, and nothing stays broken."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic

import pytest

from kanhu.harness.faults import (
    Fault,
    Hit,
    Kind,
    LinkFaults,
    LinkProxy,
    Place,
    ProcessFaults,
    Schedule,
    ScheduleRefused,
    Target,
    play,
)

_HOME = Target(Place.GATEWAY, "home-01")


class Sleepers:
    """Processes that sleep, by name."""

    def __init__(self) -> None:
        self.running: dict[str, asyncio.subprocess.Process] = {}
        self.starts = 0

    async def restart(self, name: str) -> None:
        self.starts += 1
        self.running[name] = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "import time; time.sleep(60)", stdin=asyncio.subprocess.DEVNULL
        )

    async def kill(self, name: str) -> None:
        self.running[name].kill()
        await self.running[name].wait()

    async def stop(self, name: str) -> None:
        self.running[name].terminate()
        await self.running[name].wait()

    def pid(self, name: str) -> int:
        process = self.running[name]
        return process.pid if process.returncode is None else 0

    def state(self, name: str) -> str:
        return Path(f"/proc/{self.pid(name)}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]


@pytest.fixture
async def sleepers() -> AsyncIterator[Sleepers]:
    made = Sleepers()
    await made.restart("home-01")
    yield made
    for process in made.running.values():
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()


async def _play(schedule: Schedule, sleepers: Sleepers, *, end_s: float | None = None) -> list[Hit]:
    began_s = monotonic()
    faults = ProcessFaults(sleepers)
    played = await play(schedule, places={Place.GATEWAY: faults}, elapsed_s=lambda: monotonic() - began_s, end_s=end_s)
    return [one.hit for one in sorted(played, key=lambda one: one.at_s)]


async def test_a_killed_process_is_away_for_its_time_and_comes_back(sleepers: Sleepers) -> None:
    before = sleepers.pid("home-01")
    assert await _play((Fault(0, 0.1, _HOME, Kind.KILL),), sleepers) == [Hit.HIT]
    assert sleepers.pid("home-01") not in {0, before}
    assert sleepers.starts == 2


async def test_what_is_down_is_not_hit_again_and_comes_back_once(sleepers: Sleepers) -> None:
    schedule = (Fault(0, 0.3, _HOME, Kind.KILL), Fault(0.1, 0.4, _HOME, Kind.STOP))
    assert await _play(schedule, sleepers) == [Hit.HIT, Hit.ALREADY_DOWN]
    assert sleepers.starts == 2


async def test_a_hung_process_goes_on_when_the_last_hang_ends(sleepers: Sleepers) -> None:
    schedule = (Fault(0, 0.2, _HOME, Kind.HANG), Fault(0.1, 0.4, _HOME, Kind.HANG))
    before = sleepers.pid("home-01")
    playing = asyncio.create_task(_play(schedule, sleepers))
    await asyncio.sleep(0.35)  # after the first has ended, before the second does
    assert sleepers.state("home-01") == "T"
    await playing
    assert sleepers.pid("home-01") == before
    assert sleepers.state("home-01") != "T"


async def test_the_same_hang_written_twice_ends_twice(sleepers: Sleepers) -> None:
    hang = Fault(0, 0.2, _HOME, Kind.HANG)
    assert await _play((hang, hang), sleepers) == [Hit.HIT, Hit.HIT]
    assert sleepers.state("home-01") != "T"


async def test_a_hung_process_can_be_killed(sleepers: Sleepers) -> None:
    schedule = (Fault(0, 0.3, _HOME, Kind.HANG), Fault(0.1, 0.1, _HOME, Kind.STOP))
    assert await _play(schedule, sleepers) == [Hit.HIT, Hit.HIT]
    assert sleepers.state("home-01") != "T"
    assert sleepers.starts == 2


async def test_a_fault_to_the_end_ends_with_the_play(sleepers: Sleepers) -> None:
    assert await _play((Fault(0, 0, _HOME, Kind.KILL),), sleepers, end_s=0.1) == [Hit.HIT]
    assert sleepers.pid("home-01")


async def test_a_play_that_is_cancelled_leaves_nothing_broken(sleepers: Sleepers) -> None:
    playing = asyncio.create_task(_play((Fault(0, 0, _HOME, Kind.HANG),), sleepers))
    while sleepers.state("home-01") != "T":  # noqa: ASYNC110  # the kernel sets no event
        await asyncio.sleep(0.01)
    playing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await playing
    assert sleepers.state("home-01") != "T"


async def test_a_fault_where_nothing_can_be_broken_is_refused_before_anything_happens(sleepers: Sleepers) -> None:
    schedule = (Fault(0, 1, _HOME, Kind.KILL), Fault(0, 1, Target(Place.DISK, "home-01"), Kind.FULL))
    with pytest.raises(ScheduleRefused, match="disk home-01"):
        await _play(schedule, sleepers)
    assert sleepers.starts == 1
    os.kill(sleepers.pid("home-01"), 0)


async def test_links_are_broken_by_name() -> None:
    async with LinkProxy(to_port=9) as one, LinkProxy(to_port=9) as other:
        faults = LinkFaults({"one": one, "other": other})
        refused = Fault(0, 1, Target(Place.LINK, "one"), Kind.REFUSE)
        await faults.begin(refused)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", one.port)
        _, writer = await asyncio.open_connection("127.0.0.1", other.port)
        writer.close()
        await faults.end(refused)
        _, writer = await asyncio.open_connection("127.0.0.1", one.port)
        writer.close()
