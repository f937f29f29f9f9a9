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
_STREAM_SILENT_S = 40.0  # the stream says something every 15 s
_CLOSED = "closed"


@dataclass(slots=True)
class SeenAlert:
    """One alert as it came to the board."""

    id: str
    subject: str
    rule: str
    priority: str
    sentence: str
    heard_ns: int
    """When the event reached the listener, CLOCK_BOOTTIME."""
    evidence_ms: int | None
    """Arrival of the deciding value at the gateway, Unix milliseconds; None where silence decided."""
    who: str
    handling: str = "new"
    heard: list[tuple[int, str]] = field(default_factory=list)
    """When each priority it had was first heard of, CLOCK_BOOTTIME, and which."""
    closed_ns: int | None = None
    """When it was heard that somebody had closed it, CLOCK_BOOTTIME; None while it is open."""


class County:
    """A signed-in client with its own record of what the board showed."""

    def __init__(self, base_url: str, user: str, password: str) -> None:
        self.base_url = base_url
        self.user = user
        self.password = password
        self.alerts: dict[str, SeenAlert] = {}
        # The county is on this machine: no proxy of the environment has business in between.
        self._client = httpx.AsyncClient(base_url=base_url, timeout=_TIMEOUT_S, trust_env=False)
        self._signing_in = asyncio.Lock()
        self._last_event = ""

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def is_up(self) -> bool:
        """Whether the service answers."""
        try:
            return (await self._client.get("/api/v1/health")).status_code == httpx.codes.OK
        except httpx.HTTPError:  # not listening yet
            return False

    async def gateways(self) -> list[dict[str, Any]]:
        """Rows of the equipment page."""
        return list((await self.read("/api/v1/equipment"))["gateways"])

    async def read(self, path: str) -> Any:
        """JSON of a page of the API; signs in where the session is not known.

        Raises:
            httpx.HTTPError: the service is away, or refuses.
        """
        answer = await self._client.get(path)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            await self._sign_in()
            answer = await self._client.get(path)
        answer.raise_for_status()
        return answer.json()

    async def act(self, path: str, **body: str) -> Any:
        """Do something as this member of staff: claim or close an alert."""
        session = await self.read("/api/v1/session")
        answer = await self._client.post(path, json=body, headers={"X-CSRF-Token": session["csrf"]})
        answer.raise_for_status()
        return answer.json()

    async def listen(self, tell: Callable[[SeenAlert], Awaitable[None]]) -> None:
        """Follow the stream for ever, through every restart of the service; `tell` hears of each new alert."""
        while True:
            try:
                await self._catch_up(tell)
                await self._follow(tell)
            except httpx.HTTPError:  # killed, or not yet back
                await asyncio.sleep(_RETRY_S)

    async def _follow(self, tell: Callable[[SeenAlert], Awaitable[None]]) -> None:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": self._last_event} if self._last_event else {})
        patience = httpx.Timeout(_TIMEOUT_S, read=_STREAM_SILENT_S)
        async with self._client.stream("GET", "/events", headers=headers, timeout=patience) as feed:
            feed.raise_for_status()
            async for line in feed.aiter_lines():
                if line.startswith("id:"):
                    self._last_event = line[3:].strip()
                elif line.startswith("data:"):
                    await self._hear(line[5:].strip(), tell)

    async def _hear(self, data: str, tell: Callable[[SeenAlert], Awaitable[None]]) -> None:
        heard_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        try:
            change = json.loads(data)
        except json.JSONDecodeError:  # a heartbeat's free text
            return
        if isinstance(change, dict) and "id" in change:
            await self._note(change["id"], heard_ns, tell)

    async def _catch_up(self, tell: Callable[[SeenAlert], Awaitable[None]]) -> None:
        board = await self.read("/api/v1/board")
        heard_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        for row in board["rows"]:
            known = self.alerts.get(row["id"])
            if known is None or known.heard[-1][1] != row["priority"]:
                await self._note(row["id"], heard_ns, tell)

    async def _note(self, alert: str, heard_ns: int, tell: Callable[[SeenAlert], Awaitable[None]]) -> None:
        page = await self.read(f"/api/v1/alerts/{alert}")
        row = page["row"]
        known = self.alerts.get(alert)
        if known is not None:
            known.handling = row["handling"]
            known.closed_ns = (known.closed_ns or heard_ns) if known.handling == _CLOSED else None
            if row["priority"] != known.heard[-1][1]:
                known.heard.append((heard_ns, row["priority"]))
            return
        person = row["person"]
        seen = SeenAlert(
            id=alert,
            subject=row["subject"],
            rule=row["rule"],
            priority=row["priority"],
            sentence=page["sentence"]["en"],
            heard_ns=heard_ns,
            evidence_ms=max((_unix_ms(when) for when, _, _ in page["evidence"]), default=None),
            who=person["name"] if person else row["subject"],
            handling=row["handling"],
            heard=[(heard_ns, row["priority"])],
        )
        self.alerts[alert] = seen
        await tell(seen)

    async def _sign_in(self) -> None:
        async with self._signing_in:  # one at a time: a password is slow to check, by intention
            if (await self._client.get("/api/v1/session")).status_code == httpx.codes.OK:
                return
            answer = await self._client.post("/api/v1/session", json={"user": self.user, "password": self.password})
            answer.raise_for_status()


def _unix_ms(when: str) -> int:
    return round(datetime.fromisoformat(when).timestamp() * 1000)
