"""The receiver greets whoever waits, ends when told to, and comes back, even with a client that swallows."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest

from kanhu.cloud.broker.child import BrokerChild
from kanhu.cloud.ingest import receiver as receiver_module
from kanhu.cloud.ingest.door import Message
from kanhu.cloud.ingest.greeting import GATEWAYS_A_BATCH, greetings
from kanhu.cloud.ingest.inbox import Dropped, Inbox
from kanhu.cloud.ingest.receiver import LinkState, Receiver
from kanhu.contract import Down, FakeClock, GatewayState, Receipt, SystemClock, decode_receipt, down_topic
from tests.cloud.town import EPOCH, Town, envelope, finding, heartbeat, oximetry
from tests.cloud.waiting import until


class SwallowingClient:
    """A client whose publish loses a cancellation, as `asyncio.wait_for` of Python 3.11 may."""

    made: list["SwallowingClient"] = []  # noqa: RUF012  # one list for the test that looks at it

    def __init__(self, *_: object, **__: object) -> None:
        self.lost = asyncio.Event()
        self.publishing = asyncio.Event()
        self.made.append(self)

    async def __aenter__(self) -> "SwallowingClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.lost.is_set():
            raise aiomqtt.MqttError("disconnect timed out")

    async def subscribe(self, *_: object, **__: object) -> tuple[int, ...]:
        """Granted."""
        return (0,)

    async def publish(self, *_: object, **__: object) -> None:
        """Wait for ever, and take a cancellation for an answer."""
        self.publishing.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    @property
    async def messages(self) -> AsyncIterator[aiomqtt.Message]:
        """One heartbeat, then the loss of the connection."""
        beat = heartbeat("home-01", SystemClock().wall_ms())
        yield aiomqtt.Message(beat.topic, beat.body, 1, False, 1, None)  # as the client makes it
        await self.lost.wait()
        raise aiomqtt.MqttError("connection lost")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[SwallowingClient]:
    monkeypatch.setattr(SwallowingClient, "made", [])
    monkeypatch.setattr(receiver_module, "_Client", SwallowingClient)
    return SwallowingClient.made


@pytest.mark.parametrize("loss_first", ["connected", "lost"])
async def test_a_swallowed_cancellation_does_not_keep_the_receiver(
    town: Town, made: list[SwallowingClient], loss_first: str
) -> None:
    clock = SystemClock()
    receiver = Receiver(lambda: "mqtt://127.0.0.1:1", town.county.ingest, writer=town.county.writer, clock=clock)
    running = asyncio.create_task(receiver.run())
    await until(lambda: bool(made) and made[0].publishing.is_set())
    if loss_first == "lost":
        made[0].lost.set()
        await until(lambda: len(made) == 2 and made[1].publishing.is_set())
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=10)
    assert done
    assert running.cancelled()


class RecordingClient:
    """A client that keeps what is published and is lost when told to."""

    made: list["RecordingClient"] = []  # noqa: RUF012  # one list for the test that looks at it

    def __init__(self, *_: object, **__: object) -> None:
        self.lost = asyncio.Event()
        self.subscribed = False
        self.receipts: list[Receipt] = []
        self.nothing: list[aiomqtt.Message] = []
        self.made.append(self)

    async def __aenter__(self) -> "RecordingClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing to do."""

    async def subscribe(self, *_: object, **__: object) -> tuple[int, ...]:
        """From now on it listens."""
        self.subscribed = True
        return (0,)

    async def publish(self, topic: str, payload: bytes, **_: object) -> None:
        """Keep it."""
        assert self.subscribed, "a greeting before the subscription invites what nobody hears"
        receipt = decode_receipt(payload)
        assert topic == down_topic(receipt.gateway, Down.RECEIPT)
        self.receipts.append(receipt)
        await asyncio.sleep(0)

    @property
    async def messages(self) -> AsyncIterator[aiomqtt.Message]:
        """None, then the loss of the connection."""
        await self.lost.wait()
        for message in self.nothing:
            yield message
        raise aiomqtt.MqttError("connection lost")


class RefusedClient(SwallowingClient):
    """A client whose broker answers a subscription by refusing it, as one with other rights does."""

    async def subscribe(self, *_: object, **__: object) -> tuple[int, ...]:
        """Not granted."""
        return (128,)


async def test_a_county_that_may_not_subscribe_does_not_call_itself_connected(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver_module, "_Client", RefusedClient)
    receiver = Receiver(
        lambda: "mqtt://127.0.0.1:1", town.county.ingest, writer=town.county.writer, clock=SystemClock()
    )
    running = asyncio.create_task(receiver.run())
    try:
        await until(lambda: receiver.state is LinkState.BACKING_OFF)
        assert "does not let the county subscribe" in receiver.detail
    finally:
        running.cancel()
        await asyncio.wait([running], timeout=10)


