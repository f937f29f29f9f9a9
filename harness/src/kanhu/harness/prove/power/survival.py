"""After a power cut: open what is left with the product's own code, and hold it against what was promised.

A promised record has to be there, equal by bytes, unless the county had allowed it to be deleted before the cut, or a
gap record that is there names it. The file has to be whole, of the same epoch, and the next number one that was never
given out.
"""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from kanhu.contract import (
    Clock,
    Gap,
    Lane,
    Observation,
    Part,
    SeqRanges,
    Subject,
    SubjectKind,
    SystemClock,
    Times,
    decode_record,
)
from kanhu.gateway.disk import open_outbox
from kanhu.gateway.errors import OutboxError
from kanhu.gateway.outbox import Outbox

__all__ = ["OUTBOX", "Broken", "Promises", "first_reading", "lay_out", "survey"]

OUTBOX = "outbox.db"


class Broken(StrEnum):
    """What a cut broke."""

    LOST = "lost"
    """A promised record is neither there nor named, and nobody had allowed its deletion."""
    WRONG = "wrong_bytes"
    CORRUPT = "corrupt"
    """The file cannot be opened, is not whole, or was set aside as damaged."""
    REUSED = "reused"
    """The next number is one that was given out before."""


@dataclass(slots=True)
class Promises:
    """What somebody outside relies on at one moment."""

    digests: dict[int, bytes] = field(default_factory=dict)
    epoch: str = ""
    highest: int = 0
    """The highest number that was promised."""
    released_s: Mapping[int, float] = field(default_factory=dict)

    def hear(self, text: bytes) -> None:
        """Lines of a gateway's journal."""
        for line in text.splitlines():
            said = json.loads(line)
            if "seq" in said:
                self.digests[said["seq"]] = bytes.fromhex(said["sha256"])
                self.epoch = said["epoch"]
                self.highest = max(self.highest, said["seq"])

    def owed(self, at_s: float) -> dict[int, bytes]:
        """Those that nobody had allowed to be deleted by then."""
        never = float("inf")
        return {seq: digest for seq, digest in self.digests.items() if self.released_s.get(seq, never) > at_s}

    def seen(self, at_s: float) -> int:
        """The highest number that anybody outside had seen by then."""
        return max([self.highest, *(seq for seq, since_s in self.released_s.items() if since_s <= at_s)])

    def copy(self) -> "Promises":
        """As it stands."""
        return Promises(dict(self.digests), self.epoch, self.highest, self.released_s)


def lay_out(files: Mapping[str, bytes], folder: Path) -> None:
    """Put what is left of a card into a folder of its own, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def survey(folder: Path, promises: Promises, *, at_s: float, max_mib: int) -> Broken | None:
    """Open it as a gateway does after the power is back; what is broken first, or None."""
    file = folder / OUTBOX
    clock = SystemClock()
    try:
        outbox, aside = open_outbox(file, clock=clock, max_mib=max_mib)
    except OutboxError:
        return Broken.CORRUPT
    try:
        if aside is not None or not outbox.is_whole():
            return Broken.CORRUPT
        return _compare(outbox, file, promises, at_s=at_s, clock=clock)
    except OutboxError:  # it opened, and cannot be used
        return Broken.CORRUPT
    finally:
        outbox.close()


def _compare(outbox: Outbox, file: Path, promises: Promises, *, at_s: float, clock: Clock) -> Broken | None:
    owed = promises.owed(at_s)
    if promises.epoch and outbox.epoch != promises.epoch:
        return Broken.LOST if owed else Broken.REUSED
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as beside:
        found: dict[int, bytes] = dict(beside.execute("SELECT seq, record FROM outbox"))
        gaps = [decode_record(row[0]) for row in beside.execute("SELECT record FROM outbox WHERE kind = 'gap'")]
    named = SeqRanges(span for gap in gaps if isinstance(gap, Gap) for span in gap.ranges)
    for seq, digest in owed.items():
        if seq not in found:
            if seq not in named:
                return Broken.LOST
        elif hashlib.sha256(found[seq]).digest() != digest:
            return Broken.WRONG
    (following,) = outbox.accept([(Lane.LIVE, first_reading(clock))])
    return Broken.REUSED if following <= promises.seen(at_s) else None


def first_reading(clock: Clock) -> Observation:
    """The first that comes after the power is back."""
    times = Times(clock.wall_ms(), clock.mono_ns(), clock.boot, clock.state())
    subject = Subject(SubjectKind.RESIDENT, "r-after")
    return Observation("heart_rate", (Part("heart_rate", (70,)),), subject, "after", times)
