"""One play in real processes: gateways, simulated devices, broker, county, a person at the desk, and what breaks.

Everything is seen from outside, by processes, files and HTTP, and everything of it is gone afterwards. Second 0 is the
moment at which the simulator began to play; times of what was heard are on the clock that no step moves.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kanhu.contract import SystemClock
from kanhu.harness.faults import (
    Breakable,
    Fault,
    Hit,
    Kind,
    LinkFaults,
    LinkProxy,
    Place,
    ProcessFaults,
    Schedule,
    play,
)
from kanhu.harness.ledger import Account, balance, lines_of
from kanhu.harness.ports import free_port
from kanhu.harness.prove.desk import Desk, Worker
from kanhu.harness.village.county import SeenAlert
from kanhu.harness.village.script import Home
from kanhu.harness.village.settings import USUAL, Pace
from kanhu.harness.village.stage import (
    RECORDING,
    Stage,
    desk_client,
    drained,
    dump_ledger,
    open_ground,
    order,
    start_county,
    start_gateway,
    start_simulator,
    wait_for_county,
    wait_for_gateways,
    watch,
)

__all__ = ["Course", "Disturbance", "ProcessPlay", "Promise", "play_processes"]

_POLL_S = 0.1
_GATEWAYS_AT_ONCE = 8
"""Started together; more would only wait for one another on two cores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessPlay:
    """What is to be played."""

    scenario: Path
    site: str
    homes: tuple[Home, ...]
    faults: Schedule
    seconds: float
    seed: int
    recordings: Path = RECORDING
    workers: tuple[Worker, ...] = ()
    """Take turns, alert by alert; empty: nobody does anything."""
    absences: tuple[tuple[float, float], ...] = ()
    """Seconds of the play between which nobody answers."""
    pace: Pace = USUAL
    patience_s: float = 60.0
    """For gateways to come up, and for everything owed to arrive."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One fault as it was: CLOCK_BOOTTIME from its beginning to its end."""

    fault: Fault
    from_ns: int
    to_ns: int


@dataclass(frozen=True, slots=True)
class Promise:
    """A finding that a gateway accepted, and when its journal said so."""

    gateway: str
    alert: str
    rule: str
    priority: str
    accepted_ns: int


@dataclass(slots=True)
class Course:
    """What came of it."""

    began_ns: int = 0
    began_ms: int = 0
    """The same moment, Unix milliseconds."""
    alerts: list[SeenAlert] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    disturbances: list[Disturbance] = field(default_factory=list)
    faults: int = 0
    claimed: int = 0
    closed: int = 0
    drained: bool = False
    account: Account | None = None
    peak_kib: dict[str, int] = field(default_factory=dict)


async def play_processes(
    wanted: ProcessPlay, say: Callable[[str], None], *, so_far: Callable[[float], None] = lambda _: None
) -> Course:
    """Bring a village up, play, settle the account, and leave nothing behind; `so_far` hears the second of the play.

    Raises:
        VillageFailed, ProcessDied: it did not come up, or a part fell over that nobody had broken.
    """
    course = Course()
    async with contextlib.AsyncExitStack() as around:
        folder, processes = await around.enter_async_context(open_ground("kanhu-prove-"))
        http_port = free_port()
        stage = Stage(
            folder=folder,
            homes=wanted.homes,
            processes=processes,
            county=desk_client(http_port),
            http_port=http_port,
            broker_port=free_port(),
            say=say,
            pace=wanted.pace,
        )
        around.push_async_callback(stage.county.close)
        links = {
            home.id: await around.enter_async_context(LinkProxy(to_port=stage.broker_port, seed=f"{wanted.seed}"))
            for home in wanted.homes
        }
        await _bring_up(stage, wanted, links)
        await _play(stage, wanted, course, links, so_far)
        await _settle(stage, course)
    return course


async def _bring_up(stage: Stage, wanted: ProcessPlay, links: Mapping[str, LinkProxy]) -> None:
    site = stage.folder / "site.toml"
    site.write_text(wanted.site, encoding="utf-8")
    await start_county(stage, site)
    await start_simulator(
        stage, wanted.scenario, seed=wanted.seed, recordings=wanted.recordings, patience_s=wanted.patience_s
    )
    await wait_for_county(stage)
    for number, home in enumerate(stage.homes, 1):
        await start_gateway(stage, home, broker_port=links[home.id].port)
        if number % _GATEWAYS_AT_ONCE == 0:
            await asyncio.sleep(_GATEWAYS_AT_ONCE / 2)
    await wait_for_gateways(stage, patience_s=wanted.patience_s)


