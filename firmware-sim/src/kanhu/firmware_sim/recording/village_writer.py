"""Writes one village: readings numbered by gateway and day, the plan of what is no reading, the truth.

The file that says that a village is whole is written last, so a village cut short is made again from its start.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

import msgspec

from kanhu.contract.recording import (
    READINGS_FILE,
    TRUTH_FILE,
    VILLAGE_FILE,
    Recorded,
    VillagePlan,
    encode_plan,
    pack_day,
)
from kanhu.firmware_sim.recording.gateway_clock import GatewayClock
from kanhu.firmware_sim.recording.readings import Reading, observed
from kanhu.firmware_sim.recording.writing import write_whole
from kanhu.firmware_sim.truth import Truth, write_truth

__all__ = ["DONE_FILE", "Done", "VillageWriter"]

DONE_FILE = "done.json"
_MS_PER_DAY = 86_400_000


class Done(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a whole village holds, and from which settings it was made."""

    village: str
    settings: str
    """Digest of the settings."""
    people: int
    readings: int
    files: dict[str, str]
    """SHA-256 by name."""

    def is_of(self, folder: Path) -> bool:
        """Whether the folder holds these files; after a cut of power one may be shorter than it was written."""
        return all(
            (folder / name).is_file() and _digest(folder / name) == sha256 for name, sha256 in self.files.items()
        )


class VillageWriter:
    """Takes the readings of one village, day after day."""

    def __init__(self, folder: Path, village: str, *, starts_ms: int, gateways: Mapping[str, GatewayClock]) -> None:
        """Write into `folder`, which exists; whatever was begun there before is written anew."""
        self._folder = folder
        self._village = village
        self._starts_ms = starts_ms
        self._gateways = gateways
        self._waiting: dict[str, list[Reading]] = {gateway: [] for gateway in gateways}
        self._seqs = dict.fromkeys(gateways, 0)
        self._last_ms = dict.fromkeys(gateways, 0)
        self._readings = 0
        (folder / DONE_FILE).unlink(missing_ok=True)
        self._out: BinaryIO = (folder / READINGS_FILE).open("wb")

    def take(self, gateway: str, reading: Reading) -> bool:
        """Whether the gateway ran and so got it."""
        if not self._gateways[gateway].is_up(reading.true_ms):
            return False
        self._waiting[gateway].append(reading)
        return True

    def end_day(self, day: int) -> None:
        """Write what was taken up to the end of this day, counted from 0; what is later waits for its own."""
        end_ms = self._starts_ms + (day + 1) * _MS_PER_DAY
        recorded: list[Recorded] = []
        for gateway in sorted(self._waiting):
            waiting = sorted(self._waiting[gateway], key=_true_ms)  # stable: what is equal stays in order of taking
            self._waiting[gateway] = [reading for reading in waiting if reading.true_ms >= end_ms]
            recorded += self._numbered(gateway, waiting[: len(waiting) - len(self._waiting[gateway])])
        for frame in pack_day(day, recorded):
            self._out.write(frame)
        self._readings += len(recorded)

    def finish(self, *, settings: str, plan: VillagePlan, truth: Iterable[Truth], people: int) -> Done:
        """Write the rest and say that the village is whole; readings later than the last day are left out."""
        self._out.close()
        (self._folder / VILLAGE_FILE).write_bytes(encode_plan(plan))
        with (self._folder / TRUTH_FILE).open("wb") as out:
            write_truth(out, truth)
        names = (READINGS_FILE, VILLAGE_FILE, TRUTH_FILE)
        done = Done(
            village=self._village,
            settings=settings,
            people=people,
            readings=self._readings,
            files={name: _digest(self._folder / name) for name in names},
        )
        write_whole(self._folder / DONE_FILE, done)
        return done

    def close(self) -> None:
        """Leave it as it is; to be called always."""
        self._out.close()

    def _numbered(self, gateway: str, readings: list[Reading]) -> Iterable[Recorded]:
        clock, seq, last_ms = self._gateways[gateway], self._seqs[gateway], self._last_ms[gateway]
        session = None
        for reading in readings:
            seq += 1
            # No two readings of a gateway in one millisecond: device, boot and monotonic time name a reading.
            last_ms = max(reading.true_ms, last_ms + 1)
            times = clock.times(last_ms, device_ms=reading.device_ms)
            if reading.subject is None and reading.session_ms is not None:
                session = clock.times(reading.session_ms)
            observation = observed(reading, times, session=session or times)
            session = None
            yield Recorded(last_ms, gateway, clock.epoch, seq, observation)
        self._seqs[gateway], self._last_ms[gateway] = seq, last_ms


def _true_ms(reading: Reading) -> int:
    return reading.true_ms


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
