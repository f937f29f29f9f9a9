"""What a county may ask of a gateway: what it can name, and nothing else."""

import asyncio
from collections.abc import Callable, Iterable

import pytest

from kanhu.contract import Ask, Lane, Request, encode_request
from kanhu.contract.request import MAX_LIVE_MINUTES, REQUEST_VERSION
from kanhu.gateway import Outbox, OutboxFailed
from tests.gateway.broker import Broker
from tests.gateway.county import County
from tests.gateway.records import heart_rate, sos
from tests.gateway.sender import Sender, until

pytestmark = pytest.mark.broker

MakeSender = Callable[..., Sender]


def resend(sender: Sender, *ranges: tuple[int, int], number: int = 7, epoch: str | None = None) -> bytes:
    asked = Request(REQUEST_VERSION, "home-03", number, Ask.RESEND.value, epoch or sender.epoch, ranges)
    return encode_request(asked)


async def hear(sender: Sender, wires: Iterable[bytes], *, number: int) -> None:
    """Hand bytes over as the topic does, and wait until the last of them was done."""
    for wire in wires:
        sender.uplink.requests.hear(wire)
    await until(lambda: number in sender.uplink.requests.taken)


async def test_what_is_asked_for_is_sent_again_behind_what_is_new_and_alerts_by_their_lane(
    broker: Broker, sender: MakeSender
) -> None:
    gateway = sender(broker.port)
    async with County(broker.port) as county:
        gateway.start()
        seqs = await gateway.accept([heart_rate(number) for number in range(1200)])
        (alert,) = await gateway.accept([sos(1)], lane=Lane.ALERT)
        await gateway.settled()
        had = dict(county.stored)
        county.stored = {seq: record for seq, record in had.items() if seq <= 100}
        county.order.clear()
        county.arrivals.clear()
        await hear(gateway, [resend(gateway, (101, 2**63 - 1))], number=7)
        await gateway.settled()
        assert county.stored == had
        assert county.conflicts == 0
        assert set(county.arrivals) == {*seqs[100:], alert}, "what it has is not sent"
        assert [lane for lane, sent in county.order if alert in sent] == [Lane.ALERT]
        assert {lane for lane, sent in county.order if alert not in sent} == {Lane.BACKFILL}
        assert await gateway.committer.call(Outbox.kept) == 1201
        assert gateway.uplink.notes.values["requests"] == 1
    assert not gateway.uplink.ends


async def test_what_the_county_has_is_settled_by_its_receipt_and_not_sent(broker: Broker, sender: MakeSender) -> None:
    gateway = sender(broker.port, routine_s=0.05)
    async with County(broker.port) as county:
        gateway.start()
        await gateway.accept([heart_rate(number) for number in range(300)])
        await gateway.settled()
        await hear(gateway, [resend(gateway, (1, 300), number=number) for number in (1, 2, 2, 1)], number=2)
        await county.send_receipt("home-03", gateway.epoch)
        await gateway.settled()
        assert county.conflicts == 0
        assert await gateway.committer.call(Outbox.kept) == 300


async def test_bytes_of_any_kind_are_counted_and_change_nothing(broker: Broker, sender: MakeSender) -> None:
    gateway = sender(broker.port)
    async with County(broker.port) as county:
        gateway.start()
        await gateway.accept([heart_rate(number) for number in range(10)])
        await gateway.settled()
        foreign = encode_request(Request(REQUEST_VERSION, "home-04", 3, Ask.RESEND.value, gateway.epoch, ((1, 9),)))
        dance = encode_request(Request(REQUEST_VERSION, "home-03", 4, "dance", gateway.epoch, ((1, 9),)))
        gone = resend(gateway, (1, 9), number=5, epoch="f" * 32)
        await hear(gateway, [b"", b"\xc1", foreign, dance, gone], number=5)
        assert gateway.uplink.requests.taken == (5,), "of a card that is gone nothing is left to do"
        values = gateway.uplink.notes.values
        assert (values["bad_requests"], values["unknown_requests"]) == (2, 2)
        assert (await gateway.owed()).total == 0
        assert max(county.arrivals.values()) == 1


async def test_a_request_that_the_card_does_not_take_up_is_not_named_and_may_come_again(
    broker: Broker, sender: MakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = asyncio.Event()

    def fails(*_: object, **__: object) -> None:
        tried.set()
        raise OutboxFailed("EIO")

    gateway = sender(broker.port)
    async with County(broker.port) as county:
        gateway.start()
        await gateway.accept([heart_rate(number) for number in range(10)])
        await gateway.settled()
        county.stored.clear()
        with monkeypatch.context() as card:
            card.setattr(Outbox, "owe_again", fails)
            gateway.uplink.requests.hear(resend(gateway, (1, 10)))
            await until(tried.is_set)
        await hear(gateway, [resend(gateway, (1, 10), number=8)], number=8)
        await until(lambda: len(county.stored) == 10)
        assert 7 not in gateway.uplink.requests.taken
        await gateway.settled()


def live(minutes: int, *, resident: str = "", number: int) -> bytes:
    return encode_request(
        Request(REQUEST_VERSION, "home-03", number, Ask.LIVE.value, minutes=minutes, resident=resident)
    )


async def test_what_is_asked_again_and_again_takes_no_place_from_another(broker: Broker, sender: MakeSender) -> None:
    gateway = sender(broker.port)
    for _ in range(20):
        gateway.uplink.requests.hear(resend(gateway, (1, 300)))
    async with County(broker.port):
        gateway.start()
        await hear(gateway, [live(10, number=8)], number=8)
        gateway.uplink.requests.hear(resend(gateway, (1, 300)))
        await hear(gateway, [live(10, number=9)], number=9)
        assert gateway.uplink.requests.taken == (7, 8, 9)


async def test_a_live_view_sends_as_readings_come_for_the_person_asked_for_and_no_longer_than_bounded(
    broker: Broker, sender: MakeSender
) -> None:
    gateway = sender(broker.port, routine_s=3600)
    async with County(broker.port) as county:
        gateway.start()
        await gateway.accept([heart_rate(1)])
        await gateway.settled()
        await hear(gateway, [live(10, resident="r-0009", number=1)], number=1)
        await gateway.accept([heart_rate(2)])
        await hear(gateway, [live(10, resident="r-0003", number=2)], number=2)
        assert set(county.stored) == {1}, "it waits for its hour: another person was asked for"
        await gateway.accept([heart_rate(3)])
        await gateway.settled(within_s=10)
        assert set(county.stored) == {1, 2, 3}
        assert {lane for lane, _ in county.order} == {Lane.LIVE}
        await hear(gateway, [live(0, number=3)], number=3)
        await gateway.accept([heart_rate(4)])
        senders, now_ns = gateway.uplink._senders, gateway.clock.mono_ns()
        assert senders._routine_due_ns > now_ns + 3000 * 10**9, "its own rhythm again"
        await hear(gateway, [live(10**6, number=4)], number=4)
        assert senders._live_until_ns <= gateway.clock.mono_ns() + MAX_LIVE_MINUTES * 60 * 10**9
