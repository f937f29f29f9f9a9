"""A county that comes back: what was sent into the void is sent again at once, and a slow county is not flooded."""

import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from kanhu.contract import Lane
from kanhu.gateway.link import Link
from kanhu.gateway.senders import Senders
from kanhu.gateway.uplink import SessionEnd
from tests.gateway.broker import Broker
from tests.gateway.county import County
from tests.gateway.records import heart_rate, sos
from tests.gateway.sender import Sender, until

pytestmark = pytest.mark.broker

MakeSender = Callable[..., Sender]


class WaitsForTheTimeout(Senders):
    """The broken variant: only a receipt timeout sends anything again."""

    async def _send_again(self, client: Link, lane: Lane) -> bool:
        del client, lane
        return False


@pytest.mark.parametrize("kind", [Senders, WaitsForTheTimeout])
async def test_an_alert_sent_before_the_county_listens_is_stored_within_three_seconds_of_its_coming(
    broker: Broker, sender: MakeSender, kind: type[Senders], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kanhu.gateway.uplink.Senders", kind)
    gateway = sender(broker.port, receipt_timeout_s=20)
    gateway.start()
    (seq,) = await gateway.accept([sos(1)], lane=Lane.ALERT)
    await until(lambda: "puback_ms" in gateway.uplink.notes.values)  # the broker has it, and nobody else
    await gateway.accept([heart_rate(number) for number in range(1200)])  # a backlog is no reason to wait
    async with County(broker.port) as county:
        await county.send_receipt("home-03", gateway.epoch)
        with suppress(AssertionError):
            await until(lambda: seq in county.stored, within_s=3)
        if kind is Senders:
            assert seq in county.stored
            assert county.arrivals[seq] <= 2
            await gateway.settled(within_s=15)
            assert not gateway.uplink.ends, "on the same connection"
        else:
            assert seq not in county.stored, "the broken variant must be late, or this test proves nothing"


async def test_a_silent_county_is_waited_for_on_the_line_and_not_in_a_long_pause(
    broker: Broker, sender: MakeSender
) -> None:
    gateway = sender(broker.port, receipt_timeout_s=0.2, reconnect_max_s=60)
    gateway.start()
    await gateway.accept([sos(1)], lane=Lane.ALERT)
    began = time.monotonic()
    await until(lambda: gateway.uplink.ends[SessionEnd.RECEIPTS_SILENT] >= 7)
    # Patience doubles to 0.8 s and stays there: 4.6 s of waiting in all, half a second at most between.
    assert time.monotonic() - began < 12, "pauses that double would be 15 s and more"


async def test_a_slow_county_under_a_backlog_gets_little_twice(broker: Broker, sender: MakeSender) -> None:
    gateway = sender(broker.port, receipt_timeout_s=20, routine_s=0.3)
    await gateway.accept([heart_rate(number) for number in range(6000)])
    async with County(broker.port, delay_s=0.2) as county:
        gateway.start()
        await until(lambda: county.order)
        (seq,) = await gateway.accept([sos(1)], lane=Lane.ALERT)
        await gateway.settled()
        assert seq in county.stored
        redelivered = county.arrivals.total() - len(county.arrivals)
        assert redelivered <= 501, "at most the alert, and one parcel where this machine itself was slow"
