"""A gateway without a card and a network: the same quality gate and the same judge, numbers as its outbox gives them.

A reading that led to findings leaves with them at once, as on a real one; all others wait until they are collected.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum

from msgspec.structs import replace

from kanhu.cloud.errors import ReplayRefused
from kanhu.cloud.ingest.door import Message
from kanhu.contract import (
    ClockState,
    Envelope,
    GatewayState,
    Lane,
    MessageTooLarge,
    Observation,
    Quality,
    Record,
    SeqRanges,
    Status,
    encode_envelope,
    up_topic,
)
from kanhu.contract.recording import Recorded
from kanhu.contract.status import STATUS_VERSION
from kanhu.vitals import Judge, Profile, QualityGate, RulePack, Runs

__all__ = ["HEARTBEAT_MS", "ClockShown", "Owed", "Parcel", "Taken", "VirtualGateway", "parcels"]

HEARTBEAT_MS = 60_000
_PARCEL_RECORDS = 500
_LEAVES_AT_ONCE = frozenset({"help_button", "fall", "smoke", "carbon_monoxide", "gas"})
"""A press by somebody nobody can name has no finding, and waits for nothing all the same."""
_NO_READING_YET = "0" * 32


class Taken(StrEnum):
    """What became of one recorded reading."""

    ROUTINE = "routine"
    URGENT = "urgent"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Owed:
    """One record of an outbox."""

    epoch: str
    seq: int
    record: Record


@dataclass(frozen=True, slots=True)
class Parcel:
    """One envelope, and what is in it."""

    gateway: str
    message: Message
    epoch: str
    seqs: tuple[int, ...]
    readings: int


@dataclass(frozen=True, slots=True)
class ClockShown:
    """What a gateway's clock shows, as far as its readings tell: how far ahead, in which boot, how far trusted."""

    boot: str
    state: ClockState
    ahead_ms: int

    def differs(self, other: "ClockShown") -> bool:
        """Whether a heartbeat of the one says nothing of the other."""
        return (self.boot, self.state) != (other.boot, other.state) or abs(self.ahead_ms - other.ahead_ms) > 1000

    def is_doubtful(self) -> bool:
        """Whether the county may date its readings by when they come."""
        return self.state is not ClockState.SYNCED or abs(self.ahead_ms) > HEARTBEAT_MS


@dataclass(slots=True)
class _Outbox:
    """Numbers of one epoch: those of the recording, moved up by the findings that stand between."""

    taken: SeqRanges = field(default_factory=SeqRanges)
    last: int = 0
    moved_from: list[int] = field(default_factory=list)
    """Recorded numbers above which one more finding has been numbered."""
    lowered: dict[int, Quality] = field(default_factory=dict)

    def number(self, recorded: int) -> int:
        return recorded + bisect_right(self.moved_from, recorded - 1)


