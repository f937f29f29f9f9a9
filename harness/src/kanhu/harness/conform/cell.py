"""One gateway, one row: readings in at one end, the county at the other, a fault between, and what it all cost."""

import asyncio
import shutil
from collections.abc import Awaitable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from kanhu.contract import Clock
from kanhu.harness.conform.candidates import GATEWAY, Candidate, Door, Ground, Wire
from kanhu.harness.conform.county import Committed, ReferenceCounty
from kanhu.harness.conform.feed import Feed, HttpFeed, LineFeed
from kanhu.harness.conform.kanhu_county import start_broker
from kanhu.harness.conform.lossy_link import COUNTY_ADDRESS, LossyLink
from kanhu.harness.conform.meter import Meter
from kanhu.harness.conform.plain_county import PlainCounty
from kanhu.harness.conform.rows import LOSS_SHARE, Row
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.faults.errors import CannotBeHad
from kanhu.harness.faults.proxy import Condition, LinkProxy
from kanhu.harness.faults.schedule import Kind
from kanhu.harness.ports import free_port
from kanhu.harness.village.processes import Processes

__all__ = ["Figures", "Pace", "run_cell"]

_FIRST_ARRIVAL_S = 120.0
_COUNTY_UP_S = 30.0
_POLL_S = 0.2
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast readings come, and how long is waited."""

    rate: float = 1.0
    """Readings a second."""
    before_s: float = 5.0
    after_s: float = 10.0
    """How long readings go on after the fault."""
    quiet_s: float = 90.0
    """So long without a reading that is still missing, though the newest has arrived, and the rest is called lost."""
    dead_s: float = 150.0
    """So long without any reading, and none is waited for; clients are known to wait 120 s to connect again."""
    drain_s: float = 300.0
    """Longest wait of all."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One cell of the table."""

    candidate: str
    row: str
    offered: int
    accepted: int
    lost: int
    duplicated: int
    redelivered: int
    unreadable: int
    """Messages that the county could not read or take, numbers given to two records, readings nobody handed over."""
    drain_s: float
    """From the end of the fault to the arrival of the last reading that was promised before it and did arrive."""
    peak_mib: float
    cpu_s: float
    wire_kib: float
    written_kib: float
    lasted_s: float
    loss_by: str = ""
    """How packets were lost, in the row that loses them."""
    due: int = 0
    """Readings that fell due since the first was accepted; what is not accepted cannot be lost."""


@dataclass(slots=True)
class _Cell:
    """The way that a row can break."""

    candidate: Candidate
    name: str
    folder: Path
    processes: Processes
    clock: Clock
    proxy: LinkProxy
    ground: Ground
    broker_port: int
    committed: Committed
    plain: PlainCounty | None
    meter: Meter = field(default_factory=Meter)
    _following: list[asyncio.Task[None]] = field(default_factory=list)
    link: LossyLink | None = None
    _loss: Condition | None = None
    _county: asyncio.Task[None] | None = None

    async def lose(self) -> None:
        if self.link is not None:
            self.link.share = LOSS_SHARE
        else:
            self._loss = await self.proxy.impose(Kind.LOSS, amount=LOSS_SHARE)

    async def lose_no_more(self) -> None:
        if self.link is not None:
            self.link.share = 0.0
        elif self._loss is not None:
            await self.proxy.lift(self._loss)

    async def kill_far_end(self) -> None:
        if self.plain is not None:
            await self.plain.kill()
            return
        await self.processes.kill(f"{self.name}-broker")
        shutil.rmtree(self.folder / "broker", ignore_errors=True)

    async def start_far_end(self) -> None:
        if self.plain is not None:
            await self.plain.start()
            return
        await start_broker(
            self.processes, folder=self.folder / "broker", port=self.broker_port, name=f"{self.name}-broker"
        )

    async def kill_county(self) -> None:
        if self._county is not None:
            await _cancelled(self._county)

    async def start_county(self) -> None:
        enrolled = frozenset({GATEWAY})
        county = ReferenceCounty(self.broker_port, enrolled=enrolled, committed=self.committed, clock=self.clock)
        self._county = asyncio.create_task(county.run(), name=f"county of {self.name}")
        try:
            async with asyncio.timeout(_COUNTY_UP_S):
                await county.listening.wait()
        except TimeoutError:
            why = f"it is not subscribed after {_COUNTY_UP_S:.0f} s"
            raise ProgramFailed(f"starting the county of {self.name}", why) from None

    async def kill_gateway(self) -> None:
        self.meter.look(self._pid())
        await self.processes.kill(self.name)

    async def start_gateway(self) -> None:
        prefix = () if self.link is None else self.link.prefix
        await self.processes.start(self.name, (*prefix, *self.candidate.command(self.ground)))
        self._following.append(asyncio.create_task(self.meter.follow(self._pid()), name=f"meter of {self.name}"))

    def _pid(self) -> int:
        return self.processes.children[self.name].process.pid

    async def end(self) -> None:
        """Stop the gateway and the looking at it."""
        self.meter.look(self._pid())
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)
        await self.processes.stop(self.name)