async def test_every_subscription_begins_with_the_receipt_of_every_gateway(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RecordingClient, "made", [])
    monkeypatch.setattr(receiver_module, "_Client", RecordingClient)
    made, homes = RecordingClient.made, 2 * GATEWAYS_A_BATCH + 1
    town = Town(tmp_path / "county", clock, homes=homes)
    names = {f"home-{n:02}" for n in range(1, homes + 1)}
    town.beat(*sorted(names))
    town.send((1, oximetry(clock.wall_ms(), 97)), (2, oximetry(clock.wall_ms(), 96)), gateway="home-07")
    town.send((1, oximetry(clock.wall_ms(), 97)), gateway="home-07", epoch="f" * 32)  # of a card long gone
    receiver = Receiver(
        lambda: "mqtt://127.0.0.1:1", town.county.ingest, writer=town.county.writer, clock=SystemClock()
    )
    running = asyncio.create_task(receiver.run())
    try:
        for connection in range(2):
            await until(lambda: len(made) == connection + 1 and len(made[connection].receipts) >= homes)  # noqa: B023
            receipts = made[connection].receipts
            assert Counter(receipt.gateway for receipt in receipts) == Counter(names), "once each"
            assert {receipt.epoch for receipt in receipts} == {EPOCH}
            assert {receipt.gateway: receipt.contiguous for receipt in receipts}["home-07"] == 2
            made[connection].lost.set()
    finally:
        running.cancel()
        await asyncio.wait([running], timeout=10)
        town.stop()


