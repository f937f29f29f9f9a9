"""What a county promises in docs/spec/, asked one sentence at a time.

A clause sends something, then something honest behind it on the same topic: once that is answered, what was sent
before has been dealt with, and no clause has to wait for silence.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Flag, auto
from functools import partial

from kanhu.contract import Envelope, GatewayState, Lane, Receipt, Up, encode_envelope, record_digest
from kanhu.contract.receipt import MAX_RANGES, encode_receipt
from kanhu.harness.conform.bench import Bench
from kanhu.harness.conform.readings import Maker
from kanhu.harness.conform.spoiled import SPOILED, Spoiled, sealed
from kanhu.harness.conform.virtual_gateway import ClauseBroken, VirtualGateway, names

__all__ = ["CLAUSES", "Clause", "Needs"]

FIRST, SECOND, QUIET, NOBODY = "conform-01", "conform-02", "conform-03", "conform-nobody"
ENROLLED = (FIRST, SECOND, QUIET)
"""What a county under test has to know; NOBODY it must not know."""

_MANY = 2101
_DAY_MS = 86_400_000
_QUIET_S = 0.5


class Needs(Flag):
    """What a clause needs besides the broker's address."""

    NOTHING = 0
    LEDGER = auto()
    RESTART = auto()


@dataclass(frozen=True, slots=True)
class Clause:
    """One sentence of the specification, and how it is asked."""

    name: str
    page: str
    says: str
    """A passage of that page, word for word."""
    ask: Callable[[Bench], Awaitable[None]]
    needs: Needs = Needs.NOTHING


async def _stores(bench: Bench) -> None:
    async with bench.gateway(FIRST) as gateway:
        await gateway.send(bench.maker(FIRST).readings(1, 3))
        receipt = await gateway.answered((1, 2, 3))
        _expect(receipt.contiguous == 3, f"contiguous is {receipt.contiguous}, not 3")


async def _compressions(bench: Bench, *, compression: int) -> None:
    async with bench.gateway(FIRST) as gateway:
        envelope = Envelope(FIRST, gateway.epoch, tuple(bench.maker(FIRST).readings(1, 5)))
        await gateway.send_bytes(sealed(envelope, compression=compression))
        await gateway.answered(range(1, 6))


async def _cumulative(bench: Bench) -> None:
    maker = bench.maker(FIRST)
    async with bench.gateway(FIRST) as gateway:
        await gateway.send(maker.readings(3, 4))
        receipt = await gateway.answered((3, 4))
        _expect(receipt.contiguous == 0, f"contiguous is {receipt.contiguous} where 1 and 2 never came")
        _expect((3, 4) in receipt.ranges, f"ranges are {list(receipt.ranges)}, not [(3, 4)]")
        await gateway.send(maker.readings(1, 2))
        receipt = await gateway.answered((1, 2, 3, 4))
        _expect(receipt.contiguous == 4, f"contiguous is {receipt.contiguous}, not 4, once the hole is filled")


async def _beat_is_answered(bench: Bench) -> None:
    async with bench.gateway(FIRST) as gateway:
        await gateway.send(bench.maker(FIRST).readings(1, 2))
        await gateway.answered((1, 2))
        before = len(gateway.receipts)
        await gateway.beat()
        await gateway.until(
            lambda receipt: receipt.epoch == gateway.epoch and names(receipt, 2),
            "a heartbeat was answered with no receipt",
            after=before,
        )


async def _time_is_told(bench: Bench) -> None:
    asked_ns = 123_456_789_000
    async with bench.gateway(FIRST) as gateway:
        await gateway.send_bytes(gateway.status(mono_ns=asked_ns), lane=Up.STATUS)
        receipt = await gateway.until(
            lambda receipt: receipt.epoch == gateway.epoch and receipt.heard_ns == asked_ns,
            "no receipt names the mono_ns of the heartbeat again",
        )
        _expect(receipt.county_ms > 0, "the receipt that names it says no county_ms")


async def _refuses(bench: Bench, *, spoiled: Spoiled) -> None:
    maker = bench.maker(FIRST)
    async with bench.gateway(FIRST) as gateway:
        await gateway.send_bytes(spoiled.make(Envelope(FIRST, gateway.epoch, ((1, maker.reading(1)),))))
        await _honest_after(gateway, maker, 5000)
        _not_named(gateway, 1)


