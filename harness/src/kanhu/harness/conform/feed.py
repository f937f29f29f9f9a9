"""The device side of a gateway under test: hands over numbered readings and writes down which were accepted.

Two ways in. `LineFeed`: the gateway connects and gets one JSON line a reading, and says `{"accepted": n}` once the
reading is on its disk. `HttpFeed`: each reading is posted to the gateway, and a status of 2xx is its word. A reading is
offered once, as a device does it; one that was never accepted was never promised.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from kanhu.contract import Clock
from kanhu.harness.conform.readings import DEVICE, METRIC

__all__ = ["Feed", "HttpFeed", "LineFeed", "Promises"]

_ANSWER_S = 10.0
_LINE_BYTES = 65_536


@dataclass(slots=True)
class Promises:
    """What was offered, and what the gateway took on itself."""

    due: int = 0
    """Readings that fell due since the gateway accepted its first, offered or not."""
    asked: set[int] = field(default_factory=set)
    """What was handed over."""
    nonsense: int = 0
    """Answers that name no reading that was handed over."""
    accepted_s: dict[int, float] = field(default_factory=dict)
    """When each accepted reading was promised, by the monotonic clock."""

    @property
    def offered(self) -> int:
        """How many were handed over."""
        return len(self.asked)

    def fell_due(self) -> None:
        """One more reading, whoever is there to take it."""
        self.due += bool(self.accepted_s)

    def accept(self, number: int, *, at_s: float) -> None:
        """The gateway's word for a reading; it cannot take on itself what it was never given."""
        if number in self.asked:
            self.accepted_s.setdefault(number, at_s)
        else:
            self.nonsense += 1

    def accepted_by(self, moment_s: float) -> list[int]:
        """Readings promised up to a moment."""
        return [number for number, at_s in self.accepted_s.items() if at_s <= moment_s]


class Feed(Protocol):
    """A way into the gateway under test."""

    promises: Promises

    async def __aenter__(self) -> "Feed":
        """Open it."""

    async def __aexit__(self, *_: object) -> None:
        """Close it."""

    async def offer(self, number: int) -> None:
        """Hand one reading over; returns once it was accepted, refused, or nobody was there."""


class LineFeed:
    """A TCP server on loopback; the gateway connects to it, and again after each restart."""

    def __init__(self, port: int, *, clock: Clock) -> None:
        """Listen on this port once entered."""
        self.promises = Promises()
        self._port = port
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: dict[int, asyncio.Event] = {}

    async def __aenter__(self) -> "LineFeed":
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, limit=_LINE_BYTES)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        if self._server is not None:
            self._server.close()
        if self._writer is not None:
            self._writer.close()

    async def offer(self, number: int) -> None:
        """Send the line; nobody connected, nothing offered."""
        self.promises.fell_due()
        writer = self._writer
        if writer is None:
            return
        self.promises.asked.add(number)
        done = self._waiting.setdefault(number, asyncio.Event())
        with suppress(OSError, TimeoutError):
            writer.write(json.dumps(reading_line(number, clock=self._clock)).encode() + b"\n")
            await writer.drain()
            async with asyncio.timeout(_ANSWER_S):
                await done.wait()
        self._waiting.pop(number, None)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer  # the newest connection is the gateway that runs
        with suppress(OSError):  # ends with the connection, or with nonsense
            while line := await _line(reader):
                number = _accepted(line)
                if number is None:
                    self.promises.nonsense += 1
                    break
                self.promises.accept(number, at_s=self._clock.mono_ns() / 1e9)
                if number in self._waiting:
                    self._waiting[number].set()
        for event in self._waiting.values():
            event.set()
        if self._writer is writer:
            self._writer = None
        writer.close()


class HttpFeed:
    """A client of the gateway's own HTTP door."""

    def __init__(self, url: str, *, clock: Clock, extra: Mapping[str, Any]) -> None:
        """`extra` are fields that this gateway wants in each reading besides."""
        self.promises = Promises()
        self._clock = clock
        self._url = url
        self._extra = dict(extra)
        self._client = httpx.AsyncClient(timeout=_ANSWER_S)

    async def __aenter__(self) -> "HttpFeed":
        """Nothing to open."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self._client.aclose()

    async def offer(self, number: int) -> None:
        """Post it; where nobody listens, nothing was offered."""
        self.promises.fell_due()
        try:
            answer = await self._client.post(self._url, json={**reading_line(number, clock=self._clock), **self._extra})
        except httpx.ConnectError:
            return
        except httpx.HTTPError:
            self.promises.asked.add(number)
            return
        self.promises.asked.add(number)
        if answer.is_success:
            self.promises.accept(number, at_s=self._clock.mono_ns() / 1e9)


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next line; what never ends is nonsense, and is cut."""
    try:
        return await reader.readline()
    except ValueError:
        return b"longer than any answer"


def _accepted(line: bytes) -> int | None:
    """The number in an answer; None where it is none."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    number = said.get("accepted") if isinstance(said, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def reading_line(number: int, *, clock: Clock) -> dict[str, Any]:
    """One reading in words."""
    return {"n": number, "device": DEVICE, "metric": METRIC, "value": number, "arrival_ms": clock.wall_ms()}
