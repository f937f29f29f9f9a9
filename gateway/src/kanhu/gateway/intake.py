"""Where readings come in: judged, committed together with what they led to, and only then accepted."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from kanhu.contract import Finding, Lane, Observation, Record
from kanhu.edge.devices import DeviceSeen
from kanhu.edge.pipeline import Judged, Resumed, SensingPipeline
from kanhu.gateway.committer import Committer
from kanhu.gateway.device_clocks import DeviceClocks
from kanhu.gateway.errors import OutboxError, OutboxFull
from kanhu.gateway.journal import Journal
from kanhu.gateway.timekeeping import Timekeeper
from kanhu.gateway.uplink import Uplink
from kanhu.vitals import DecisionReason

# A press by somebody nobody can name has no finding, and still does not wait for the next routine parcel.
_LEAVES_AT_ONCE = frozenset({"help_button", "fall", "smoke", "carbon_monoxide", "gas"})
_DECIDES = frozenset(
    {
        DecisionReason.PRESSED,
        DecisionReason.REPEATED,
        DecisionReason.CONFIRMED,
        DecisionReason.RECURRED,
        DecisionReason.LEVEL_RAISED,
        DecisionReason.CLEARED,
        DecisionReason.CALLED_OFF,
        DecisionReason.CONFIRMING,
    }
)
"""Answers after which a state is worth more than one of yesterday."""
_OUTBOX_FULL = "outbox_full"
_OUTBOX_FAILED = "outbox_failed"

_log = logging.getLogger(__name__)


class Listener(Protocol):
    """Whoever shows readings on the spot."""

    def taken(self, judged: Judged, *, seq: int) -> None:
        """A reading was committed under this number."""

    def not_kept(self, judged: Judged) -> None:
        """The card did not take a reading."""

    def refused(self, device: str, reason: str) -> None:
        """A device's bytes became no reading."""


