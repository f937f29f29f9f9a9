"""The screens staff open: board, alert, and the fragments that keep them fresh."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from kanhu.cloud.dashboard import acts, entry, equipment, nameless, residents
from kanhu.cloud.dashboard.assets import assets
from kanhu.cloud.dashboard.board_view import FILTERS, board_view, row_view
from kanhu.cloud.dashboard.look import CHOICES
from kanhu.cloud.dashboard.respond import answer, is_fragment_request
from kanhu.cloud.staff.book import Session
from kanhu.cloud.staff.session import current_session, services_of

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
router.include_router(entry.router)
router.include_router(acts.router)
router.include_router(equipment.router)
router.include_router(residents.router)
router.include_router(nameless.router)

SignedIn = Annotated[Session, Depends(current_session)]
Identifier = Annotated[str, Path(max_length=128)]

_MOST_ROWS = 60  # more changes at once than this: the whole board is the shorter answer
_YEAR_S = 365 * 86400


@router.get("/")
async def board(request: Request, session: SignedIn, show: str = "all") -> Response:
    """The triage board."""
    found = await run_in_threadpool(services_of(request).desk.board, session.viewer)
    values = {"view": board_view(found, session.viewer), "show": show if show in FILTERS else FILTERS[0], "whole": True}
    return answer(request, "board.html", session=session, values=values)


@router.get("/rows")
async def rows(
    request: Request,
    session: SignedIn,
    ids: Annotated[str, Query(max_length=8192)] = "",
    after: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """Rows that changed, with the counts and the order of the whole board."""
    desk = services_of(request).desk
    wanted: set[str] | None = {each for each in ids.split(",") if each} or None
    if after is not None:
        # Before the board is read: what changes in between is told again, never missed.
        changes = await run_in_threadpool(desk.changes, session.viewer, after=after)
        wanted = None if changes is None else {change.alert_id for change in changes}
    if wanted is not None and len(wanted) > _MOST_ROWS:
        wanted = None
    found = await run_in_threadpool(desk.board, session.viewer)
    gone = [] if wanted is None else sorted(wanted - {row.id for row in found.rows})
    closed = await run_in_threadpool(desk.rows, session.viewer, gone) if gone else ()
    values = {
        "view": board_view(found, session.viewer, only=wanted),
        "closed": tuple(row_view(row, session.viewer, now=found.now) for row in closed),
        "whole": wanted is None,
    }
    return answer(request, "rows.html", session=session, values=values)


@router.get("/alerts/{alert_id}")
async def alert(request: Request, session: SignedIn, alert_id: Identifier) -> Response:
    """One alert: a page, or the panel beside the board."""
    return await acts.show_alert(request, session, alert_id, said="")


@router.get("/help")
async def guide(request: Request, session: SignedIn) -> Response:
    """Keys, sounds, and what this is not."""
    template = "help_dialog.html" if is_fragment_request(request) else "help.html"
    return answer(request, template, session=session, values={})


@router.get("/me")
async def me(request: Request, session: SignedIn) -> Response:
    """Who is signed in, how the screens look, and the way out."""
    return answer(request, "me.html", session=session, values={"choices": CHOICES})


@router.get("/static/{name}")
async def static(request: Request, name: Annotated[str, Path(max_length=128)]) -> Response:
    """One asset; its name changes with its content, so it may be kept for ever."""
    asset = assets().get(name)
    if asset is None:
        return Response(status_code=404)
    headers = {
        "cache-control": f"public, max-age={_YEAR_S}, immutable",
        "etag": asset.etag,
        "vary": "accept-encoding",
    }
    if asset.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    body = asset.plain
    if "gzip" in request.headers.get("accept-encoding", ""):
        body = asset.gzipped
        headers["content-encoding"] = "gzip"
    return Response(body, headers={**headers, "content-type": asset.media_type})
