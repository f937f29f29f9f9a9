"""Whatever comes from the wire is stored, or kept in quarantine with a named reason; honest gateways never notice."""

import asyncio
from collections.abc import Iterable
from functools import partial
from random import Random

import aiomqtt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kanhu.cloud.broker.child import BrokerChild
from kanhu.cloud.ingest import gathered, quarantine
from kanhu.cloud.ingest.door import Message
from kanhu.cloud.ingest.receiver import LinkState, Receiver
from kanhu.cloud.ledger import values
from kanhu.contract import Down, FakeClock, RefusalReason, SystemClock, decode_receipt, down_topic
from kanhu.contract.envelope import MAX_ENVELOPE_BYTES
from tests.cloud.town import EPOCH, Town, envelope, finding, heartbeat, oximetry
from tests.cloud.waiting import until

_LANES = ("alert", "live", "backfill", "status")


def _random_bodies(count: int) -> list[bytes]:
    """Noise, noise behind an honest header, and honest messages with one byte changed or cut short."""
    draw = Random(7)
    honest = envelope((1, oximetry(1_772_409_600_000, 97)), (2, finding(1_772_409_600_000))).body
    bodies = []
    for number in range(count):
        noise = draw.randbytes(draw.choice([0, 1, 3, 40, 500]))
        spoiled = bytearray(honest)
        spoiled[draw.randrange(len(honest))] ^= draw.randrange(1, 256)
        kinds = (
            noise,
            honest[:4] + noise,
            honest[: draw.randrange(len(honest))],
            bytes(spoiled),
            b'{"version":1' + noise,
        )
        bodies.append(kinds[number % len(kinds)])
    return bodies


def _has_taken(town: Town, messages: int) -> bool:
    return _quarantined(town) + town.counter("ingest.envelopes") >= messages


@pytest.mark.broker
async def test_a_thousand_hostile_messages_on_every_topic_leave_honest_ones_alone(town: Town) -> None:
    clock = SystemClock()
    broker = BrokerChild(town.folder / "broker", clock)
    await broker.start()
    receiver = Receiver(lambda: broker.url, town.county.ingest, writer=town.county.writer, clock=clock)
    listening = asyncio.create_task(receiver.run())
    try:
        await until(lambda: receiver.state is LinkState.CONNECTED)
        async with aiomqtt.Client("127.0.0.1", broker.port, identifier="anybody") as client:
            await client.subscribe(down_topic("home-01", Down.RECEIPT))
            bodies = _random_bodies(1000)
            for number, body in enumerate(bodies):
                gateway = ("home-01", "home-02", "nobody", "BAD_NAME")[number % 4]
                await client.publish(f"kanhu/v1/up/{gateway}/{(*_LANES, 'other')[number % 5]}", body, qos=0)
                if number % 100 == 50:
                    honest = envelope((number, oximetry(town.clock.wall_ms(), 97)))
                    await client.publish(honest.topic, honest.body, qos=1)
                if number % 100 == 99:  # of one gateway no more waits than there is room for: nothing has to come again
                    sent = number + 1 + (number + 1) // 100
                    await until(partial(_has_taken, town, sent), patience_s=60)
            assert town.counter("ingest.no_room") == 0
            receipt = decode_receipt(await _last_receipt(client, holding=950))
        assert receipt.epoch == EPOCH
        stored = {line.seq for line in town.lines()}
        assert {50 + 100 * number for number in range(10)} <= stored
        assert len(town.table("quarantine")) <= quarantine.KEPT_MESSAGES
        assert receiver.state is LinkState.CONNECTED
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await broker.stop()


@pytest.mark.broker
async def test_a_retained_status_from_before_is_no_heartbeat_on_a_real_broker(town: Town) -> None:
    clock = SystemClock()
    broker = BrokerChild(town.folder / "broker", clock)
    await broker.start()
    receiver = Receiver(lambda: broker.url, town.county.ingest, writer=town.county.writer, clock=clock)
    try:
        async with aiomqtt.Client("127.0.0.1", broker.port, identifier="home-01") as gateway:
            old = heartbeat("home-01", town.clock.wall_ms() - 1000)
            await gateway.publish(old.topic, old.body, qos=1, retain=True)
            listening = asyncio.create_task(receiver.run())
            await until(lambda: town.counter("ingest.retained_status_ignored") == 1)
            assert {row[4] for row in town.table("gateway")} == {None}
            fresh = heartbeat("home-01", town.clock.wall_ms())
            await gateway.publish(fresh.topic, fresh.body, qos=1, retain=True)
            await until(lambda: any(row[4] is not None for row in town.table("gateway")))
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    finally:
        await broker.stop()