class Intake:
    """The sink that edge's devices hand their readings to."""

    def __init__(
        self,
        committer: Committer,
        *,
        journal: Journal,
        uplink: Uplink,
        timekeeper: Timekeeper,
        clocks: DeviceClocks,
        unstored: Callable[[Sequence[Finding]], None] = lambda _: None,
    ) -> None:
        """Call `judge_with` before the first reading; `unstored` is told of findings that the card did not take."""
        self._committer = committer
        self._journal = journal
        self._uplink = uplink
        self._timekeeper = timekeeper
        self._clocks = clocks
        self._unstored = unstored
        self._pipeline: SensingPipeline | None = None
        self._uncounted: Counter[tuple[str, str]] = Counter()
        self.last_reading_ms: dict[str, int] = {}
        """Arrival of the last accepted reading, by device."""
        self.seen: dict[str, DeviceSeen] = {}
        """The latest state of each device."""
        self.listeners: list[Listener] = []
        self.on_states: Callable[[Judged, bool], None] | None = None
        """Told of each reading whose detector states were committed, and whether a finding hangs on them."""
        self._judging = asyncio.Event()

    def judge_with(self, pipeline: SensingPipeline) -> None:
        """Judge from now on with this pipeline, which knows what was committed."""
        self._pipeline = pipeline
        self._judging.set()

    async def resume(
        self, states: Mapping[str, tuple[str, bytes]], *, ended: frozenset[str], unknown: frozenset[str]
    ) -> Resumed:
        """Go on from states that another card has left, each with its name; return once that is committed.

        Raises:
            OutboxError: not committed; the same again is joined no second time.
        """
        while True:
            await self._judging.wait()
            pipeline = self._pipeline
            if pipeline is None:
                raise RuntimeError("judge_with comes first")
            resumed = pipeline.resume(states, ended=ended, unknown=unknown)
            if resumed.states:
                await self._committer.accept([], states=resumed.states)
            if self._pipeline is pipeline:  # else it was restored meanwhile from what was committed before
                return resumed

    async def accept(self, observation: Observation) -> bool:
        """Return once the reading and what it led to are committed; False where nothing kept it, which is counted.

        Raises:
            OutboxError: a finding could not be stored, and memory for such is full too; the judge already counts it as
                raised, so it has to be restored from what was committed.
        """
        if self._pipeline is None:
            raise RuntimeError("judge_with comes first")
        observation = self._timekeeper.filled(observation)
        self._clocks.compare(observation)
        judged = self._pipeline.take(observation)
        urgent = bool(judged.findings) or observation.metric in _LEAVES_AT_ONCE
        records: list[tuple[Lane, Record]] = [(Lane.ALERT if urgent else Lane.LIVE, judged.observation)]
        records += [(Lane.ALERT, finding) for finding in judged.findings]
        try:
            seqs = await self._committer.accept(records, states=judged.states)
        except OutboxError as error:
            for listener in self.listeners:
                listener.not_kept(judged)
            if urgent and self._uplink.carry([record for _, record in records]):
                _log.error("the card took no alert, it is sent from memory: %s", error)
                _tell(judged.findings)
                self._unstored(judged.findings)
                return True
            reason = _OUTBOX_FULL if isinstance(error, OutboxFull) else _OUTBOX_FAILED
            self._uncounted[observation.device, reason] += 1
            _log.error("reading of %s not accepted: %s", observation.device, error)
            if judged.findings:
                self._unstored(judged.findings)
                raise
            return False
        self._uplink.announce([lane for lane, _ in records], subject=observation.subject.id)
        if self.on_states is not None and judged.states:
            self.on_states(judged, any(decision.reason in _DECIDES for decision in judged.decisions))
        self.last_reading_ms[observation.device] = observation.times.arrival_ms
        for seq, (_, record) in zip(seqs, records, strict=True):
            self._journal.accepted(seq, record, epoch=self._committer.epoch)
        for listener in self.listeners:
            listener.taken(judged, seq=seqs[0])
        _tell(judged.findings)
        await self.catch_up()
        if self._uncounted:
            await self._count_late()
        return True

    async def catch_up(self) -> None:
        """Write alerts that only memory holds to the card if it takes them now, and tell what became of the others."""
        unwritten = self._uplink.unwritten
        for seq, record in unwritten.take_settled():
            self._journal.accepted(seq, record, epoch=unwritten.epoch)
        waiting = unwritten.take_waiting()
        if waiting:
            try:
                seqs = await self._committer.accept([(Lane.ALERT, record) for record in waiting])
            except OutboxError:
                unwritten.keep(waiting)
                return
            self._uplink.announce([Lane.ALERT])
            for seq, record in zip(seqs, waiting, strict=True):
                self._journal.accepted(seq, record, epoch=self._committer.epoch)
        if not unwritten:
            self._committer.caught_up()

    async def refuse(self, device: str, reason: str, detail: str) -> None:
        """Return once the refusal is counted."""
        _log.debug("%s: %s: %s", device, reason, detail)
        for listener in self.listeners:
            listener.refused(device, reason)
        await self._count(device, reason, count=1)

    def device_seen(self, seen: DeviceSeen) -> None:
        """Keep the latest state of a device."""
        before = self.seen.get(seen.device)
        if before is None or (before.connected, before.reason) != (seen.connected, seen.reason):
            _log.info("%s: %s %s", seen.device, seen.reason.value, seen.detail)
        self.seen[seen.device] = seen
        self._clocks.seen(seen)

    async def _count_late(self) -> None:
        """Count refusals of the time when the card took nothing: after a day of that they are many, the commits few."""
        late, self._uncounted = self._uncounted, Counter()
        for (device, reason), count in late.items():
            await self._count(device, reason, count=count)

    async def _count(self, device: str, reason: str, *, count: int) -> None:
        try:
            await self._committer.refuse(device, reason=reason, count=count)
        except OutboxError:
            self._uncounted[device, reason] += count
            return
        for _ in range(count):
            self._journal.refused(device, reason)


def _tell(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        _log.warning("%s %s %s %s", finding.priority.value, finding.rule, finding.phase.value, finding.alert_id)
