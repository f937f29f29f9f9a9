"""A session that is told to end does end, also where a library drops the cancellation."""

import asyncio
from collections.abc import Callable

import pytest

from kanhu.contract import Lane
from kanhu.gateway.link import Link
from kanhu.gateway.uplink import SessionEnd
from tests.gateway.broker import Broker
from tests.gateway.county import County
from tests.gateway.records import heart_rate
from tests.gateway.sender import Sender, until

pytestmark = pytest.mark.broker


async def test_a_cancellation_that_is_dropped_while_publishing_still_ends_the_session(
    broker: Broker, sender: Callable[..., Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = 0
    publish = Link.publish

    async def drops_a_cancellation(link: Link, topic: str, *arguments: object, **named: object) -> None:
        nonlocal dropped
        await publish(link, topic, *arguments, **named)  # type: ignore[arg-type]  # passed through
        if dropped or not topic.endswith(Lane.LIVE.value):
            return
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            dropped += 1  # as wait_for does where the answer has come as well

    monkeypatch.setattr(Link, "publish", drops_a_cancellation)
    async with County(broker.port, answers=False) as county:
        gateway = sender(broker.port)
        gateway.start()
        await gateway.accept([heart_rate(1)])
        await until(lambda: gateway.uplink.ends[SessionEnd.RECEIPTS_SILENT] >= 1)
        assert dropped == 1
        county.answers = True
        await gateway.settled()
