"""A call for help while the card takes no writes: it leaves from memory, is marked, and is counted once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from kanhu.contract import Finding, Lane, Receipt, Record, Refusal, RefusalReason, decode_envelope
from kanhu.contract.receipt import RECEIPT_VERSION
from kanhu.gateway import OutboxFailed, OutboxFull
from kanhu.gateway.unwritten import MEMORY_ONLY, Unwritten
from tests.gateway.broker import Broker
from tests.gateway.county import County
from tests.gateway.records import heart_rate, sos
from tests.gateway.sender import Sender, until


def receipt(kept: Unwritten, *, stored: int = 0, refused: tuple[Refusal, ...] = ()) -> Receipt:
    return Receipt(RECEIPT_VERSION, "home-03", kept.epoch, stored, (), refused)


def sent(kept: Unwritten) -> dict[int, Record]:
    return {seq: record for parcel in kept.parcels() for seq, record in decode_envelope(parcel.wire).records}


def test_each_record_is_sent_alone_marked_and_again_until_the_county_answers() -> None:
    kept = Unwritten("home-03")
    assert kept.keep([heart_rate(1), sos(1)])
    assert sent(kept) == sent(kept) == {
        1: heart_rate(1), 2: msgspec.structs.replace(sos(1), actions=(*sos(1).actions, MEMORY_ONLY)),
    }  # fmt: skip  # two lines say it
    assert all(len(parcel.seqs) == 1 for parcel in kept.parcels())
    kept.settle(receipt(kept, stored=1))
    assert list(sent(kept)) == [2]
    assert kept.settle(receipt(kept, stored=1, refused=(Refusal(2, 2, RefusalReason.NOT_STORABLE),))) == 1
    assert len(kept) == 0
    assert [seq for seq, _ in kept.take_settled()] == [1]
    assert kept.take_settled() == []


def test_what_a_broker_has_had_is_never_written_to_the_card_as_well() -> None:
    kept = Unwritten("home-03")
    kept.keep([sos(1)])
    sent(kept)
    kept.keep([sos(2)])
    assert kept.take_waiting() == [sos(2)]
    assert list(sent(kept)) == [1]


def test_memory_for_such_is_bounded_and_keeps_the_oldest() -> None:
    kept = Unwritten("home-03")
    while kept.keep([sos(1)]):
        assert len(kept) <= 200
    assert len(kept) == 200
    assert not kept.keep([sos(2)])
    kept.settle(receipt(kept, stored=200))
    assert len(kept) == 200, "only what was sent can be settled"


@pytest.fixture
def broker(tmp_path: Path, free_ports: Callable[[], int]) -> Iterator[Broker]:
    made = Broker(tmp_path / "broker", free_ports())
    made.start()
    yield made
    made.kill()


@pytest.fixture
async def sender(tmp_path: Path, broker: Broker) -> AsyncIterator[Sender]:
    made = Sender(tmp_path / "outbox.db", broker.port)
    yield made
    await made.end()


@pytest.mark.broker
async def test_it_reaches_the_county_beside_what_the_card_holds(sender: Sender, broker: Broker) -> None:
    async with County(broker.port) as county:
        await sender.accept([heart_rate(1)])
        sender.start()
        await sender.settled()
        assert sender.uplink.carry([sos(7)])
        await until(lambda: not sender.uplink.unwritten)
        (found,) = county.apart[sender.uplink.unwritten.epoch].values()
        assert isinstance(found, Finding)
        assert (found.alert_id, found.actions[-1]) == (sos(7).alert_id, MEMORY_ONLY)
        assert county.stored == {1: heart_rate(1)}
        assert county.conflicts == 0


@pytest.mark.broker
@pytest.mark.parametrize("trouble", [OutboxFull("full"), OutboxFailed("EIO")])
async def test_the_link_stands_while_the_card_neither_deletes_nor_takes_notes(
    sender: Sender, broker: Broker, monkeypatch: pytest.MonkeyPatch, trouble: OutboxFull | OutboxFailed
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise trouble

    sender.heartbeat_s = 0.05
    async with County(broker.port) as county:
        await sender.accept([sos(1)], lane=Lane.ALERT)
        with monkeypatch.context() as card:
            card.setattr(sender.outbox, "settle", fails)
            card.setattr(sender.outbox, "remember", fails)
            sender.start()
            await until(lambda: county.stored)
            assert sender.uplink.carry([sos(2)])
            await until(lambda: not sender.uplink.unwritten)
            await asyncio.sleep(0.2)  # a few heartbeats
            assert (await sender.owed()).total == 1
            assert not sender.uplink.ends
        await sender.accept([sos(3)], lane=Lane.ALERT)
        await sender.settled()
        assert not sender.uplink.ends
