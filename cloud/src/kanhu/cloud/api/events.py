"""GET /events: server-sent events that say which alert changed, never what.

Events: `alert` (id: revision; data: id, revision, priority), `reset` (fetch the whole board; data: revision), `beat`
(data: now, revision) every 15 s. Starts after `Last-Event-ID`, else after `?after=`, else at the newest revision.
"""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from kanhu.cloud.desk.model import Change, Viewer
from kanhu.cloud.services import Services
from kanhu.cloud.staff.session import current_viewer, services_of, session_token

router = APIRouter()

_REVISION_DIGITS = 19
"""More than any revision has; a longer number is none of ours, whatever it says, and gets a reset."""


@router.get("/events", include_in_schema=False)
async def events(
    request: Request,
    viewer: Annotated[Viewer, Depends(current_viewer)],
    last_event_id: Annotated[str, Header()] = "",
    after: Annotated[int | None, Query(ge=0)] = None,
) -> StreamingResponse:
    """The viewer's change stream."""
    services = services_of(request)
    start = starts_after(last_event_id, after=after, newest=services.stream.latest)
    return StreamingResponse(
        _stream(services, viewer, session_token(request), start),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


def starts_after(last_event_id: str, *, after: int | None, newest: int) -> int:
    """The revision a stream goes on from; a header that is no number is as good as none."""
    if last_event_id.isascii() and last_event_id.isdigit():
        return int(last_event_id[:_REVISION_DIGITS])
    return newest if after is None else after


async def _stream(services: Services, viewer: Viewer, token: str, after: int) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    while True:
        newest = services.stream.latest  # read before the log: what is announced later wakes the wait below
        changes = await run_in_threadpool(services.desk.changes, viewer, after=after)
        if changes is None:
            after = newest
            yield _frame("reset", {"revision": after}, revision=after)
        else:
            for change in changes:
                yield _frame("alert", _content(change), revision=change.revision)
            after = max(after, newest, *(change.revision for change in changes))
        yield b": beat\n" + _frame("beat", {"now": services.clock.wall_ms(), "revision": after}, revision=None)
        await services.stream.wait(after, timeout_s=services.settings.heartbeat_s)
        if await run_in_threadpool(services.staff.session, token) is None:
            return  # signed out: a stream does not outlive its session by more than a beat


def _content(change: Change) -> dict[str, str | int]:
    return {"id": change.alert_id, "revision": change.revision, "priority": change.priority.value}


def _frame(event: str, data: Mapping[str, str | int], *, revision: int | None) -> bytes:
    number = "" if revision is None else f"id: {revision}\n"
    return f"{number}event: {event}\ndata: {json.dumps(data)}\n\n".encode()