async def run_cell(
    candidate: Candidate,
    row: Row,
    *,
    folder: Path,
    processes: Processes,
    clock: Clock,
    pace: Pace,
    seed: int = 0,
) -> Figures:
    """Everything of one cell, from an empty folder to its figures.

    Raises:
        ProgramFailed: the gateway cannot be started, or never brought a first reading to the county.
        ProcessDied: it ended by itself.
    """
    name = f"{candidate.name}-{row.name}"
    async with AsyncExitStack() as ends:
        committed = Committed()
        broker_port, feed_port = free_port(), free_port()
        plain = PlainCounty(broker_port, clock, committed) if candidate.wire is Wire.JSON else None
        proxy = await ends.enter_async_context(LinkProxy(to_port=broker_port, seed=f"{seed}/{row.name}"))
        link = await _lossy_link(row, proxy, ends, seed=f"{seed}/{row.name}")
        place = ("127.0.0.1", proxy.port) if link is None else (COUNTY_ADDRESS, link.county_port)
        ground = Ground(folder / "gateway", *place, feed_port)
        cell = _Cell(
            candidate, name, folder, processes, clock, proxy=proxy, ground=ground, broker_port=broker_port,
            committed=committed, plain=plain, link=link,
        )  # fmt: skip  # one row
        await cell.start_far_end()
        ends.push_async_callback(cell.kill_far_end)
        if plain is None:
            await cell.start_county()
            ends.push_async_callback(cell.kill_county)
        feed = await ends.enter_async_context(_feed(candidate, feed_port, clock))
        if link is not None and candidate.door is Door.LINES:
            await link.offer_inside(feed_port)
        elif link is not None:
            await link.offer_outside(feed_port)
        began_s = _now_s(clock)
        await cell.start_gateway()
        ends.push_async_callback(cell.end)
        offering = asyncio.create_task(_offer(feed, rate=pace.rate), name=f"feed of {name}")
        ends.push_async_callback(_cancelled, offering)
        await _first_arrival(committed, processes, name)
        await _while_all_run(processes, asyncio.sleep(pace.before_s))
        await _while_all_run(processes, row.break_way(cell, row.lasts_s))
        mended_s = _now_s(clock)
        await _while_all_run(processes, asyncio.sleep(pace.after_s))
        await _cancelled(offering)
        await _while_all_run(processes, _drained(feed, committed, clock=clock, pace=pace))
        cell.meter.look(cell._pid())
        return _figures(cell, row, feed, mended_s=mended_s, lasted_s=_now_s(clock) - began_s)


async def _lossy_link(row: Row, proxy: LinkProxy, ends: AsyncExitStack, *, seed: str) -> LossyLink | None:
    """Real loss where this machine has it; None where it is not asked for, or has to be imitated."""
    if not row.loses_packets:
        return None
    try:
        return await ends.enter_async_context(LossyLink(proxy.port, seed))
    except CannotBeHad:
        return None


