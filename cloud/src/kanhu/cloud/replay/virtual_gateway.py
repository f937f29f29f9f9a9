"""A gateway without a card and a network: the same quality gate and the same judge, numbers as its outbox gives them.

A reading that led to findings leaves with them at once, as on a real one; all others wait until they are collected.
Where one person lives alone the gateway looks at how long the sensors of the dwelling have been silent, as a real one
does where that was agreed; nobody answers a question aloud. What it concludes is judged and not kept as a reading.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum

from msgspec.structs import replace

from kanhu.cloud.errors import ReplayRefused
from kanhu.cloud.ingest.door import Message
from kanhu.contract import (
    ClockState,
    Envelope,
    Finding,
    GatewayState,
    Lane,
    MessageTooLarge,
    Observation,
    Part,
    Quality,
    Record,
    SeqRanges,
    Status,
    Subject,
    SubjectKind,
    Times,
    encode_envelope,
    up_topic,
)
from kanhu.contract.recording import Recorded
from kanhu.contract.status import STATUS_VERSION
from kanhu.vitals import Judge, Profile, QualityGate, RulePack, Runs
from kanhu.vitals.inactivity import METRIC, HomeStep, HomeWatch, is_front_door, local_s
from kanhu.vitals.rules.records import Asked

__all__ = ["HEARTBEAT_MS", "LOOK_MS", "ClockShown", "Owed", "Parcel", "Taken", "VirtualGateway", "parcels"]

HEARTBEAT_MS = 60_000
LOOK_MS = 240_000
"""A real gateway looks once a minute; after five without a look silence begins anew."""
_PARCEL_RECORDS = 500
_NS_PER_MS = 1_000_000
_ITSELF = "daily-life"
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

    def free(self) -> int:
        """The next number."""
        return self.last + bisect_right(self.moved_from, self.last) + 1


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
        self._zone = timezone
        self._last: tuple[int, Times] | None = None
        """When the last reading came, true time and as the gateway's clocks showed it."""
        self._watch = _watch(pack, profiles)
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
        found = self._judged(assessed)
        self._last = recorded.true_ms, assessed.times
        owed = Owed(recorded.epoch, seq, assessed)
        if not found and assessed.metric not in _LEAVES_AT_ONCE:
            self.routine.append(owed)
            return self._hear(assessed)
        self.urgent.append(owed)
        self._add(outbox, found)
        self._hear(assessed)
        return Taken.URGENT

    def look(self, now_ms: int) -> Taken:
        """What the silence of the home has come to."""
        if self._watch is None or self._last is None or self.shown.state is ClockState.UNSET:
            return Taken.ROUTINE
        true_ms, then = self._last
        passed_ms = now_ms - true_ms
        times = replace(
            then,
            arrival_ms=then.arrival_ms + passed_ms,
            mono_ns=then.mono_ns + passed_ms * _NS_PER_MS,
            device_ms=None,
            earliest_ms=None,
            latest_ms=None,
        )
        at_s = local_s(times.arrival_ms, self._zone)
        return self._tell(self._watch.look(at_s), times, minutes=self._watch.silence_min(at_s))

    @property
    def looks(self) -> bool:
        """Whether there is a home to look at."""
        return self._watch is not None

    def _hear(self, observation: Observation) -> Taken:
        if self._watch is None or self.shown.state is ClockState.UNSET:
            return Taken.ROUTINE
        at_s = local_s(observation.times.arrival_ms, self._zone)
        return self._tell(self._watch.hear(observation, at_s), replace(observation.times, device_ms=None), minutes=0)

    def _tell(self, step: HomeStep, times: Times, *, minutes: int) -> Taken:
        if step not in {HomeStep.STILL, HomeStep.LONGER, HomeStep.ACTIVE}:
            return Taken.ROUTINE
        (person,) = self._profiles
        told = Observation(METRIC, (Part(METRIC, (minutes,)),), Subject(SubjectKind.RESIDENT, person), _ITSELF, times)
        found = self._judged(told)
        self._add(self._outboxes[self._epoch], found)
        return Taken.URGENT if found else Taken.ROUTINE

    def _judged(self, observation: Observation) -> list[Finding]:
        found = []
        for decision in self._judge.judge(observation):
            self.decisions[f"{decision.rule}.{decision.reason.value}"] += 1
            if decision.finding is not None:
                found.append(decision.finding)
        return found

    def _add(self, outbox: _Outbox, found: Sequence[Finding]) -> None:
        """Number findings after everything that was numbered before."""
        self.findings += len(found)
        for finding in found:
            self.urgent.append(Owed(self._epoch, outbox.free(), finding))
            outbox.moved_from.append(outbox.last)

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
            if self._watch is not None:
                self._watch.unlooked()
        self.shown = ClockShown(times.boot, times.clock, times.arrival_ms - recorded.true_ms)


def _watch(pack: RulePack, profiles: Mapping[str, Profile]) -> HomeWatch | None:
    """Where one person lives, alone, and the pack has a rule that speaks of silence."""
    rule = pack.rule("INACT")
    if rule is None or not isinstance(rule.confirm, Asked) or len(profiles) != 1:
        return None
    (person,) = profiles.values()
    if not person.lives_alone:
        return None
    return HomeWatch(person.subject, way_out=_is_way_out, answer_s=rule.confirm.prompts * rule.confirm.apart_s)


def _is_way_out(device: str) -> bool:
    """As whoever fits the sensors says it on a real gateway."""
    return is_front_door(device) or device.startswith("gate-")


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