async def _wrong_gateway(bench: Bench) -> None:
    maker = bench.maker(SECOND)
    async with bench.gateway(FIRST) as gateway:
        await gateway.send_bytes(encode_envelope(Envelope(SECOND, gateway.epoch, ((1, maker.reading(1)),))))
        receipt = await gateway.until(
            lambda receipt: receipt.epoch == gateway.epoch and bool(receipt.refused),
            "an envelope of another gateway was not refused",
        )
        reasons = {refusal.reason.value for refusal in receipt.refused if refusal.first <= 1 <= refusal.last}
        _expect(reasons == {"wrong_gateway"}, f"refused as {sorted(reasons)}, not as wrong_gateway")
        _not_named(gateway, 1)


async def _unknown_gateway(bench: Bench) -> None:
    async with bench.gateway(NOBODY) as nobody, bench.gateway(FIRST) as gateway:
        await nobody.send(bench.maker(NOBODY).readings(1, 1))
        await _honest_after(gateway, bench.maker(FIRST), 1)
        await asyncio.sleep(_QUIET_S)  # topics of two gateways have no order between them
        _not_named(nobody, 1)
        if bench.ledger is not None:
            stored = [row for row in await bench.ledger.rows() if row.gateway == NOBODY]
            _expect(not stored, f"{len(stored)} records of a gateway that is not enrolled are in the ledger")


async def _epochs(bench: Bench) -> None:
    maker = bench.maker(FIRST)
    async with bench.gateway(FIRST) as old, bench.gateway(FIRST) as new:
        await old.send(maker.readings(1, 4))
        await old.answered((1, 2, 3, 4))
        await new.send(maker.readings(2, 2))
        receipt = await new.answered((2,))
        _expect(not names(receipt, 1), "a number of one epoch was taken for the same number of another")


async def _own_topic(bench: Bench) -> None:
    async with bench.gateway(FIRST) as first, bench.gateway(SECOND) as second:
        await first.send(bench.maker(FIRST).readings(1, 1))
        await first.answered((1,))
        await second.send(bench.maker(SECOND).readings(1, 1))
        await second.answered((1,))
        wrong = [each.gateway for each in second.receipts if each.gateway != SECOND]
        _expect(not wrong, f"receipts for {wrong} came on the topic of {SECOND}")


async def _fields(bench: Bench) -> None:
    async with bench.gateway(FIRST) as gateway:
        await gateway.send(bench.maker(FIRST).readings(1, 1))
        receipt = await gateway.answered((1,))
        _expect(receipt.version == 1, f"version is {receipt.version}")
        _expect(receipt.gateway == FIRST, f"gateway is {receipt.gateway!r}")
        away_ms = abs(receipt.county_ms - bench.clock.wall_ms())
        _expect(not receipt.county_ms or away_ms < _DAY_MS, f"county_ms is {away_ms} ms from this machine's clock")


async def _many_ranges(bench: Bench) -> None:
    maker = bench.maker(FIRST)
    async with bench.gateway(FIRST) as gateway:
        odd = [(seq, maker.reading(seq)) for seq in range(1, 2 * _MANY, 2)]
        await gateway.send(odd)
        receipt = await gateway.answered((1,))
        _check_ranges(receipt)
        await gateway.send([(seq, maker.reading(seq)) for seq in range(2, 2 * _MANY, 2)])
        await gateway.until(
            lambda receipt: receipt.epoch == gateway.epoch and receipt.contiguous == 2 * _MANY - 1,
            f"contiguous did not reach {2 * _MANY - 1}",
        )


def _check_ranges(receipt: Receipt) -> None:
    _expect(len(receipt.ranges) <= MAX_RANGES, f"{len(receipt.ranges)} ranges, limit {MAX_RANGES}")
    _expect(len(encode_receipt(receipt)) <= 61_440, "the receipt is over 61,440 bytes")
    rising = all(first[1] < second[0] for first, second in zip(receipt.ranges, receipt.ranges[1:], strict=False))
    _expect(rising, "ranges do not rise")


async def _gap(bench: Bench) -> None:
    maker = bench.maker(FIRST)
    async with bench.gateway(FIRST) as gateway:
        await gateway.send([(1, maker.reading(1)), (6, maker.gap(2, 5))])
        receipt = await gateway.answered((1, 6))
        _expect(receipt.contiguous == 6, f"contiguous is {receipt.contiguous} though a gap names 2 to 5")
        await gateway.send([(3, maker.reading(3)), (7, maker.reading(7))])
        await gateway.answered((7,))
        if bench.ledger is not None:
            stored = await _stored(bench, gateway)
            _expect(3 in stored, "a record that a gap had named came after all and is not in the ledger")


