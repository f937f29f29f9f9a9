"""The resident page, and the live view of it: readings as they come, while somebody telephones or visits."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from kanhu.cloud.dashboard.look import look_of
from kanhu.cloud.dashboard.resident_view import PERIODS, resident_view
from kanhu.cloud.dashboard.respond import answer, redirect
from kanhu.cloud.desk.model import LIVE_MINUTES, ActResult
from kanhu.cloud.staff.book import Session
from kanhu.cloud.staff.session import check_csrf, current_session, services_of

__all__ = ["router"]

router = APIRouter(dependencies=[Depends(check_csrf)])

SignedIn = Annotated[Session, Depends(current_session)]
Identifier = Annotated[str, Path(max_length=128)]

_LIVE_MS = LIVE_MINUTES * 60_000

_log = logging.getLogger(__name__)


@router.get("/residents/{resident_id}")
async def resident(
    request: Request,
    session: SignedIn,
    resident_id: Identifier,
    days: int = PERIODS[1],
    live: Annotated[int, Query(ge=0, lt=2**53)] = 0,
) -> Response:
    """One resident: alerts, newest values, trends, contacts, timeline; `live` is when a live view ends, Unix ms."""
    now_ms = services_of(request).clock.wall_ms()
    is_live = now_ms < live <= now_ms + _LIVE_MS
    until = datetime.fromtimestamp(live / 1000, UTC) if is_live else None
    return await _page(request, session, resident_id, days=days, live_until=until)


@router.post("/residents/{resident_id}/live")
async def ask_live(request: Request, session: SignedIn, resident_id: Identifier) -> Response:
    """Have this person's readings sent as they come, for some minutes."""
    services = services_of(request)
    try:
        result = await run_in_threadpool(services.desk.ask_live, session.viewer, resident_id)
    except OSError:
        _log.exception("a live view could not be asked for")
        said = look_of(request).language.text("resident.live_failed")
        return await _page(request, session, resident_id, days=PERIODS[0], said=said, status=503)
    if result is not ActResult.DONE:
        return _absent(request, session)
    until_ms = services.clock.wall_ms() + _LIVE_MS
    return redirect(f"/residents/{quote(resident_id, safe='')}?days={PERIODS[0]}&live={until_ms}")


async def _page(
    request: Request,
    session: Session,
    resident_id: str,
    *,
    days: int,
    live_until: datetime | None = None,
    said: str = "",
    status: int = 200,
) -> Response:
    services = services_of(request)
    period = days if days in PERIODS else PERIODS[1]
    found = await run_in_threadpool(services.desk.resident, session.viewer, resident_id, days=period)
    if found is None:
        return _absent(request, session)
    given = await run_in_threadpool(services.nameless.of_resident, session.viewer, resident_id)
    now = services.clock.now()
    language = look_of(request).language
    view = resident_view(
        found, session.viewer, start=now - timedelta(days=period), end=now, zone=services.timezone, language=language
    )
    values = {"view": view, "days": period, "periods": PERIODS, "resident_id": resident_id}
    values |= {"live_until": live_until, "said": said, "given": given}
    return answer(request, "resident.html", session=session, values=values, status=status)


def _absent(request: Request, session: Session) -> Response:
    return answer(request, "absent.html", session=session, values={"what": "resident"}, status=404)