@pytest.mark.broker
async def test_the_receiver_comes_back_by_itself_after_the_broker_was_gone(town: Town) -> None:
    clock = SystemClock()
    broker = BrokerChild(town.folder / "broker", clock)
    await broker.start()
    receiver = Receiver(lambda: broker.url, town.county.ingest, writer=town.county.writer, clock=clock)
    listening = asyncio.create_task(receiver.run())
    try:
        await until(lambda: receiver.state is LinkState.CONNECTED)
        await broker.stop()
        await until(lambda: receiver.state is LinkState.BACKING_OFF)
        await until(lambda: town.county.ingest.listening.deaf)
        await broker.start()
        await until(lambda: receiver.state is LinkState.CONNECTED)
        async with aiomqtt.Client("127.0.0.1", broker.port, identifier="home-01") as gateway:
            honest = envelope((1, oximetry(town.clock.wall_ms(), 97)))
            await gateway.publish(honest.topic, honest.body, qos=1)
            await until(lambda: len(town.lines()) == 1)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await broker.stop()


async def test_the_receiver_does_not_wait_for_whoever_takes_its_call_and_hangs_up(town: Town) -> None:
    """As a relay before a dead broker does: fifteen seconds of patience would be fifteen of deafness."""
    calls = 0

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    url = f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    receiver = Receiver(lambda: url, town.county.ingest, writer=town.county.writer, clock=SystemClock())
    listening = asyncio.create_task(receiver.run())
    try:
        await until(lambda: calls >= 3, patience_s=10)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        server.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    gateway=st.sampled_from(["home-01", "nobody", "UPPER", "a/b"]),
    lane=st.sampled_from([*_LANES, "other", ""]),
    body=st.binary(max_size=200) | st.sampled_from(_random_bodies(40)),
    retained=st.booleans(),
)
def test_any_bytes_are_taken_or_quarantined_never_a_crash(
    town: Town, gateway: str, lane: str, body: bytes, retained: bool
) -> None:
    before = _quarantined(town) + town.counter("ingest.envelopes")
    town.deliver(Message(f"kanhu/v1/up/{gateway}/{lane}", body, retained))
    assert _quarantined(town) + town.counter("ingest.envelopes") == before + 1


def test_wrong_gateway_in_the_body_is_refused_with_its_range(town: Town, clock: FakeClock) -> None:
    honest = envelope((4, oximetry(clock.wall_ms(), 97)), (9, oximetry(clock.wall_ms(), 97)), gateway="home-02")
    (answer,) = town.deliver(Message("kanhu/v1/up/home-01/live", honest.body, retained=False))
    (refusal,) = answer.refused
    assert (answer.gateway, refusal.first, refusal.last) == ("home-01", 4, 9)
    assert refusal.reason is RefusalReason.WRONG_GATEWAY
    assert not town.lines()
    assert _reasons(town) == {"wrong_gateway": 1}


def test_a_gateway_nobody_enrolled_is_kept_in_quarantine_and_not_answered(town: Town, clock: FakeClock) -> None:
    assert town.send((1, oximetry(clock.wall_ms(), 97)), gateway="stranger") == []
    assert _reasons(town) == {"unknown_gateway": 1}


def test_a_status_of_another_gateway_is_no_heartbeat(town: Town, clock: FakeClock) -> None:
    said = heartbeat("home-02", clock.wall_ms())
    town.deliver(Message("kanhu/v1/up/home-01/status", said.body, retained=False))
    assert _reasons(town) == {"wrong_gateway": 1}
    assert {row[4] for row in town.table("gateway")} == {None}