class VirtualGateway:
    """Judges the readings of one gateway, one after another."""

    def __init__(self, gateway: str, *, pack: RulePack, profiles: Mapping[str, Profile], timezone: tzinfo) -> None:
        """Begin with an empty outbox and nobody measured."""
        self.id = gateway
        self.decisions: Counter[str] = Counter()
        self.findings = 0
        self.readings = 0
        self.shown = ClockShown(_NO_READING_YET, ClockState.SYNCED, 0)
        self._profiles = profiles
        self._judge = Judge(pack, Runs.GATEWAY, profiles, timezone)
        self._gate = QualityGate(profiles)
        self._outboxes: dict[str, _Outbox] = {}
        self._epoch = _NO_READING_YET
        self.urgent: list[Owed] = []
        self.routine: list[Owed] = []
        self.again: list[Owed] = []

    def take(self, recorded: Recorded) -> Taken:
        """Judge one reading and number what came of it; one whose number is known is only sent again.

        Raises:
            ReplayRefused: its number is lower than one before, and was never given.
        """
        outbox = self._outboxes.setdefault(recorded.epoch, _Outbox())
        if recorded.seq <= outbox.last:
            return self._send_again(outbox, recorded)
        self._look_at_clock(recorded)
        assessed = self._gate.assess(recorded.observation)
        if assessed is not recorded.observation:
            outbox.lowered[recorded.seq] = assessed.quality
        outbox.taken.add(recorded.seq, recorded.seq)
        outbox.last = recorded.seq
        self._epoch = recorded.epoch
        self.readings += 1
        seq = outbox.number(recorded.seq)
        found = []
        for decision in self._judge.judge(assessed):
            self.decisions[f"{decision.rule}.{decision.reason.value}"] += 1
            if decision.finding is not None:
                found.append(decision.finding)
        owed = Owed(recorded.epoch, seq, assessed)
        if not found and assessed.metric not in _LEAVES_AT_ONCE:
            self.routine.append(owed)
            return Taken.ROUTINE
        self.findings += len(found)
        self.urgent.append(owed)
        self.urgent += (Owed(recorded.epoch, seq + after, finding) for after, finding in enumerate(found, 1))
        outbox.moved_from += [recorded.seq] * len(found)
        return Taken.URGENT

    def collect(self, lane: Lane) -> list[Parcel]:
        """Everything that waits, alerts first; then nothing waits. `lane` is that of what is not urgent."""
        sealed = [
            *parcels(self.id, Lane.ALERT, self.urgent),
            *parcels(self.id, lane, self.routine),
            *parcels(self.id, lane, self.again),
        ]
        self.urgent, self.routine, self.again = [], [], []
        return sealed

    def owed_readings(self) -> int:
        """How many readings wait."""
        return sum(isinstance(owed.record, Observation) for owed in (*self.urgent, *self.routine))

    def heartbeat(self, now_ms: int) -> Status:
        """What it says of itself now."""
        return Status(
            STATUS_VERSION,
            self.id,
            self._epoch,
            GatewayState.ONLINE,
            boot=self.shown.boot,
            sent_ms=max(0, now_ms + self.shown.ahead_ms),
            clock=self.shown.state,
            heartbeat_s=HEARTBEAT_MS / 1000,
        )

    def _send_again(self, outbox: _Outbox, recorded: Recorded) -> Taken:
        if recorded.seq not in outbox.taken:
            where = f"gateway {recorded.gateway}, number {recorded.seq}"
            raise ReplayRefused(f"{where} comes after {outbox.last}, out of order; record it anew")
        quality = outbox.lowered.get(recorded.seq, recorded.observation.quality)
        observation = replace(recorded.observation, quality=quality)
        self.again.append(Owed(recorded.epoch, outbox.number(recorded.seq), observation))
        return Taken.KNOWN

    def _look_at_clock(self, recorded: Recorded) -> None:
        times = recorded.observation.times
        if times.boot != self.shown.boot:  # a restart: detectors go on from the card, the gate starts afresh
            self._gate = QualityGate(self._profiles)
        self.shown = ClockShown(times.boot, times.clock, times.arrival_ms - recorded.true_ms)


def parcels(gateway: str, lane: Lane, owed: Iterable[Owed]) -> Iterator[Parcel]:
    """As few envelopes as hold them, an outbox after the other."""
    by_epoch: dict[str, dict[int, Record]] = {}
    for one in owed:
        by_epoch.setdefault(one.epoch, {})[one.seq] = one.record
    for epoch, records in by_epoch.items():
        rows = sorted(records.items())
        for first in range(0, len(rows), _PARCEL_RECORDS):
            yield from _sealed(gateway, lane, epoch, rows[first : first + _PARCEL_RECORDS])


def _sealed(gateway: str, lane: Lane, epoch: str, rows: list[tuple[int, Record]]) -> Iterator[Parcel]:
    try:
        wire = encode_envelope(Envelope(gateway, epoch, tuple(rows)))
    except MessageTooLarge:
        middle = len(rows) // 2  # one record alone always fits
        yield from _sealed(gateway, lane, epoch, rows[:middle])
        yield from _sealed(gateway, lane, epoch, rows[middle:])
        return
    readings = sum(isinstance(record, Observation) for _, record in rows)
    message = Message(up_topic(gateway, lane), wire, retained=False)
    yield Parcel(gateway, message, epoch, tuple(seq for seq, _ in rows), readings)
