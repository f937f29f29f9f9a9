"""One MQTT connection that leaves nothing behind, however it ends.

aiomqtt gives up waiting and lets the socket live until a keepalive runs out; on a link that swallows bytes each
attempt would leave one. Its public surface has no way to close it, hence the inherited attributes used here.
"""

import asyncio
import socket
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import aiomqtt


class Link(aiomqtt.Client):
    """An aiomqtt client for one connection."""

    async def __aenter__(self) -> Self:
        """Connect; close the socket where the broker does not answer."""
        try:
            return await super().__aenter__()
        except BaseException:
            if self._connected.cancelled():  # aiomqtt asks it once more when the socket closes
                self._connected = asyncio.get_running_loop().create_future()
            self._shut_down()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say goodbye where that is still possible; close the socket in any case."""
        try:
            await super().__aexit__(kind, error, trace)
        finally:
            self._shut_down()
            if self._disconnected.done() and not self._disconnected.cancelled():
                self._disconnected.exception()  # whoever used the link was told; asyncio need not complain as well

    def _on_disconnect(self, *arguments: Any, **named: Any) -> None:
        """Notice an end before the broker has answered, as a relay before a dead broker makes: aiomqtt would wait."""
        super()._on_disconnect(*arguments, **named)
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError("closed before the broker answered"))
            self._connected.exception()  # whoever still waits is told; asyncio need not complain where nobody does

    def _shut_down(self) -> None:
        left = self._client.socket()
        if isinstance(left, socket.socket):
            with suppress(OSError):  # not connected any more
                left.shutdown(socket.SHUT_RDWR)  # the loop reads the end, and paho closes what it opened


def obey_cancellation() -> None:
    """Pass on a cancellation that came together with an answer of the broker.

    Until Python 3.12 `asyncio.wait_for`, in which aiomqtt waits, drops it; the session would then never end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