async def _offer(feed: Feed, *, rate: float) -> None:
    """Hand readings over evenly until cancelled; one that is slow to be accepted does not hold up the next."""
    number = 0
    async with asyncio.TaskGroup() as tasks:
        while True:
            number += 1
            tasks.create_task(feed.offer(number), name=f"reading {number}")
            await asyncio.sleep(1 / rate)


async def _while_all_run(processes: Processes, work: Awaitable[None]) -> None:
    """Do this, unless a process ends that nobody has killed: what is not there loses nothing, and proves nothing."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            processes.check()
            await asyncio.wait((task,), timeout=_POLL_S)
        task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _first_arrival(committed: Committed, processes: Processes, name: str) -> None:
    try:
        async with asyncio.timeout(_FIRST_ARRIVAL_S):
            while not committed.numbers:
                processes.check()
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        log = processes.children[name].log
        text = await asyncio.to_thread(log.read_text, encoding="utf-8", errors="replace")
        raise ProgramFailed(
            f"bringing a first reading through {name} within {_FIRST_ARRIVAL_S:.0f} s", text[-3000:]
        ) from None


async def _drained(feed: Feed, committed: Committed, *, clock: Clock, pace: Pace) -> None:
    promised = feed.promises.accepted_s
    began_s = _now_s(clock)
    while _now_s(clock) - began_s < pace.drain_s:
        missing = [number for number in promised if number not in committed.numbers]
        if not missing:
            return
        latest_s = max(committed.arrived_s.values(), default=began_s)
        patience_s = pace.quiet_s if max(promised) in committed.numbers else pace.dead_s
        if _now_s(clock) - max(latest_s, began_s) > patience_s:
            return
        await asyncio.sleep(_POLL_S)


def _figures(cell: _Cell, row: Row, feed: Feed, *, mended_s: float, lasted_s: float) -> Figures:
    promised, committed, meter = feed.promises, cell.committed, cell.meter
    owed = [number for number in promised.accepted_by(mended_s) if number in committed.arrived_s]
    last_s = max((committed.arrived_s[number] for number in owed), default=mended_s)
    strange = sum(1 for number in committed.numbers if number not in promised.asked)
    return Figures(
        candidate=cell.candidate.name,
        row=row.name,
        offered=promised.offered,
        accepted=len(promised.accepted_s),
        lost=sum(1 for number in promised.accepted_s if number not in committed.numbers),
        duplicated=sum(count - 1 for count in committed.numbers.values()),
        redelivered=committed.redelivered,
        unreadable=sum(committed.refused.values()) + committed.conflicts + promised.nonsense + strange,
        drain_s=round(max(0.0, last_s - mended_s), 1),
        peak_mib=round(meter.peak_bytes / _MIB, 1),
        cpu_s=round(meter.cpu_s, 1),
        wire_kib=round((cell.proxy.bytes_up + cell.proxy.bytes_down) / 1024, 1),
        written_kib=round(meter.written_bytes / 1024, 1),
        lasted_s=round(lasted_s, 1),
        loss_by=_loss_by(cell, row),
        due=promised.due,
    )


def _loss_by(cell: _Cell, row: Row) -> str:
    if not row.loses_packets:
        return ""
    if cell.link is None:
        return "stalls of the relay, for want of name spaces"
    return f"{cell.link.lost} of {cell.link.packets} packets dropped between two name spaces"


def _feed(candidate: Candidate, port: int, clock: Clock) -> Feed:
    if candidate.door is Door.LINES:
        return LineFeed(port, clock=clock)
    return HttpFeed(f"http://127.0.0.1:{port}/readings", clock=clock, extra=candidate.extra)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _now_s(clock: Clock) -> float:
    return clock.mono_ns() / 1e9
