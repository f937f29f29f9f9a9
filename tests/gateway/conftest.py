"""What the gateway's tests share: a broker, a link to it, and a gateway's sending half."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.gateway.broker import Broker, Link
from tests.gateway.sender import Sender


@pytest.fixture
def broker(tmp_path: Path, free_ports: Callable[[], int]) -> Iterator[Broker]:
    """Return a running broker of its own."""
    broker = Broker(tmp_path / "broker", free_ports())
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
async def link(broker: Broker) -> AsyncIterator[Link]:
    """Return a relay to the broker."""
    link = Link(broker.port)
    await link.open()
    yield link
    await link.close()


@pytest.fixture
async def sender(tmp_path: Path) -> AsyncIterator[Callable[..., Sender]]:
    """Return a function that makes a gateway's outbox with its uplink; `start` it."""
    async with AsyncExitStack() as senders:

        def make(port: int, **settings: object) -> Sender:
            sender = Sender(tmp_path / "outbox.db", port, **settings)  # type: ignore[arg-type]  # as Sender takes them
            senders.push_async_callback(sender.end)
            return sender

        yield make
