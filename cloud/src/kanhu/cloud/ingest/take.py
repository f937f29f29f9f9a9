"""Takes messages into the ledger: store, roll up, hand findings on, and say what may be answered after the commit.

A record that SQL cannot hold sends its message into quarantine and leaves the others alone: messages share a savepoint,
and where one of them fails each half is taken anew in its own, down to the message that it was. A fault of the disk
fails the whole job instead, so nobody gets a receipt for what is not stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError

from kanhu.cloud.alerting.faults import Faults
from kanhu.cloud.alerting.intake import Intake
from kanhu.cloud.alerting.listening import Listening
from kanhu.cloud.alerting.pipeline import Judge
from kanhu.cloud.alerting.silence import Watch
from kanhu.cloud.ingest.asking import Asking
from kanhu.cloud.ingest.door import Found, Letter, Message, Refused, examine, senders
from kanhu.cloud.ingest.gathered import Gathered
from kanhu.cloud.ingest.inbox import Dropped
from kanhu.cloud.ingest.quarantine import quarantine
from kanhu.cloud.ingest.states import StatesAnswer, take_states
from kanhu.cloud.ingest.when import county_time_ms, last_heartbeat, timeline_needed, timeline_told
from kanhu.cloud.ledger.counters import count
from kanhu.cloud.ledger.coverage import Coverage, read_coverage, receipt
from kanhu.cloud.ledger.segments import Keyed, store
from kanhu.cloud.ledger.tally import count_received, take_told
from kanhu.cloud.ledger.untimed import hold, release
from kanhu.cloud.ledger.values import Reading
from kanhu.cloud.ledger.writer import Transaction
from kanhu.cloud.nameless.judging import judge_session
from kanhu.cloud.people.register import enrolled_among
from kanhu.contract import (
    ContractError,
    Finding,
    GatewayState,
    Observation,
    Receipt,
    Refusal,
    RefusalReason,
    StatesAsked,
    StatesSent,
    Status,
)
from kanhu.contract.status import Tally

_ANSWERABLE = frozenset({RefusalReason.WRONG_GATEWAY.value, RefusalReason.NOT_STORABLE.value})


_Answer = Receipt | StatesAnswer | None


@dataclass(frozen=True, slots=True)
class Answers:
    """What may be sent once the transaction is committed."""

    receipts: list[Receipt]
    states: list[StatesAnswer] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ingest:
    """What taking a message needs besides the transaction."""

    intake: Intake
    watch: Watch
    faults: Faults
    listening: Listening
    asking: Asking = field(default_factory=Asking)

    def take(self, transaction: Transaction, messages: Sequence[Message]) -> Answers:
        """Take messages in order; answers with what to send once this is committed."""
        self.listening.heard()
        receipts: dict[tuple[str, str], Receipt] = {}
        states: list[StatesAnswer] = []
        for answer in self._together(transaction, messages):
            if isinstance(answer, Receipt):
                key = (answer.gateway, answer.epoch)
                before = receipts.get(key)
                receipts[key] = answer if before is None else _joined(before, answer)
            elif answer is not None:
                states.append(answer)
        self.asking.close(lambda status: _coverage(transaction.connection, status))
        return Answers(list(receipts.values()), states)

    def turned_away(self, transaction: Transaction, dropped: Dropped) -> None:
        """So many messages of each gateway found no room while others were stored."""
        count(transaction.connection, {"ingest.no_room": dropped.messages.total()})
        self.faults.turned_away(transaction, dropped.over_own)

    def _together(self, transaction: Transaction, messages: Sequence[Message]) -> list[_Answer]:
        """What each of these is answered with."""
        revision, connection = transaction.revision, transaction.connection
        enrolled = enrolled_among(connection, senders(messages))
        try:
            with connection.begin_nested():
                gathered = Gathered()
                answers = [self._take(transaction, examine(one, enrolled=enrolled), one, gathered) for one in messages]
                for session in gathered.write(connection, timezone=self.intake.policy.timezone):
                    judge_session(transaction, self.intake, session)
                return answers
        except (IntegrityError, DataError, InterfaceError, ContractError, OverflowError, ValueError) as error:
            transaction.revision = revision
            if len(messages) == 1:
                refused = _not_storable(examine(messages[0], enrolled=enrolled), str(error))
                return [self._refuse(transaction, messages[0], refused)]
        half = len(messages) // 2
        return self._together(transaction, messages[:half]) + self._together(transaction, messages[half:])

    def _take(self, transaction: Transaction, found: Found | Refused, message: Message, gathered: Gathered) -> _Answer:
        if isinstance(found, Refused):
            return self._refuse(transaction, message, found)
        if isinstance(found, Status):
            return self._status(transaction, message, found, gathered)
        if isinstance(found, StatesSent | StatesAsked):
            heartbeat = last_heartbeat(transaction.connection, found.gateway)
            return take_states(transaction, found, in_use="" if heartbeat is None else heartbeat[0].epoch)
        return self._store(transaction, message, found, gathered)

    def _store(self, transaction: Transaction, message: Message, letter: Letter, gathered: Gathered) -> Receipt:
        connection, envelope = transaction.connection, letter.envelope
        stored = store(connection, envelope, wire=message.body, lane=letter.lane.value, now_ms=transaction.now_ms)
        key = {"gateway": envelope.gateway, "epoch": envelope.epoch}
        count_received(connection, stored.fresh, **key, coverage=stored.coverage, now_ms=transaction.now_ms)
        timeline = timeline_needed(connection, envelope.gateway, stored.fresh, now_ms=transaction.now_ms)
        readings = [
            Reading(envelope.gateway, envelope.epoch, seq, record, transaction.now_ms, timeline)
            for seq, record in stored.fresh
            if isinstance(record, Observation)
        ]
        if timeline is not None:  # else each of them knows its time, and nobody need be asked
            hold(connection, [reading for reading in readings if reading.is_pending()])
            readings = [reading for reading in readings if not reading.is_pending()]
        gathered.readings += readings
        gathered.add(envelope.gateway, stored.fresh)
        # A finding under a known key with other bytes may come from a copied card: it is a call for help all the same.
        self._findings(transaction, envelope.gateway, (*stored.fresh, *stored.conflicts))
        gathered.amounts["ingest.envelopes"] += 1
        gathered.amounts["ingest.records"] += len(stored.fresh)
        gathered.amounts["ingest.redelivered"] += stored.redelivered
        gathered.amounts["ingest.conflicts"] += len(stored.conflicts)
        return receipt(
            stored.coverage,
            gateway=envelope.gateway,
            epoch=envelope.epoch,
            now_ms=transaction.now_ms,
            fresh=(seq for seq, _ in envelope.records),
        )

    def _findings(self, transaction: Transaction, gateway: str, records: Sequence[Keyed]) -> None:
        findings = [record for _, record in records if isinstance(record, Finding)]
        if not findings:
            return
        heartbeat = last_heartbeat(transaction.connection, gateway)
        for finding in findings:
            at_ms = county_time_ms(finding.times, heartbeat, now_ms=transaction.now_ms)
            self.intake.take(transaction, finding, gateway=gateway, at_ms=at_ms, judge=Judge.GATEWAY)

    def _status(self, transaction: Transaction, message: Message, status: Status, gathered: Gathered) -> Receipt | None:
        if message.retained:
            count(transaction.connection, {"ingest.retained_status_ignored": 1})
            return _greeting(transaction, status)
        self.watch.heard(transaction, status)
        if isinstance(status.tally, Tally):
            key = {"gateway": status.gateway, "epoch": status.epoch}
            coverage = _coverage(transaction.connection, status)
            take_told(transaction.connection, status.tally, **key, coverage=coverage, now_ms=transaction.now_ms)
        if status.state is not GatewayState.ONLINE:
            return None
        self.faults.heard(transaction, status)
        connection, now_ms = transaction.connection, transaction.now_ms
        timeline = timeline_told(status, now_ms=now_ms)
        gathered.readings += release(connection, gateway=status.gateway, timeline=timeline, now_ms=now_ms)
        self.asking.heard(status, now_ms=now_ms)
        coverage = _coverage(connection, status)
        return receipt(coverage, gateway=status.gateway, epoch=status.epoch, now_ms=now_ms, heard_ns=status.mono_ns)

    def _refuse(self, transaction: Transaction, message: Message, refused: Refused) -> Receipt | None:
        quarantine(transaction, message, refused)
        if refused.gateway is None or refused.span is None or refused.reason not in _ANSWERABLE:
            return None
        count(transaction.connection, {"ingest.refused": 1})
        coverage = read_coverage(transaction.connection, gateway=refused.gateway, epoch=refused.epoch)
        return receipt(
            coverage,
            gateway=refused.gateway,
            epoch=refused.epoch,
            now_ms=transaction.now_ms,
            refused=(Refusal(*refused.span, RefusalReason(refused.reason)),),
        )


def _greeting(transaction: Transaction, status: Status) -> Receipt | None:
    """For a gateway that connected first and whose outbox the county has not heard of, so that it was not greeted."""
    known = last_heartbeat(transaction.connection, status.gateway)
    if status.state is not GatewayState.ONLINE or (known is not None and known[0].epoch == status.epoch):
        return None
    coverage = read_coverage(transaction.connection, gateway=status.gateway, epoch=status.epoch)
    return receipt(coverage, gateway=status.gateway, epoch=status.epoch, now_ms=transaction.now_ms)


def _coverage(connection: Connection, status: Status) -> Coverage:
    return read_coverage(connection, gateway=status.gateway, epoch=status.epoch)


def _not_storable(found: Found | Refused, detail: str) -> Refused:
    reason = RefusalReason.NOT_STORABLE.value
    if isinstance(found, Letter):
        records = found.envelope.records
        span = (records[0][0], records[-1][0])
        return Refused(reason, detail, found.envelope.gateway, found.envelope.epoch, span)
    return Refused(reason, detail)


def _joined(before: Receipt, after: Receipt) -> Receipt:
    """One receipt for two: the later coverage, the refusals of both, and the heartbeat that either answers."""
    refused, heard_ns = (*before.refused, *after.refused), max(before.heard_ns, after.heard_ns)
    return msgspec.structs.replace(after, refused=refused, heard_ns=heard_ns)