async def _all_records(bench: Bench) -> None:
    maker = bench.maker(FIRST)
    records = ((1, maker.reading(1)), (2, maker.waveform()), (3, maker.finding()), (4, maker.gap(9, 9)))
    async with bench.gateway(FIRST) as gateway:
        await gateway.send(records, lane=Lane.ALERT)
        await gateway.answered((1, 2, 3, 4))
        if bench.ledger is not None:
            stored = await _stored(bench, gateway)
            wrong = [seq for seq, record in records if stored.get(seq) != {record_digest(record).hex()}]
            _expect(not wrong, f"records {wrong} are in the ledger with other bytes")


async def _unset_clock(bench: Bench) -> None:
    maker = bench.maker(FIRST)
    async with bench.gateway(FIRST) as gateway:
        await gateway.send([(1, maker.reading(1)), (2, maker.unset(2)), (3, maker.unset(3)), (4, maker.reading(4))])
        await gateway.answered((1, 2, 3, 4))


async def _lanes(bench: Bench) -> None:
    maker = bench.maker(FIRST)
    async with bench.gateway(FIRST) as gateway:
        for seq, lane in enumerate(Lane, start=1):
            await gateway.send(maker.readings(seq, seq), lane=lane)
        await gateway.answered((1, 2, 3))


async def _status_grows(bench: Bench) -> None:
    async with bench.gateway(FIRST) as gateway:
        grown = gateway.status()[:-1] + b',"mood":"good"}'
        await gateway.send_bytes(grown, lane=Up.STATUS)
        await gateway.until(
            lambda receipt: receipt.epoch == gateway.epoch, "a status with a field more was answered with no receipt"
        )


async def _status_nonsense(bench: Bench) -> None:
    async with bench.gateway(FIRST) as gateway, bench.gateway(SECOND) as second:
        await gateway.send_bytes(b"{nonsense", lane=Up.STATUS)
        foreign = second.status()
        await gateway.send_bytes(foreign, lane=Up.STATUS)
        await gateway.beat()
        await gateway.until(lambda receipt: receipt.epoch == gateway.epoch, "no heartbeat is answered after nonsense")
        lied = [each for each in (*gateway.receipts, *second.receipts) if each.epoch == second.epoch]
        _expect(not lied, f"a status of {SECOND} on the topic of {FIRST} was answered")


async def _redelivery(bench: Bench) -> None:
    maker = bench.maker(FIRST)
    first = maker.readings(1, 3)
    async with bench.gateway(FIRST) as gateway:
        await gateway.send(first)
        await gateway.send(first)
        await gateway.send([*first[1:], (4, maker.reading(4))], lane=Lane.BACKFILL)
        await gateway.answered((1, 2, 3, 4))
        times = await _times(bench, gateway)
        _expect(times == {1: 1, 2: 1, 3: 1, 4: 1}, f"in the ledger, as often as: {dict(sorted(times.items()))}")


async def _conflict(bench: Bench) -> None:
    maker = bench.maker(FIRST)
    one, other = maker.reading(1), maker.reading(1001)
    async with bench.gateway(FIRST) as gateway:
        await gateway.send([(1, one)])
        await gateway.answered((1,))
        await gateway.send([(1, other), (2, maker.reading(2))])
        await gateway.answered((1, 2))
        held = (await _stored(bench, gateway)).get(1, set())
        both = {record_digest(one).hex(), record_digest(other).hex()}
        _expect(held == both, f"of two records with one name the ledger holds {len(held & both)}")


async def _commit_first(bench: Bench) -> None:
    maker = bench.maker(SECOND)
    for again in range(bench.crashes):
        first, last = 20 * again + 1, 20 * again + 20
        async with bench.gateway(SECOND) as gateway:
            await gateway.send(maker.readings(first, last))
            await gateway.answered(range(first, last + 1))
            await bench.kill_and_start()  # at once: what was promised has to be on the disk
            stored = await _stored(bench, gateway)
        missing = [seq for seq in range(first, last + 1) if seq not in stored]
        _expect(not missing, f"killed right after a receipt, {len(missing)} of 20 named records are gone")
        await bench.listens(SECOND)


async def _greets(bench: Bench) -> None:
    async with bench.gateway(FIRST) as gateway:
        await gateway.beat()
        await gateway.send(bench.maker(FIRST).readings(1, 2))
        await gateway.answered((1, 2))
        before = len(gateway.receipts)
        await bench.kill_and_start()
        await gateway.until(
            lambda receipt: receipt.epoch == gateway.epoch and receipt.contiguous == 2,
            "a county that came back sent no receipt by itself",
            after=before,
        )


