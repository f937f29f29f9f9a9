"""How many bytes a gateway writes to its card in a day, measured on a day in small.

    python -m kanhu.harness.card_writes --minutes 60

Readings of one oximeter, six a minute as of one that is worn day and night, and then sixty as of a strap, each judged
and committed by itself by the product's own judge, committer and outbox; every minute what was taken is confirmed and
kept as delivered, and the notes of a heartbeat are written; at the end all that was kept is dropped. Only the waiting
is left out. What the kernel counts for this process (`/proc/self/io`, write_bytes) is told for a day of it. A file
system in memory counts nothing, so `--folder` has to be on a disk.
"""

import argparse
import asyncio
import sys
import tempfile
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from kanhu.contract import FakeClock, Lane, Receipt, Record, SeqRanges, SystemClock
from kanhu.contract.receipt import RECEIPT_VERSION
from kanhu.edge.pipeline import SensingPipeline
from kanhu.gateway import Outbox
from kanhu.gateway.card import CardMeter
from kanhu.gateway.committer import Committer
from kanhu.harness.prove.absence import DAY_WINDOWS, windows
from kanhu.harness.report import Output, Report, Value, finish, read_limits
from kanhu.vitals import Judge, Runs, core_pack, profile_from_tags

__all__ = ["main", "measure"]

_NAME = "card-writes"
_GATEWAY = "home-01"
_SUBJECT = "r-0001"
_MINUTES_A_DAY = 24 * 60
_A_MINUTE = DAY_WINDOWS // _MINUTES_A_DAY
_STRAP_A_MINUTE = 60
_MIB = 1 << 20
_A_DAY_S = 86_400.0


async def measure(folder: Path, *, minutes: int, a_minute: int, seed: int) -> int | None:
    """Bytes written by so many minutes with `a_minute` readings each; None where the kernel does not count them."""
    clock = SystemClock()
    profiles = {_SUBJECT: profile_from_tags(_SUBJECT, (), spo2_limit_percent=None)}
    pipeline = SensingPipeline(Judge(core_pack(), Runs.GATEWAY, profiles, ZoneInfo("Asia/Shanghai")), profiles=profiles)
    running = FakeClock()  # by it the outbox knows how long what was delivered is there
    committer = Committer(Outbox.open(folder / "outbox.db", clock=running, max_bytes=256 * _MIB))
    readings = windows(_SUBJECT, count=minutes * a_minute, until_ms=clock.wall_ms(), seed=seed)
    card = CardMeter(clock)
    before = card.written()
    try:
        for minute in range(minutes):
            for reading in islice(readings, a_minute):
                judged = pipeline.take(reading)
                records: list[tuple[Lane, Record]] = [(Lane.LIVE, judged.observation)]
                records += [(Lane.ALERT, finding) for finding in judged.findings]
                await committer.accept(records, states=judged.states)
            last = committer.last_seq
            sent = SeqRanges()
            sent.add(1, last)
            receipt = Receipt(RECEIPT_VERSION, _GATEWAY, committer.epoch, last)
            await committer.call(lambda outbox, receipt=receipt, sent=sent: outbox.settle(receipt, sent=sent))  # type: ignore[misc]  # mypy cannot infer a lambda's default
            await committer.call(lambda outbox, minute=minute: outbox.remember({"receipt_ms": minute}))  # type: ignore[misc]  # the same
        running.advance(_A_DAY_S)
        await committer.call(lambda outbox: outbox.expire_delivered(after_s=1))
    finally:
        await committer.close()
    after = card.written()
    return None if before is None or after is None else after - before


def main() -> int:
    """Measure, compare with the limits, print."""
    parser = argparse.ArgumentParser(prog="card_writes", description="Measure what a gateway writes in a day.")
    parser.add_argument("--minutes", type=int, default=60, help="of a gateway's life, 60 unless told otherwise")
    parser.add_argument("--folder", type=Path, help="on a disk; a new folder in the system's place for such by default")
    parser.add_argument("--seed", type=int, default=1, help="of the invented bodies")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    chosen = parser.parse_args()
    figures: dict[str, Value] = {}
    for name, a_minute in (("oximeter", _A_MINUTE), ("strap", _STRAP_A_MINUTE)):
        with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
            written = asyncio.run(measure(Path(folder), minutes=chosen.minutes, a_minute=a_minute, seed=chosen.seed))
        if not written:
            print("card_writes: nothing was counted here: give --folder on a disk", file=sys.stderr)
            return 2
        figures[f"{name}_bytes_a_reading"] = round(written / (chosen.minutes * a_minute))
        figures[f"{name}_mib_a_day"] = round(written * _MINUTES_A_DAY / chosen.minutes / _MIB)
    report = Report(_NAME, figures, read_limits(_NAME), seed=chosen.seed)
    return finish(report, output=Output.TABLE_AND_JSON if chosen.json else Output.TABLE)


if __name__ == "__main__":
    sys.exit(main())