async def _play(
    stage: Stage,
    wanted: ProcessPlay,
    course: Course,
    links: Mapping[str, LinkProxy],
    so_far: Callable[[float], None],
) -> None:
    await order(stage, b"start")
    clock = SystemClock()
    while (started_ms := _started_ms(stage.journal)) is None:
        stage.processes.check()
        await asyncio.sleep(_POLL_S)
    course.began_ms = started_ms
    course.began_ns = clock.mono_ns() - (clock.wall_ms() - started_ms) * 1_000_000
    stage.say("the play begins")

    def elapsed_s() -> float:
        return (_now_ns() - course.began_ns) / 1e9

    process_faults, link_faults = ProcessFaults(stage.processes), LinkFaults(dict(links))
    places: dict[Place, Breakable] = {
        Place.GATEWAY: _Noted(process_faults, course),
        Place.BROKER: _Noted(process_faults, course),
        Place.CLOUD: _Noted(process_faults, course),
        Place.LINK: _Noted(link_faults, course),
    }
    breaking = [fault for fault in wanted.faults if fault.target.place in places]
    slow = [fault for fault in wanted.faults if (fault.target.place, fault.kind) == (Place.STAFF, Kind.SLOW)]
    desk = Desk(stage, wanted.workers, absences=wanted.absences, slow=slow, elapsed_s=elapsed_s)

    async def break_all() -> None:
        await play(tuple(breaking), places=places, elapsed_s=elapsed_s, end_s=wanted.seconds)

    listening, journals = stage.county.listen(desk.told), _follow_journals(stage, course)
    async with _running(listening, journals, break_all()) as beside, contextlib.aclosing(desk):
        *_, broken = beside
        while elapsed_s() < wanted.seconds or not broken.done():
            watch(stage, beside)
            so_far(elapsed_s())
            await asyncio.sleep(_POLL_S)
        await order(stage, b"stop")
        stage.say("the devices fall silent; what is still owed arrives")
        course.drained = await drained(stage, patience_s=wanted.patience_s)
        await asyncio.sleep(1.0)  # what the last record raised is told a moment after its receipt
        watch(stage, beside)
    course.claimed, course.closed = desk.claimed, desk.closed
    course.alerts = list(stage.county.alerts.values())


async def _settle(stage: Stage, course: Course) -> None:
    await stage.processes.stop("simulator")
    await stage.processes.stop(*(home.id for home in stage.homes))
    dump = await dump_ledger(stage)
    course.account = balance(emitted=stage.journal, journals=stage.accepted(), ledger=dump)
    course.peak_kib = dict(stage.processes.peak_kib)


class _Noted:
    """Breaks as another does, and writes down from when to when."""

    def __init__(self, other: Breakable, course: Course) -> None:
        self._other = other
        self._course = course
        self._began: dict[int, int] = {}

    async def begin(self, fault: Fault) -> Hit:
        """Break it."""
        self._began[id(fault)] = _now_ns()
        hit = await self._other.begin(fault)
        self._course.faults += hit is Hit.HIT
        return hit

    async def end(self, fault: Fault) -> None:
        """Mend it."""
        await self._other.end(fault)
        self._course.disturbances.append(Disturbance(fault, self._began.pop(id(fault)), _now_ns()))


async def _follow_journals(stage: Stage, course: Course) -> None:
    """Note when each gateway's journal of promises names a finding."""
    read_to: dict[str, int] = {}
    seen: set[tuple[str, str]] = set()
    while True:
        for gateway, journal in stage.accepted():
            for line in _new_lines(journal, read_to):
                if line.get("kind") != "finding" or line["phase"] == "end":
                    continue
                key = (line["alert_id"], line["priority"])
                if key not in seen:
                    seen.add(key)
                    course.promises.append(
                        Promise(gateway, line["alert_id"], line["rule"], line["priority"], _now_ns())
                    )
        await asyncio.sleep(_POLL_S)


def _started_ms(journal: Path) -> int | None:
    """When the simulator began to play, as it wrote down itself."""
    return next((int(line["t_ms"]) for line in lines_of(journal) if "started" in line), None)


def _new_lines(journal: Path, read_to: dict[str, int]) -> list[dict[str, str]]:
    name = str(journal)
    begin = read_to.get(name, 0)
    try:
        if journal.stat().st_size == begin:
            return []
        with journal.open("rb") as file:
            file.seek(begin)
            data = file.read()
    except OSError:  # not there yet
        return []
    whole = data[: data.rfind(b"\n") + 1]
    read_to[name] = begin + len(whole)
    return [json.loads(line) for line in whole.splitlines()]


@contextlib.asynccontextmanager
async def _running(*work: Coroutine[object, object, None]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """These, until left."""
    tasks = [asyncio.create_task(one, name=f"beside the play {number}") for number, one in enumerate(work)]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _now_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
