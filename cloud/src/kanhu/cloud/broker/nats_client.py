"""As much of the NATS client protocol as the county needs on loopback: subscribe, publish, ask once.

docs.nats.io/reference/reference-protocols/nats-protocol. One reader at a time; lines end with CR LF.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

_PATIENCE_S = 5.0
_LONGEST_LINE = 1 << 16
_CONNECT = {"verbose": False, "pedantic": False, "headers": False, "protocol": 1, "lang": "python", "version": "1"}
_REPLIES = "_INBOX.kanhu"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it came; `reply` is empty where nobody waits."""

    subject: str
    reply: str
    body: bytes


class NatsClient:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, info: dict[str, Any]) -> None:
        """Made by `connected`."""
        self._reader = reader
        self._writer = writer
        self._subscriptions = 0
        self.server: str = info["server_id"]

    @classmethod
    @asynccontextmanager
    async def connected(cls, port: int, *, user: str, password: str) -> AsyncIterator[Self]:
        """Connect to 127.0.0.1, and close at the end.

        Raises:
            OSError: not there, or it does not let this user in.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_LONGEST_LINE)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                greeting = await reader.readline()
                client = cls(reader, writer, json.loads(greeting.removeprefix(b"INFO ")))
                said = {**_CONNECT, "user": user, "pass": password}
                await client._send(b"CONNECT " + json.dumps(said).encode() + b"\r\nPING\r\n")
                while (line := await reader.readline()) != b"PONG\r\n":
                    if not line or line.startswith(b"-ERR"):
                        raise ConnectionRefusedError(line.decode(errors="replace").strip() or "closed")
            yield client
        except ValueError as error:  # a line without end, or no JSON
            raise ConnectionAbortedError(str(error)) from error
        finally:
            writer.close()

    async def subscribe(self, subject: str) -> None:
        """Deliveries of this subject come from now on."""
        self._subscriptions += 1
        await self._send(f"SUB {subject} {self._subscriptions}\r\n".encode())

    async def publish(self, subject: str, body: bytes, *, reply: str = "") -> None:
        """Send one message."""
        head = " ".join(word for word in ("PUB", subject, reply, str(len(body))) if word)
        await self._send(head.encode() + b"\r\n" + body + b"\r\n")

    async def next(self) -> Delivery:
        """The next delivery.

        Raises:
            OSError: the connection ended.
        """
        while True:
            line = await self._reader.readline()
            words = line.decode("utf-8", "replace").split()
            if not words or words[0] == "-ERR":
                raise ConnectionAbortedError(" ".join(words) or "closed")
            if words[0] == "PING":
                await self._send(b"PONG\r\n")
            elif words[0] == "MSG":
                body = await self._reader.readexactly(int(words[-1]) + 2)
                return Delivery(words[1], words[3] if len(words) == 5 else "", body[:-2])

    async def ask(self, subject: str, question: dict[str, Any]) -> Any:
        """Publish a question in JSON and wait for the first answer; for a connection that does nothing else meanwhile.

        Raises:
            OSError, TimeoutError: no answer came.
        """
        if not self._subscriptions:
            await self.subscribe(_REPLIES)
        await self.publish(subject, json.dumps(question).encode(), reply=_REPLIES)
        async with asyncio.timeout(_PATIENCE_S):
            return json.loads((await self.next()).body)

    async def _send(self, raw: bytes) -> None:
        self._writer.write(raw)
        await self._writer.drain()
