"""The uplink against a real broker and a small county: everything accepted arrives, whatever fails between."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from kanhu.contract import DeviceStatus, Gap, GatewayState, Lane, Status
from kanhu.contract.status import ReadingCount, Tally
from kanhu.gateway.outbox import Outbox
from kanhu.gateway.parcels import SealedParcel
from kanhu.gateway.senders import Senders
from kanhu.gateway.uplink import SessionEnd
from tests.gateway.broker import Broker, Link
from tests.gateway.county import County
from tests.gateway.records import heart_rate, sos
from tests.gateway.sender import Sender, until

pytestmark = pytest.mark.broker

MakeSender = Callable[..., Sender]


async def test_receipts_empty_the_outbox(broker: Broker, sender: MakeSender) -> None:
    async with County(broker.port) as county:
        gateway = sender(broker.port)
        gateway.start()
        records = [heart_rate(number) for number in range(250)]
        seqs = await gateway.accept(records)
        await gateway.settled()
        assert county.stored == dict(zip(seqs, records, strict=True))


async def test_without_a_receipt_everything_is_kept_and_the_link_is_renewed(broker: Broker, sender: MakeSender) -> None:
    async with County(broker.port, answers=False) as county:
        gateway = sender(broker.port)
        gateway.start()
        await gateway.accept([heart_rate(number) for number in range(10)])
        await until(lambda: gateway.uplink.ends[SessionEnd.RECEIPTS_SILENT] >= 2)
        assert (await gateway.owed()).total == 10
        assert county.arrivals[1] >= 2, "it was sent again on the new connection"
        county.answers = True
        await gateway.settled()
        assert county.conflicts == 0


class DeletesOnPuback(Senders):
    """The broken variant: takes the broker's word for the county's."""

    async def _acknowledged(self, parcel: SealedParcel) -> None:
        def forget(outbox: Outbox) -> None:
            outbox._delete_batch(parcel.seqs)

        await self._committer.call(forget)


@pytest.mark.parametrize("kind", [Senders, DeletesOnPuback])
async def test_a_broker_that_acknowledges_and_forgets_loses_nothing(
    broker: Broker, sender: MakeSender, kind: type[Senders], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kanhu.gateway.uplink.Senders", kind)
    gateway = sender(broker.port)
    gateway.start()
    seqs = await gateway.accept([heart_rate(number) for number in range(300)])
    await asyncio.sleep(0.5)  # long enough for every PUBACK; there is no county yet
    broker.kill()
    broker.forget()
    broker.start()
    async with County(broker.port) as county:
        await gateway.settled()
        lost = set(seqs) - set(county.stored)
    if kind is Senders:
        assert not lost
    else:
        assert lost, "the broken variant must lose readings, or this test proves nothing"


async def test_a_broker_killed_again_and_again_delays_and_loses_nothing(broker: Broker, sender: MakeSender) -> None:
    stored: dict[int, object] = {}
    gateway = sender(broker.port)
    gateway.start()
    seqs: list[int] = []
    for life in range(3):
        async with County(broker.port) as county:
            county.stored.update(stored)  # type: ignore[arg-type]  # what the county stored outlives its broker
            seqs += await gateway.accept([heart_rate(life * 1000 + number) for number in range(700)])
            await until(lambda county=county: len(county.stored) > 300)  # type: ignore[misc]  # a lambda's default
            stored |= county.stored
            broker.kill()
            broker.forget()
            broker.start()
    async with County(broker.port) as county:
        county.stored.update(stored)  # type: ignore[arg-type]  # as above
        await gateway.settled()
        assert set(county.stored) == set(seqs)
        assert county.conflicts == 0


async def test_an_alert_overtakes_a_backlog_of_thousands(broker: Broker, sender: MakeSender) -> None:
    gateway = sender(broker.port, receipt_timeout_s=20)  # a busy machine answers late, and is not silent
    for start in range(0, 12_000, 500):
        await gateway.accept([heart_rate(number) for number in range(start, start + 500)])
    async with County(broker.port) as county:
        gateway.start()
        await until(lambda: county.order)
        began = time.monotonic()
        (seq,) = await gateway.accept([sos(1)], lane=Lane.ALERT)
        await until(lambda: seq in county.stored)
        delay_s = time.monotonic() - began
        assert (await gateway.owed()).routine > 2000, "the backlog was still being sent"
        assert delay_s < 3
        (fresh,) = await gateway.accept([heart_rate(20_000)])
        await until(lambda: fresh in county.stored)
        assert (await gateway.owed()).routine > 500, "a live reading need not wait for the backlog either"
        await gateway.settled(within_s=60)
        assert len(county.stored) == 12_002
        assert {lane for lane, _ in county.order} == {Lane.ALERT, Lane.LIVE, Lane.BACKFILL}


async def test_what_the_county_refuses_is_split_and_set_aside_and_the_rest_arrives(
    broker: Broker, sender: MakeSender
) -> None:
    async with County(broker.port) as county:
        county.refuses = {57}
        gateway = sender(broker.port)
        seqs = await gateway.accept([heart_rate(number) for number in range(100)])
        gateway.start()
        await gateway.settled()
        assert set(seqs) - set(county.stored) == {57}
        (gap,) = [record for record in county.stored.values() if isinstance(record, Gap)]
        assert gap.ranges == ((57, 57),)
        counters = await gateway.committer.call(Outbox.counters)
        assert counters["", "quarantined:not_storable"] == 1


async def test_what_the_county_passes_over_in_silence_is_set_aside_too(broker: Broker, sender: MakeSender) -> None:
    async with County(broker.port) as county:
        county.ignores = {5}
        gateway = sender(broker.port, receipt_timeout_s=0.3)
        gateway.start()
        seqs = await gateway.accept([heart_rate(number) for number in range(8)])
        number = 100
        while (await gateway.owed()).total or not county.stored:
            seqs += await gateway.accept([heart_rate(number)])  # a county that lives answers what comes later
            number += 1
            await asyncio.sleep(0.05)
            assert number < 600
        assert set(seqs) - set(county.stored) == {5}


async def test_a_link_that_swallows_everything_is_left_and_nothing_is_lost(
    broker: Broker, link: Link, sender: MakeSender
) -> None:
    async with County(broker.port) as county:
        gateway = sender(link.port)
        gateway.start()
        first = await gateway.accept([heart_rate(number) for number in range(20)])
        await gateway.settled()
        link.fall_silent()
        second = await gateway.accept([heart_rate(number) for number in range(20, 60)])
        await until(lambda: link.connections >= 2)  # it gave the silent connection up by itself
        assert (await gateway.owed()).total == 40
        link.recover()
        await gateway.settled()
        assert set(county.stored) == {*first, *second}


async def test_the_last_will_speaks_for_a_gateway_that_lost_power(
    broker: Broker, link: Link, sender: MakeSender
) -> None:
    async with County(broker.port) as county:
        gateway = sender(link.port)
        gateway.start()
        await until(lambda: county.statuses)
        status, retained = county.statuses[0]
        assert (status.state, retained) == (GatewayState.ONLINE, False)
        link.cut()  # no goodbye
        await until(lambda: GatewayState.LOST in [status.state for status, _ in county.statuses])
    async with County(broker.port) as late:
        await until(lambda: late.statuses)
        assert late.statuses[0][1], "the status is retained for whoever comes later"


async def test_a_stop_flushes_and_says_goodbye(broker: Broker, sender: MakeSender) -> None:
    async with County(broker.port) as county:
        gateway = sender(broker.port, routine_s=3600)
        gateway.start()
        await until(lambda: county.statuses)
        await gateway.accept([heart_rate(0)])
        await gateway.settled()
        await gateway.accept([heart_rate(1)])
        await asyncio.sleep(0.2)
        assert (await gateway.owed()).total == 1, "it waits for its time"
        await gateway.stop()
        assert (await gateway.owed()).total == 0
        await until(lambda: county.statuses[-1][0].state is GatewayState.STOPPED)
        assert GatewayState.LOST not in [status.state for status, _ in county.statuses]


async def test_heartbeats_carry_the_account(broker: Broker, sender: MakeSender) -> None:
    async with County(broker.port) as county:
        gateway = sender(broker.port, heartbeat_s=0.1)
        gateway.start()
        await gateway.accept([heart_rate(number) for number in range(3)])
        await gateway.committer.refuse("strap-03", reason="no_contact")
        await gateway.settled()
        await until(lambda: county.statuses[-1][0].accepted == 3 and county.statuses[-1][0].owed == 0)
        status = county.statuses[-1][0]
        assert status.refused == {"no_contact": 1}
        assert status.epoch == gateway.epoch
        assert all(
            later.sent_ms >= earlier.sent_ms
            for (earlier, _), (later, _) in zip(county.statuses, county.statuses[1:], strict=False)
        )


@pytest.mark.parametrize(("devices", "heartbeats"), [(400, [(256, 0), (0, 400)]), (600, [(256, 0)])])
async def test_large_home_tells_its_tally_and_as_many_devices_as_a_heartbeat_bears(
    broker: Broker, sender: MakeSender, monkeypatch: pytest.MonkeyPatch, devices: int, heartbeats: list[tuple[int, int]]
) -> None:
    gateway = sender(broker.port)
    plain = gateway.uplink._status
    tally = Tally(0, tuple(ReadingCount(f"r-{number:04}", 10_000, 10_000, 0) for number in range(256)))
    there = tuple(DeviceStatus(f"strap-{number:03}", "strap-ble", connected=True) for number in range(devices))

    async def large(state: GatewayState) -> Status:
        return msgspec.structs.replace(await plain(state), devices=there, tally=tally)

    monkeypatch.setattr(gateway.uplink, "_status", large)
    async with County(broker.port) as county:
        gateway.start()
        await until(lambda: len(county.statuses) >= len(heartbeats))
        told = [
            (len(status.tally.residents) if isinstance(status.tally, Tally) else 0, len(status.devices))
            for status, _ in county.statuses
        ]
    assert told[: len(heartbeats)] == heartbeats


async def test_foreign_and_broken_receipts_settle_nothing(broker: Broker, sender: MakeSender) -> None:
    async with County(broker.port, answers=False) as county:
        gateway = sender(broker.port, receipt_timeout_s=30)
        gateway.start()
        await gateway.accept([heart_rate(0)])
        await until(lambda: county.stored)
        await county.send_receipt("home-03", "f" * 32)
        await county._client.publish("kanhu/v1/down/home-03/receipt", b"\xff no receipt", qos=0)
        await asyncio.sleep(0.2)
        assert (await gateway.owed()).total == 1
        await county.send_receipt("home-03", gateway.epoch)
        await gateway.settled()
        notes = gateway.uplink.notes.values
        assert (notes["foreign_receipts"], notes["bad_receipts"]) == (1, 1)


async def test_connections_that_fail_leave_no_socket_behind(link: Link, sender: MakeSender) -> None:
    link.fall_silent()
    gateway = sender(link.port, receipt_timeout_s=0.2)
    gateway.start()
    await until(lambda: link.connections >= 8)
    assert _sockets_to(link.port) <= 2
    link.recover()
    async with County(link.port):
        await gateway.accept([heart_rate(1)])
        await gateway.settled()


async def test_a_relay_that_takes_calls_for_a_dead_broker_is_left_at_once(
    broker: Broker, link: Link, sender: MakeSender
) -> None:
    broker.kill()
    gateway = sender(link.port, receipt_timeout_s=20)  # the patience for an answer would be eight seconds
    gateway.start()
    began_s = time.monotonic()
    await until(lambda: link.connections >= 4)
    assert time.monotonic() - began_s < 4
    assert set(gateway.uplink.ends) == {SessionEnd.UNREACHABLE}


def _sockets_to(port: int) -> int:
    """Open TCP connections of this process to a port of loopback."""
    ours = {link.readlink().name for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and f"socket:[{row[9]}]" in ours for row in rows)