def test_an_envelope_over_the_limit_is_kept_in_part(town: Town) -> None:
    town.deliver(Message("kanhu/v1/up/home-01/live", b"KH" + bytes(2 * MAX_ENVELOPE_BYTES), retained=False))
    ((_, _, _, reason, _, size, _, body),) = town.table("quarantine")
    assert (reason, size, len(body)) == ("too_large", 2 * MAX_ENVELOPE_BYTES + 2, quarantine.KEPT_BYTES)


def test_quarantine_is_bounded_and_its_counters_are_not(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "KEPT_MESSAGES", 5)
    town.deliver(*(Message("kanhu/v1/up/home-01/live", bytes([number]), retained=False) for number in range(20)))
    assert len(town.table("quarantine")) == 5
    assert _quarantined(town) == 20


def test_what_sql_cannot_hold_is_refused_alone(town: Town, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that breaks while it is stored takes nothing with it, and its gateway is told the range."""
    honest = values.keep_values

    def breaks(connection: object, readings: object, **settings: object) -> None:
        found = list(readings)  # type: ignore[call-overload]  # any iterable of readings
        if any(reading.gateway == "home-02" for reading in found):
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        honest(connection, found, **settings)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(gathered, "keep_values", breaks)
    now_ms = clock.wall_ms()
    answers = town.deliver(envelope((1, oximetry(now_ms, 97))), envelope((3, oximetry(now_ms, 97)), gateway="home-02"))
    assert [(answer.contiguous, [refusal.reason for refusal in answer.refused]) for answer in answers] == [
        (1, []),
        (0, [RefusalReason.NOT_STORABLE]),
    ]
    assert [line.gateway for line in town.lines()] == ["home-01"]


def test_of_many_taken_together_those_that_sql_cannot_hold_cost_the_others_nothing(
    town: Town, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two in a hundred: every other is stored once, counted once and answered, and a call for help is one alert."""
    honest = values.keep_values

    def breaks(connection: object, readings: Iterable[values.Reading], **settings: object) -> None:
        found = list(readings)
        if any(reading.seq in {17, 83} for reading in found):
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        honest(connection, found, **settings)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(gathered, "keep_values", breaks)
    now_ms = clock.wall_ms()
    (answer,) = town.deliver(
        envelope((1, finding(now_ms)), lane="alert"),
        *(envelope((seq, oximetry(now_ms + seq, 97))) for seq in range(2, 101)),
    )
    assert [(refusal.first, refusal.last) for refusal in answer.refused] == [(17, 17), (83, 83)]
    assert [line.seq for line in town.lines()] == [seq for seq in range(1, 101) if seq not in {17, 83}]
    assert (town.counter("ingest.records"), town.counter("ingest.envelopes")) == (98, 98)
    assert (_reasons(town), len(town.board())) == ({"not_storable": 2}, 1)
    assert sum(row[6] for row in town.table("minute") if row[1] == "spo2") == 97


def test_a_status_that_grows_over_the_limit_when_written_out_is_refused_alone(town: Town, clock: FakeClock) -> None:
    """Short JSON of very many devices: read within the limit, and beyond it with every default in its place."""
    devices = ",".join(['{"device":"a","kind":"b","connected":true}'] * 1200)
    said = f'{{"version":1,"gateway":"home-02","epoch":"{EPOCH}","state":"online","sent_ms":5,"devices":[{devices}]}}'
    (answer,) = town.deliver(
        Message("kanhu/v1/up/home-02/status", said.encode(), retained=False),
        envelope((1, oximetry(clock.wall_ms(), 97))),
    )
    assert (answer.gateway, answer.contiguous) == ("home-01", 1)
    assert _reasons(town) == {"not_storable": 1}


def _quarantined(town: Town) -> int:
    return sum(_reasons(town).values())


def _reasons(town: Town) -> dict[str, int]:
    counters = {str(name): int(value) for name, value in town.table("counter")}
    return {name.removeprefix("quarantine."): v for name, v in counters.items() if name.startswith("quarantine.")}


async def _last_receipt(client: aiomqtt.Client, *, holding: int) -> bytes:
    async with asyncio.timeout(20):
        async for message in client.messages:
            receipt = decode_receipt(message.payload)
            if any(first <= holding <= last for first, last in receipt.ranges):
                return message.payload
    raise AssertionError
