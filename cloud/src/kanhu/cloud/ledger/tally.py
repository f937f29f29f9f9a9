"""Readings by resident: received, late, owed, lost, and whether they add up to what the gateway accepted.

A gateway says, at a number of its outbox, how many readings of each resident it accepted, how many of them were
confirmed and how many gaps name. The county counts what it stores. Of the readings up to that number

    there + owed + lost + missing = accepted

holds exactly, where both count from the same record on: the gateway says from which, and a county that counts from
another begins again there as long as few have come behind it; else nothing is compared. `missing` is 0 where neither
side has lost a reading without a word. Above 0: so many that the gateway deleted on a receipt are not in the ledger.
Below 0: so many more are there than were accepted, as a copied card makes.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.counters import count
from kanhu.cloud.ledger.coverage import Coverage
from kanhu.cloud.ledger.segments import Keyed, records_between
from kanhu.cloud.ledger.upsert import upsert
from kanhu.contract import METRICS, ClockState, MetricKind, Observation, SeqRanges, SubjectKind, decode_status
from kanhu.contract.status import ReadingCount, Tally

LATE_EVENT_MS = 5_000
"""A press, or another event: staff are to see it within 5 s (docs/alerts.md)."""
LATE_MS = 120_000
"""Any other reading: a gateway sends routine readings every 60 s (docs/gateway.md, `routine_s`), so two rounds."""
MOST_READ = 5_000
"""Records read again to compare what was told: what came between its counting and its arrival is a few."""
MOST_NAMED = 512
"""Residents of one outbox counted by themselves; others together, so that a gateway that lies fills no disk."""
MOST_OUTBOXES = 16
"""Of one gateway, for the same reason: a new card a year. Of more, the one longest unused is forgotten."""

_LAST_SEQ = 2**63 - 1
_USED_AGAIN_MS = 3_600_000  # noted no oftener: a write for each message would buy nothing
_SYNCED_MS = 1_000  # a synchronised clock is believed to a second: docs/spec/time.md
_TABLE = schema.tally
_ADD = insert(_TABLE)
_COUNT = _ADD.on_conflict_do_update(
    index_elements=["gateway", "epoch", "resident"],
    set_={
        "received": _TABLE.c.received + _ADD.excluded.received,
        "late": _TABLE.c.late + _ADD.excluded.late,
        "counted": _TABLE.c.counted + _ADD.excluded.counted,
    },
)
_KEEP = upsert(_TABLE)
_OF_OUTBOX = (_TABLE.c.gateway == bindparam("of")) & (_TABLE.c.epoch == bindparam("in_epoch"))
_ROWS = select(_TABLE).where(_OF_OUTBOX)
_NAMED = select(func.count()).select_from(_TABLE).where(_OF_OUTBOX)
_BEGIN_AGAIN = update(_TABLE).where(_OF_OUTBOX).values(counted=0)
_FORGET = delete(_TABLE).where(_OF_OUTBOX)
_OUTBOX = schema.tally_outbox
_KEEP_OUTBOX = upsert(_OUTBOX)
_READ_OUTBOX = select(_OUTBOX.c.since, _OUTBOX.c.used_ms).where(
    _OUTBOX.c.gateway == bindparam("of"), _OUTBOX.c.epoch == bindparam("in_epoch")
)
_LONGEST_UNUSED = select(_OUTBOX.c.epoch).where(_OUTBOX.c.gateway == bindparam("of")).order_by(_OUTBOX.c.used_ms.desc())
_FORGET_OUTBOX = delete(_OUTBOX).where(_OUTBOX.c.gateway == bindparam("of"), _OUTBOX.c.epoch == bindparam("in_epoch"))
_STATUSES = select(schema.gateway.c.id, schema.gateway.c.status).where(
    schema.gateway.c.id.in_(bindparam("gateways", expanding=True)), schema.gateway.c.status.is_not(None)
)
_ADD_TO_ROW = (
    update(_TABLE)
    .where(_OF_OUTBOX, _TABLE.c.resident == bindparam("who"))
    .values({_TABLE.c[name]: _TABLE.c[name] + bindparam(f"more_{name}") for name in ("received", "late", "counted")})
)


@dataclass(frozen=True, slots=True)
class ResidentTally:
    """Of one resident and outbox; an empty name stands for all others."""

    gateway: str
    epoch: str
    resident: str
    received: int
    late: int
    counted: int
    """Of those received, the ones behind the number from which the gateway counts."""
    told_ms: int | None
    """When the gateway last told; the five below are of that moment."""
    accepted: int
    there: int
    owed: int
    lost: int
    missing: int


@dataclass(frozen=True, slots=True)
class Total:
    """Of several outboxes together."""

    received: int
    late: int
    owed: int
    lost: int
    missing: int
    """So many do not add up, of whichever sign: what one outbox lacks no other makes up for."""
    not_known: int
    """What outboxes that are not in use any more still had when they were last heard."""


def is_late(observation: Observation, *, received_ms: int) -> bool:
    """Whether a reading certainly took longer than its kind is promised; not where its time is not known."""
    times = observation.times
    if times.latest_ms is not None:
        latest_ms = times.latest_ms
    elif times.clock is ClockState.SYNCED:
        latest_ms = times.arrival_ms + _SYNCED_MS
    else:
        return False
    is_event = METRICS[observation.metric].kind is MetricKind.EVENT
    return received_ms - latest_ms > (LATE_EVENT_MS if is_event else LATE_MS)


def count_received(
    connection: Connection, records: Sequence[Keyed], *, gateway: str, epoch: str, coverage: Coverage, now_ms: int
) -> None:
    """Count what was stored anew; with it, `coverage` is what is stored of this outbox."""
    only_these = len(records) == _behind(coverage.stored, 0)
    since = _counted_since(connection, gateway=gateway, epoch=epoch, only_these=only_these, now_ms=now_ms)
    received: Counter[str] = Counter()
    late: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    for seq, record in records:
        if isinstance(record, Observation):
            whose = _whose(record)
            received[whose] += 1
            late[whose] += is_late(record, received_ms=now_ms)
            counted[whose] += since is not None and seq > since
    for whose, amount in received.items():
        row = {"received": amount, "late": late[whose], "counted": counted[whose]}
        _count(connection, row, gateway=gateway, epoch=epoch, whose=whose)


def take_told(
    connection: Connection, tally: Tally, *, gateway: str, epoch: str, coverage: Coverage, now_ms: int
) -> None:
    """Compare what a gateway says of an outbox with what is stored of it."""
    key = {"of": gateway, "in_epoch": epoch}
    nothing_yet = not _behind(coverage.stored, 0)
    since = _counted_since(connection, gateway=gateway, epoch=epoch, only_these=nothing_yet, now_ms=now_ms)
    after_all = _both(coverage.gaps, coverage.stored, above=tally.since, upto=tally.seq)
    highest = max((last for _, last in coverage.stored), default=0)
    if (
        highest - tally.seq > MOST_READ
        or sum(last - first + 1 for first, last in after_all) > MOST_READ
        or (since != tally.since and not _count_again(connection, coverage, **key, since=tally.since, now_ms=now_ms))
    ):
        count(connection, {"tally.not_compared": 1})
        return
    rows = {row.resident: row for row in connection.execute(_ROWS, key)}
    beyond = _by_resident(connection, [(max(tally.seq, tally.since) + 1, _LAST_SEQ)], gateway=gateway, epoch=epoch)
    named_and_there = _by_resident(connection, after_all, gateway=gateway, epoch=epoch)
    named = {one.resident for one in tally.residents if one.resident}
    there = Counter({name: row.counted for name, row in rows.items()})
    there.subtract(beyond)
    for counts in (there, named_and_there):  # whom the gateway does not count by name, it counts among the others
        for name in counts.keys() - named - {""}:
            counts[""] += counts.pop(name)
    for one in tally.residents:
        row = rows.get(one.resident)
        names = ("received", "late", "counted")
        known = dict.fromkeys(names, 0) if row is None else {name: getattr(row, name) for name in names}
        found = _compared(one, there=there[one.resident], arrived_after_all=named_and_there[one.resident])
        connection.execute(
            _KEEP,
            {"gateway": gateway, "epoch": epoch, "resident": one.resident, "told_ms": now_ms, **known, **found},
        )


def tallies(connection: Connection, *, resident: str | None = None) -> list[ResidentTally]:
    """Those of one resident, or all of them; by gateway, outbox and resident."""
    wanted = select(_TABLE).order_by(_TABLE.c.gateway, _TABLE.c.epoch, _TABLE.c.resident)
    rows = connection.execute(wanted if resident is None else wanted.where(_TABLE.c.resident == resident))
    return [ResidentTally(**row._mapping) for row in rows]  # the public name of a row's columns


def total(connection: Connection, found: Sequence[ResidentTally]) -> Total:
    """All of these together; what a card that was taken out still had is not owed by anybody any more."""
    rows = connection.execute(_STATUSES, {"gateways": sorted({one.gateway for one in found})})
    in_use = {row.id: decode_status(row.status).epoch for row in rows}
    owed = Counter[bool]()
    for one in found:
        owed[in_use.get(one.gateway, one.epoch) == one.epoch] += one.owed
    received, late, lost = (sum(getattr(one, name) for one in found) for name in ("received", "late", "lost"))
    return Total(received, late, owed[True], lost, sum(abs(one.missing) for one in found), owed[False])


def as_table(found: Iterable[ResidentTally]) -> Iterator[str]:
    """A head and one line a resident; what no gateway told is a dash."""
    head = ("gateway", "epoch", "resident", "received", "late", "accepted", "there", "owed", "lost", "missing")
    yield "".join(f"{name:>12}" for name in head)
    for one in found:
        told = (one.accepted, one.there, one.owed, one.lost, one.missing)
        cells = ("-",) * len(told) if one.told_ms is None else told
        known = (one.gateway, one.epoch[:8], one.resident or "(others)", one.received, one.late)
        yield "".join(f"{cell:>12}" for cell in (*known, *cells))


def as_json(found: Iterable[ResidentTally]) -> Iterator[str]:
    """One JSON line a resident."""
    return (json.dumps(asdict(one), ensure_ascii=False) for one in found)


def _compared(told: ReadingCount, *, there: int, arrived_after_all: int) -> dict[str, int]:
    lost = told.lost - arrived_after_all
    left = told.accepted - there - lost
    owed = min(max(0, left), max(0, told.owed))  # part of what it holds may be stored, its receipt on the way
    return {"accepted": told.accepted, "there": there, "owed": owed, "lost": lost, "missing": left - owed}


def _counted_since(connection: Connection, *, gateway: str, epoch: str, only_these: bool, now_ms: int) -> int | None:
    """Behind which number this outbox is counted; None where it was stored in part before anybody counted."""
    key = {"of": gateway, "in_epoch": epoch}
    row = connection.execute(_READ_OUTBOX, key).first()
    if row is None:
        for old in list(connection.scalars(_LONGEST_UNUSED, {"of": gateway}))[MOST_OUTBOXES - 1 :]:
            connection.execute(_FORGET, {"of": gateway, "in_epoch": old})
            connection.execute(_FORGET_OUTBOX, {"of": gateway, "in_epoch": old})
            count(connection, {"tally.forgotten": 1})
    elif now_ms - row.used_ms < _USED_AGAIN_MS:
        since: int | None = row.since
        return since
    since = row.since if row is not None else 0 if only_these else None
    connection.execute(_KEEP_OUTBOX, {"gateway": gateway, "epoch": epoch, "since": since, "used_ms": now_ms})
    return since


def _count_again(
    connection: Connection, coverage: Coverage, *, of: str, in_epoch: str, since: int, now_ms: int
) -> bool:
    """Count from there on instead; not where so many came behind it, or are deleted, that they cannot be read again."""
    behind = _behind(coverage.stored, since)
    key = {"gateway": of, "epoch": in_epoch}
    if behind > MOST_READ:
        return False
    records = list(records_between(connection, **key, first=since + 1, last=_LAST_SEQ)) if behind else []
    if len(records) != behind:
        return False
    connection.execute(_BEGIN_AGAIN, {"of": of, "in_epoch": in_epoch})
    for whose, amount in Counter(_whose(one) for _, one in records if isinstance(one, Observation)).items():
        _count(connection, {"received": 0, "late": 0, "counted": amount}, **key, whose=whose)
    connection.execute(_KEEP_OUTBOX, {**key, "since": since, "used_ms": now_ms})
    return True


def _count(connection: Connection, amounts: Mapping[str, int], *, gateway: str, epoch: str, whose: str) -> None:
    key = {"of": gateway, "in_epoch": epoch}
    more = {f"more_{name}": amount for name, amount in amounts.items()}
    if connection.execute(_ADD_TO_ROW, {**key, "who": whose, **more}).rowcount:
        return
    name = whose if connection.execute(_NAMED, key).scalar_one() < MOST_NAMED else ""
    connection.execute(_COUNT, {"gateway": gateway, "epoch": epoch, "resident": name, **amounts})


def _behind(stored: SeqRanges, since: int) -> int:
    return sum(last - max(first, since + 1) + 1 for first, last in stored if last > since)


def _both(gaps: SeqRanges, stored: SeqRanges, *, above: int, upto: int) -> list[tuple[int, int]]:
    """Numbers that a gap names and that came all the same."""
    found = []
    left, right = list(gaps), list(stored)
    at = on = 0
    while at < len(left) and on < len(right):
        first, last = max(left[at][0], right[on][0], above + 1), min(left[at][1], right[on][1], upto)
        if first <= last:
            found.append((first, last))
        if left[at][1] < right[on][1]:
            at += 1
        else:
            on += 1
    return found


def _by_resident(connection: Connection, spans: Sequence[tuple[int, int]], *, gateway: str, epoch: str) -> Counter[str]:
    return Counter(
        _whose(record)
        for first, last in spans
        if first <= last
        for _, record in records_between(connection, gateway=gateway, epoch=epoch, first=first, last=last)
        if isinstance(record, Observation)
    )


def _whose(observation: Observation) -> str:
    return observation.subject.id if observation.subject.kind is SubjectKind.RESIDENT else ""
