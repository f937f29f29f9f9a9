"""An outbox as days without a county leave it: filled by the product's own intake, in a minute instead of days.

    python -m kanhu.harness.prove.absence --config gateway.toml --count 259200 --seed 1

An oximeter that is worn day and night gives 8,640 windows of ten seconds a day. Each is judged, committed and only then
promised, by intake, committer and outbox as shipped, with the settings' journal as the promise. What differs from life:
five hundred readings share a commit, and their times are written instead of waited for. The bodies are invented: a
day's rhythm, a slow drift, the jitter of a serial line, and now and then a weak signal.
"""

import argparse
import asyncio
import math
import random
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from kanhu.contract import (
    ClockState,
    GatewayState,
    Observation,
    Part,
    Quality,
    QualityLevel,
    QualityReason,
    Status,
    Subject,
    SubjectKind,
    SystemClock,
    Times,
    metric,
)
from kanhu.edge.pipeline import SensingPipeline
from kanhu.gateway import GatewayConfig, Outbox, load_config
from kanhu.gateway.committer import Committer
from kanhu.gateway.device_clocks import DeviceClocks
from kanhu.gateway.intake import Intake
from kanhu.gateway.journal import Journal
from kanhu.gateway.timekeeping import SYNCED_WITHIN_MS, Timekeeper
from kanhu.gateway.uplink import Uplink
from kanhu.vitals import Judge, Runs, core_pack, profile_from_tags

__all__ = ["DAY_WINDOWS", "fill", "main", "windows"]

DAY_WINDOWS = 8640
"""One in ten seconds."""

_A_COMMIT = 500
_DEVICE = "oximeter-01"
_BOOT = "0ff11e" + "0" * 26  # it ran without a break; whoever drains is another boot
_WINDOW_MS = 10_000
_JITTER_MS = 8  # of a serial line at 60 packets a second
_DAY_MS = 86_400_000
_MIB = 1 << 20


def windows(subject: str, *, count: int, until_ms: int, seed: int) -> Iterator[Observation]:
    """So many windows of one person, the last at `until_ms` (Unix milliseconds); the same seed gives the same."""
    draw = random.Random(f"{seed}/absence/{subject}")
    drift = 0.0
    for number in range(count):
        after_ms = number * _WINDOW_MS + round(draw.gauss(0, _JITTER_MS))
        arrival_ms = until_ms - count * _WINDOW_MS + after_ms
        awake = math.sin(2 * math.pi * arrival_ms / _DAY_MS)
        drift = 0.98 * drift + draw.gauss(0, 0.6)
        pulse = round(68 + 8 * awake + drift + draw.gauss(0, 1.5))
        spo2 = max(94, min(99, round(96 + 0.7 * awake + draw.gauss(0, 0.6))))
        weak = draw.random() < 0.01
        yield Observation(
            "oximetry",
            (_part("spo2", spo2), _part("pulse_oximeter", pulse)),
            Subject(SubjectKind.RESIDENT, subject),
            _DEVICE,
            Times(
                arrival_ms,
                after_ms * 1_000_000 + draw.randrange(1_000_000),
                _BOOT,
                ClockState.SYNCED,
                earliest_ms=arrival_ms - SYNCED_WITHIN_MS,  # as the gateway of that time filled them
                latest_ms=arrival_ms + SYNCED_WITHIN_MS,
            ),
            Quality(QualityLevel.QUESTIONABLE, (QualityReason.WEAK_SIGNAL,)) if weak else Quality(),
        )


def _part(code: str, value: int) -> Part:
    return Part(code, (metric(code).steps(value),))


async def fill(config: GatewayConfig, *, count: int, seed: int) -> None:
    """Accept so many windows of the first resident; all of them are committed when this returns."""
    clock = SystemClock()
    committer = Committer(Outbox.open(config.outbox_file, clock=clock, max_bytes=config.outbox.max_mib * _MIB))
    try:
        with Journal(config.journal_file) as journal:
            timekeeper = Timekeeper((), clock=clock)
            uplink = _unconnected(config, committer, timekeeper, clock)
            clocks = DeviceClocks({}, zone=config.zone)
            intake = Intake(committer, journal=journal, uplink=uplink, timekeeper=timekeeper, clocks=clocks)
            profiles = {one.id: profile_from_tags(one.id, one.tags) for one in config.resident}
            judge = Judge(core_pack(), Runs.GATEWAY, profiles, config.zone)
            intake.judge_with(SensingPipeline(judge, profiles=profiles))
            readings = windows(config.resident[0].id, count=count, until_ms=clock.wall_ms(), seed=seed)
            while some := list(islice(readings, _A_COMMIT)):
                await asyncio.gather(*(intake.accept(reading) for reading in some))
    finally:
        await committer.close()


def _unconnected(config: GatewayConfig, committer: Committer, timekeeper: Timekeeper, clock: SystemClock) -> Uplink:
    """An uplink that hears of every commit and is never run: there is no county."""

    async def status(_: GatewayState) -> Status:
        raise RuntimeError("nobody asks: it is never run")

    return Uplink(
        config.gateway,
        committer,
        broker=config.broker,
        config=config.uplink,
        heartbeat_s=config.heartbeat_s,
        clock=clock,
        status=status,
        timekeeper=timekeeper,
    )


def main() -> int:
    """Fill the outbox that the settings name."""
    parser = argparse.ArgumentParser(prog="absence", description="Fill an outbox as days without a county do.")
    parser.add_argument("--config", type=Path, required=True, help="gateway.toml")
    parser.add_argument("--count", type=int, required=True, help="windows of ten seconds")
    parser.add_argument("--seed", type=int, default=1, help="of the invented bodies")
    chosen = parser.parse_args()
    asyncio.run(fill(load_config(chosen.config), count=chosen.count, seed=chosen.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