async def test_an_answer_that_cannot_be_sent_costs_nobody_else_the_county(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    class RefusingClient(RecordingClient):
        async def publish(self, topic: str, payload: bytes, **named: object) -> None:
            if topic == down_topic("home-01", Down.RECEIPT):
                raise ValueError("Payload too large.")
            await super().publish(topic, payload, **named)

    monkeypatch.setattr(RecordingClient, "made", [])
    monkeypatch.setattr(receiver_module, "_Client", RefusingClient)
    town.beat("home-01", "home-02", "home-03")
    receiver = Receiver(
        lambda: "mqtt://127.0.0.1:1", town.county.ingest, writer=town.county.writer, clock=SystemClock()
    )
    running = asyncio.create_task(receiver.run())
    try:
        await until(lambda: bool(RecordingClient.made) and len(RecordingClient.made[0].receipts) == 2)
        assert {receipt.gateway for receipt in RecordingClient.made[0].receipts} == {"home-02", "home-03"}
        await until(lambda: town.counter("ingest.not_told") == 1)
        assert receiver.state is LinkState.CONNECTED
    finally:
        running.cancel()
        await asyncio.wait([running], timeout=10)


def test_a_retained_status_of_an_outbox_not_heard_of_is_answered_with_a_receipt(town: Town) -> None:
    now_ms = town.clock.wall_ms()
    (receipt,) = town.deliver(heartbeat("home-01", now_ms, retained=True))
    assert (receipt.gateway, receipt.epoch, receipt.contiguous) == ("home-01", EPOCH, 0)
    assert town.deliver(heartbeat("home-02", now_ms, retained=True, state=GatewayState.LOST)) == []
    town.beat("home-01")
    assert town.deliver(heartbeat("home-01", now_ms, retained=True)) == [], "it was greeted"


def test_a_gateway_never_heard_of_by_heartbeat_is_greeted_for_what_it_sent(town: Town) -> None:
    town.send((1, oximetry(town.clock.wall_ms(), 97)), gateway="home-02")
    batch = town.county.writer.run(lambda transaction: greetings(transaction, after=""))
    assert [(receipt.gateway, receipt.contiguous) for receipt in batch.receipts] == [("home-02", 1)]
    assert batch.after is None


@pytest.mark.broker
async def test_who_published_before_the_county_listens_is_told_so_by_a_real_broker(town: Town) -> None:
    clock = SystemClock()
    broker = BrokerChild(town.folder / "broker", clock)
    await broker.start()
    receiver = Receiver(lambda: broker.url, town.county.ingest, writer=town.county.writer, clock=clock)
    town.beat("home-01")
    listening: asyncio.Task[None] | None = None
    try:
        async with aiomqtt.Client("127.0.0.1", broker.port, identifier="home-01") as gateway:
            await gateway.subscribe(down_topic("home-01", Down.RECEIPT))
            alert = envelope((1, finding(clock.wall_ms())), lane="alert")
            await gateway.publish(alert.topic, alert.body, qos=1)
            listening = asyncio.create_task(receiver.run())
            async with asyncio.timeout(20):
                async for message in gateway.messages:
                    if decode_receipt(message.payload).contiguous == 1:
                        break
                    assert not town.lines(), "it went into the void"
                    await gateway.publish(alert.topic, alert.body, qos=1)
        assert [line.seq for line in town.lines()] == [1]
    finally:
        if listening is not None:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        await broker.stop()


def _numbered(number: int, lane: str) -> Message:
    return Message(f"kanhu/v1/up/home-{number:02}/{lane}", b"", retained=False)


async def test_a_call_for_help_waits_for_no_heartbeat_and_everything_else_keeps_its_order() -> None:
    inbox = Inbox(100, most_each=50, turn=50)
    lanes = ("status", "live", "alert", "backfill", "alert", "status")
    came = [_numbered(number, lane) for number, lane in enumerate(lanes)]
    for message in came:
        inbox.put(message)
    assert await inbox.take(3) == [came[2], came[4], came[0]]
    assert await inbox.take(100) == [came[1], came[3], came[5]]


async def test_a_flood_of_alerts_leaves_a_quarter_for_heartbeats_and_takes_it_where_none_wait() -> None:
    inbox = Inbox(100, most_each=50, turn=50)
    for number in range(40):
        inbox.put(_numbered(number, "alert"))
    for number in range(6):
        inbox.put(_numbered(number, "status"))
    taken = [[message.topic.rpartition("/")[2] for message in await inbox.take(16)] for _ in range(3)]
    assert taken[0] == 12 * ["alert"] + 4 * ["status"]
    assert taken[1] == 14 * ["alert"] + 2 * ["status"]
    assert taken[2] == 14 * ["alert"]


async def test_a_full_inbox_still_has_room_for_alerts_and_counts_what_it_drops() -> None:
    inbox = Inbox(2, most_each=2, turn=2)
    for number in range(5):
        inbox.put(_numbered(number, "status"))
    inbox.put(_numbered(9, "alert"))
    assert [message.topic for message in await inbox.take(9)] == [
        "kanhu/v1/up/home-09/alert",
        "kanhu/v1/up/home-00/status",
        "kanhu/v1/up/home-01/status",
    ]
    assert inbox.dropped() == Dropped(Counter({"home-02": 1, "home-03": 1, "home-04": 1})), "nobody is over its own"
    assert inbox.dropped() == Dropped()


async def test_only_what_is_over_its_own_room_is_told_of_a_gateway() -> None:
    inbox = Inbox(5, most_each=3, turn=2)
    for number in (1, 1, 1, 1, 2, 2, 2, 1, 3):
        inbox.put(_numbered(number, "live"))
    assert inbox.dropped() == Dropped(Counter({"home-01": 2, "home-02": 1, "home-03": 1}), Counter({"home-01": 2}))


@pytest.mark.parametrize("lane", ["alert", "live"])
async def test_one_that_has_gone_wild_waits_for_itself_and_for_nobody_else(lane: str) -> None:
    inbox = Inbox(1_000, most_each=50, turn=3)
    for _ in range(1_000):
        inbox.put(_numbered(66, lane))
    for number in range(5):
        inbox.put(_numbered(number, lane))
    taken = [[message.topic for message in await inbox.take(100)] for _ in range(2)]
    assert [len(each) for each in taken] == [3 + 5, 3], "all the others are through at once"
    assert inbox.dropped() == Dropped(Counter({"home-66": 950}), Counter({"home-66": 950}))


async def test_whose_turn_did_not_come_is_first_the_next_time() -> None:
    inbox = Inbox(100, most_each=50, turn=2)
    for _ in range(4):
        for number in range(3):
            inbox.put(_numbered(number, "live"))
    taken = [[message.topic[12:19] for message in await inbox.take(3)] for _ in range(4)]
    assert taken == [
        ["home-00", "home-00", "home-01"],
        ["home-02", "home-02", "home-00"],
        ["home-01", "home-01", "home-02"],
        ["home-00", "home-01", "home-02"],
    ]


async def test_what_names_no_gateway_shares_one_turn() -> None:
    inbox = Inbox(100, most_each=5, turn=2)
    for number in range(9):
        inbox.put(Message(f"somewhere/else/{number}", b"", retained=False))
    inbox.put(_numbered(1, "live"))
    assert len(await inbox.take(100)) == 3
    assert inbox.dropped().over_own == {"": 4}


async def test_who_waits_for_a_message_gets_it_when_it_comes() -> None:
    inbox = Inbox(2, most_each=2, turn=2)
    waiting = asyncio.create_task(inbox.take(9))
    await asyncio.sleep(0)
    assert not waiting.done()
    inbox.put(_numbered(1, "live"))
    assert len(await waiting) == 1
