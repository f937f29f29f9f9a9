"""One run under faults, from nothing to the comparison of what was promised with what is stored.

Real gateways, a broker with all state forgotten at each start, and the county, as processes on loopback. Each promise
is noted outside the tested processes, after it was given. Last act: every gateway is killed at once, all come back,
and everything owed drains with faults off.
"""

import asyncio
import time
from dataclasses import dataclass

from kanhu.contract import SystemClock
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.faults import (
    Hit,
    Kind,
    Place,
    Played,
    Schedule,
    ScheduleRefused,
    Target,
    play,
    random_schedule,
)
from kanhu.harness.ledger import Account, lines_of
from kanhu.harness.prove.telling import Teller
from kanhu.harness.prove.town import COUNTY_LINK, Size, Town, town
from kanhu.harness.report import Value

__all__ = ["Outcome", "Plan", "check_targets", "conduct", "drawn_plan", "length_of", "targets_of"]

CALM_S = 1.0
"""How long a run goes on after the last fault of its schedule has ended."""

_FAULTS_PER_S = 2.1
_WAKING_S = 60.0
_DRAIN_S = 90.0
_POLL_S = 0.25
_FIRST_READINGS = 5
_PROCESS_KINDS = {Kind.KILL: 0.8, Kind.STOP: 0.08, Kind.HANG: 0.12}
_PROCESSES = (Place.GATEWAY, Place.BROKER, Place.CLOUD)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to happen."""

    schedule: Schedule
    seconds: float
    """How long readings flow and faults happen; waking before and draining after come on top."""
    seed: int
    size: Size
    broken: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run found."""

    account: Account
    played: tuple[Played, ...]
    restarts: int
    redelivered: int
    drain_s: float

    @property
    def failed(self) -> bool:
        """Whether a promise was broken."""
        return bool(self.account.broken_promises() or self.account.owed)

    def figures(self) -> dict[str, Value]:
        """For the report."""
        hits = [one.fault for one in self.played if one.hit is Hit.HIT]
        kills = sum(1 for fault in hits if fault.kind is Kind.KILL)
        network = sum(1 for fault in hits if fault.target.place is Place.LINK)
        account = self.account
        refused = sum(account.refused.values())
        figures: dict[str, Value] = {
            "faults": kills + network,
            "kills": kills,
            "network_faults": network,
            "stops_and_hangs": len(hits) - kills - network,
            "emitted": account.emitted,
            "accepted": account.accepted,
            "lost": account.lost,
            "duplicated": account.duplicated,
            "wrong_bytes": account.wrong,
            "owed": account.owed,
            "refused": refused,
            "unanswered": account.emitted - account.accepted - refused,
            "unclaimed": account.unclaimed,
            "redelivered": self.redelivered,
            "restarts": self.restarts,
            "drain_s": round(self.drain_s, 1),
        }
        if account.late_ms_p95 is not None:
            figures["late_ms_p95"] = round(account.late_ms_p95)
        return figures


def targets_of(size: Size) -> dict[Target, float]:
    """Everything that can fail, with its share: two thirds on links, a quarter on gateways, the rest on the others."""
    names = size.names()
    links = (*names, COUNTY_LINK)
    weights = {Target(Place.LINK, name): 0.67 / len(links) for name in links}
    weights |= {Target(Place.GATEWAY, name): 0.25 / len(names) for name in names}
    return weights | {Target(Place.BROKER): 0.05, Target(Place.CLOUD): 0.03}


def drawn_plan(*, seconds: float, seed: int, size: Size, broken: str | None = None) -> Plan:
    """A run with faults drawn by seed."""
    kinds = dict.fromkeys(_PROCESSES, _PROCESS_KINDS)
    schedule = random_schedule(seed, seconds=seconds, targets=targets_of(size), rate=_FAULTS_PER_S, kinds=kinds)
    return Plan(schedule, seconds, seed, size, broken)


def length_of(schedule: Schedule) -> float:
    """Seconds after which every timed fault of it has ended, and a little calm."""
    return max((fault.at_s + fault.for_s for fault in schedule), default=0.0) + CALM_S


def check_targets(plan: Plan) -> None:
    """See that everything to be broken is there.

    Raises:
        ScheduleRefused: a fault is on something that is not under test.
    """
    known = targets_of(plan.size)
    for fault in plan.schedule:
        if fault.target not in known:
            names = ", ".join(str(target) for target in known)
            raise ScheduleRefused(str(fault.target), f"is not under test here; these are: {names}")


async def conduct(plan: Plan, *, teller: Teller) -> Outcome:
    """Play one run.

    Raises:
        ScheduleRefused: a fault is on something that is not here; nothing was started.
        ProcessDied: a process ended that nobody had killed.
        ProgramFailed: not everybody came up, or the county could not be asked.
    """
    check_targets(plan)
    async with town(plan.size, clock=SystemClock(), seed=plan.seed, broken=plan.broken) as stage:
        await _wake(stage)
        stage.pace(plan.size.readings_per_s)
        played = await _play(plan, stage, teller)
        teller.say("the faults are over; every gateway is killed once more, and all come back")
        await stage.cut_all()
        drain_s = await _drain(stage)
        teller.say(f"after {drain_s:.1f} s nothing moves any more; comparing what was promised with what is stored")
        await stage.stop_gateways()
        owed = stage.owed()
        dump = await stage.dump()
        restarts = stage.process_faults.restarts.total() + plan.size.gateways
        redelivered = stage.county_counter("ingest.redelivered")
        account = stage.books.account(lines_of(dump), owed=owed)
        return Outcome(account, tuple(played), restarts, redelivered, drain_s)


async def _wake(stage: Town) -> None:
    """Feed a little, until each gateway has promised some and owes none: a part that never came up proves nothing."""
    began_s = time.monotonic()
    stage.pace(_FIRST_READINGS * stage.size.gateways)
    while (idle := _idle(stage)) or stage.owed():
        stage.check()
        if not idle:
            stage.pace(0)
        if time.monotonic() - began_s > _WAKING_S:
            why = f"nothing from {', '.join(idle)}" if idle else "what was accepted does not reach the county"
            raise ProgramFailed(f"bringing everybody up within {_WAKING_S:.0f} s", why)
        await asyncio.sleep(_POLL_S)


def _idle(stage: Town) -> list[str]:
    return [name for name in stage.size.names() if len(stage.books.numbers(name)) < _FIRST_READINGS]


async def _play(plan: Plan, stage: Town, teller: Teller) -> list[Played]:
    began_s = time.monotonic()

    def elapsed_s() -> float:
        return time.monotonic() - began_s

    played: list[Played] = []
    places = stage.places()
    faults = asyncio.create_task(
        play(plan.schedule, places=places, elapsed_s=elapsed_s, tell=played.append, end_s=plan.seconds), name="faults"
    )
    try:
        while elapsed_s() < plan.seconds or not faults.done():
            stage.check()
            if faults.done():
                faults.result()
            text = f"seed {plan.seed}: {len(played)} faults, {stage.books.accepted} readings accepted"
            teller.now(elapsed_s(), text)
            await asyncio.sleep(_POLL_S)
        return await faults
    finally:
        faults.cancel()
        await asyncio.gather(faults, return_exceptions=True)


async def _drain(stage: Town) -> float:
    """Wait until nothing is owed; seconds that took, at most the patience."""
    began_s = time.monotonic()
    while time.monotonic() - began_s < _DRAIN_S:
        stage.check()
        if not stage.owed():
            break
        await asyncio.sleep(_POLL_S)
    return time.monotonic() - began_s