async def _retained(bench: Bench) -> None:
    async with bench.gateway(QUIET) as gateway:
        await bench.kill()
        await gateway.beat()  # retained; nobody listens
        await bench.start()
        await gateway.until(
            lambda receipt: receipt.epoch == gateway.epoch,
            "a retained status of an epoch it had not heard of was answered with no receipt",
        )


async def _stopped(bench: Bench) -> None:
    async with bench.gateway(QUIET) as gateway:
        await gateway.beat(state=GatewayState.STOPPED)
        await gateway.beat()
        await gateway.until(lambda receipt: receipt.epoch == gateway.epoch, "no receipt after stopped and online")


async def _honest_after(gateway: VirtualGateway, maker: Maker, seq: int) -> None:
    """Something honest on the same topic, answered: the county has dealt with what came before it."""
    await gateway.send([(seq, maker.reading(seq))])
    await gateway.answered((seq,))


def _not_named(gateway: VirtualGateway, seq: int) -> None:
    named = any(receipt.epoch == gateway.epoch and names(receipt, seq) for receipt in gateway.receipts)
    _expect(not named, f"a receipt accounts for record {seq}, which had to be refused")


async def _stored(bench: Bench, gateway: VirtualGateway) -> dict[int, set[str]]:
    stored: dict[int, set[str]] = {}
    for row in await bench.rows_of(gateway):
        stored.setdefault(row.seq, set()).add(row.sha256)
    return stored


async def _times(bench: Bench, gateway: VirtualGateway) -> Counter[int]:
    return Counter(row.seq for row in await bench.rows_of(gateway))


def _expect(holds: bool, otherwise: str) -> None:  # the condition is the argument
    if not holds:
        raise ClauseBroken(otherwise)


_COMPRESSIONS = ("uncompressed", "zstd", "zstd-dictionary")

CLAUSES = (
    Clause("stores", "receipt.md", "It is repeated after each envelope", _stores),
    *(
        Clause(name, "envelope.md", "00 none, 01 zstd, 02 zstd with the shipped dictionary",
               partial(_compressions, compression=number))
        for number, name in enumerate(_COMPRESSIONS)
    ),
    Clause("cumulative", "receipt.md", "every number from 1 to this one is accounted for; 0 if none", _cumulative),
    Clause("heartbeat-answered", "receipt.md", "and on each heartbeat, so a lost one harms nothing", _beat_is_answered),
    Clause("tells-the-time", "receipt.md", "the receipt names it again as `heard_ns`", _time_is_told),
    Clause("receipt-fields", "receipt.md", "a msgpack array of at most 61,440 bytes", _fields),
    Clause("own-topic", "receipt.md", "The county's answer to one gateway about one epoch", _own_topic),
    Clause("many-ranges", "receipt.md", "stored beyond that; at most 2000, the lowest first", _many_ranges),
    Clause("three-lanes", "topics.md", "It does not change what a record means.", _lanes),
    Clause("four-records", "records.md", "A record is one of four: an observation, a waveform, a finding, a gap.",
           _all_records),
    Clause("clock-of-1970", "time.md", "Records of one envelope need not rise in `arrival_ms`.", _unset_clock),
    Clause("epochs-apart", "identity.md", "Its numbers begin at 1 and collide with nothing.", _epochs),
    Clause("gap", "gap.md", "The county counts the numbers named by a stored gap as accounted for", _gap),
    Clause("wrong-gateway", "identity.md", "Otherwise the envelope is refused as `wrong_gateway`", _wrong_gateway),
    Clause("unknown-gateway", "receipt.md", "the gateway is not enrolled", _unknown_gateway),
    *(
        Clause(f"refuses-{each.name}", each.page, each.says, partial(_refuses, spoiled=each))
        for each in SPOILED
    ),
    Clause("status-grows", "status.md", "A reader ignores fields it does not know.", _status_grows),
    Clause("status-nonsense", "status.md", "the id in the topic", _status_nonsense),
    Clause("stopped", "status.md", "the gateway ended on purpose", _stopped),
    Clause("redelivery", "identity.md", "It counts it and stores nothing.", _redelivery, Needs.LEDGER),
    Clause("conflict", "identity.md", "It keeps both and raises an event.", _conflict, Needs.LEDGER),
    Clause("commit-first", "receipt.md", "A receipt never runs ahead of the ledger.", _commit_first,
           Needs.LEDGER | Needs.RESTART),
    Clause("greets", "receipt.md", "Each time the county has subscribed it sends each gateway it knows the receipt",
           _greets, Needs.RESTART),
    Clause("retained-status", "receipt.md", "A retained status of another epoch is answered too.", _retained,
           Needs.RESTART),
)  # fmt: skip  # one row each
