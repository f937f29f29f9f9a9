"""The county's service as a member of staff meets it: sign in, look, and listen for alerts over HTTP."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

_TIMEOUT_S = 10.0
_RETRY_S = 0.5


@dataclass(slots=True)
class SeenAlert:
    """One alert as it came to the board."""

    id: str
    subject: str
    rule: str
    priority: str
    sentence: str
    seen_boottime_ns: int
    """When the event reached the listener, CLOCK_BOOTTIME."""
    evidence_ms: int | None
    """Arrival of the deciding value at the gateway, Unix milliseconds; None where silence decided."""
    who: str
    times_seen: int = 1
    handling: str = "new"


@dataclass(slots=True)
class County:
    """A signed-in client with its own record of what the board showed."""

    base_url: str
    user: str
    password: str
    alerts: dict[str, SeenAlert] = field(default_factory=dict)
    _last_event: str = ""

    async def wait_until_up(self, patience_s: float) -> bool:
        """Whether the service answered in time."""
        deadline_s = time.monotonic() + patience_s
        async with self._client() as client:
            while time.monotonic() < deadline_s:
                try:
                    if (await client.get("/api/v1/health")).status_code == httpx.codes.OK:
                        return True
                except httpx.HTTPError:
                    pass  # not listening yet
                await asyncio.sleep(_RETRY_S / 2)
        return False

    async def gateways(self) -> list[dict[str, Any]]:
        """Rows of the equipment page."""
        async with self._client() as client:
            await self._sign_in(client)
            answer = await client.get("/api/v1/equipment")
            answer.raise_for_status()
            return list(answer.json()["gateways"])

    async def listen(self, tell: Callable[[SeenAlert], Awaitable[None]]) -> None:
        """Follow the stream for ever, through every restart of the service; `tell` hears of each new alert."""
        while True:
            try:
                async with self._client() as client:
                    await self._sign_in(client)
                    await self._catch_up(client, tell)
                    await self._follow(client, tell)
            except httpx.HTTPError:
                await asyncio.sleep(_RETRY_S)

    async def _follow(self, client: httpx.AsyncClient, tell: Callable[[SeenAlert], Awaitable[None]]) -> None:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": self._last_event} if self._last_event else {})
        async with client.stream("GET", "/events", headers=headers, timeout=httpx.Timeout(_TIMEOUT_S, read=40)) as feed:
            feed.raise_for_status()
            async for line in feed.aiter_lines():
                if line.startswith("id:"):
                    self._last_event = line[3:].strip()
                elif line.startswith("data:"):
                    await self._hear(client, line[5:].strip(), tell)

    async def _hear(self, client: httpx.AsyncClient, data: str, tell: Callable[[SeenAlert], Awaitable[None]]) -> None:
        try:
            change = json.loads(data)
        except json.JSONDecodeError:  # a heartbeat's free text
            return
        if isinstance(change, dict) and "id" in change:
            await self._note(client, change["id"], time.clock_gettime_ns(time.CLOCK_BOOTTIME), tell)

    async def _catch_up(self, client: httpx.AsyncClient, tell: Callable[[SeenAlert], Awaitable[None]]) -> None:
        board = await client.get("/api/v1/board")
        board.raise_for_status()
        seen_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        for row in board.json()["rows"]:
            if row["id"] not in self.alerts:
                await self._note(client, row["id"], seen_ns, tell)

    async def _note(
        self, client: httpx.AsyncClient, alert: str, seen_ns: int, tell: Callable[[SeenAlert], Awaitable[None]]
    ) -> None:
        answer = await client.get(f"/api/v1/alerts/{alert}")
        answer.raise_for_status()
        page = answer.json()
        row = page["row"]
        if alert in self.alerts:
            self.alerts[alert].times_seen += 1
            self.alerts[alert].handling = row["handling"]
            return
        person = row["person"]
        seen = SeenAlert(
            id=alert,
            subject=person["id"] if person else row["subject"],
            rule=row["rule"],
            priority=row["priority"],
            sentence=page["sentence"]["en"],
            seen_boottime_ns=seen_ns,
            evidence_ms=max((_unix_ms(when) for when, _, _ in page["evidence"]), default=None),
            who=person["name"] if person else row["subject"],
            handling=row["handling"],
        )
        self.alerts[alert] = seen
        await tell(seen)

    async def _sign_in(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/api/v1/session", json={"user": self.user, "password": self.password})
        answer.raise_for_status()

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.base_url, timeout=_TIMEOUT_S)


def _unix_ms(when: str) -> int:
    return round(datetime.fromisoformat(when).timestamp() * 1000)
