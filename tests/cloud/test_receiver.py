"""The receiver ends when it is told to, and comes back when the broker was lost, even with a client that swallows."""

import asyncio
from collections.abc import AsyncIterator

import aiomqtt
import pytest

from kanhu.cloud.ingest.receiver import Receiver
from kanhu.contract import SystemClock
from tests.cloud.town import Town, heartbeat
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

    async def subscribe(self, *_: object, **__: object) -> None:
        """Nothing to do."""

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
    monkeypatch.setattr(aiomqtt, "Client", SwallowingClient)
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
