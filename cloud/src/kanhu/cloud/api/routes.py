"""The JSON API: what the desk shows, as the desk's own records; what staff do, by POST with a key.

Everything but /health and signing in needs the session's cookie; what changes anything also needs X-CSRF-Token.
"""

from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from kanhu.cloud.desk.model import (
    ActResult,
    AlertPage,
    AlertRow,
    Board,
    Change,
    Claim,
    Equipment,
    Outcome,
    ResidentPage,
    Role,
)
from kanhu.cloud.staff.book import Session, SignInReason
from kanhu.cloud.staff.session import check_csrf, current_session, services_of, sign_in, sign_out
from kanhu.contract import VERSION

router = APIRouter(prefix="/api/v1")

SignedIn = Annotated[Session, Depends(current_session)]
AlertId = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,64}$")]
ResidentId = Annotated[str, Path(max_length=128)]

_STATUS = {
    ActResult.DONE: 200,
    ActResult.REPLAYED: 200,
    ActResult.NOT_FOUND: 404,
    ActResult.OUTCOME_NOT_ALLOWED: 422,
}
_CONFLICT = 409

_Page = TypeVar("_Page", AlertPage, ResidentPage)


class Health(BaseModel):
    """Whether the service answers, which one it is, and whether it hears its gateways."""

    status: str
    version: str
    broker: str
    """`connected`, `connecting` or `backing_off`; why is told on the equipment page, to who has signed in."""


class Credentials(BaseModel):
    """What signing in takes."""

    user: str = Field(max_length=64)
    password: str = Field(max_length=256)


class SignedInAs(BaseModel):
    """Who signed in, and what changing requests carry as X-CSRF-Token."""

    user: str
    name: str
    role: Role
    place: str
    csrf: str


class Act(BaseModel):
    """An act's key: the same key gets the same answer."""

    key: str = Field(min_length=1, max_length=64)


class Ending(Act):
    """How an alert ended."""

    outcome: Outcome
    note: str = Field(default="", max_length=1000)


class Acted(BaseModel):
    """What came of an act."""

    result: ActResult
    claim: Claim | None = None


@router.get("/health")
async def health(request: Request) -> Health:
    """Whether the service answers, and hears its gateways."""
    return Health(status="ok", version=VERSION, broker=services_of(request).broker().partition(":")[0])


@router.post("/session")
async def open_session(request: Request, response: Response, credentials: Credentials) -> SignedInAs:
    """Sign in: sets the cookie."""
    answer = await sign_in(request, response, name=credentials.user, password=credentials.password)
    if answer.reason is SignInReason.TOO_MANY:
        raise HTTPException(429, answer.reason.value, {"Retry-After": str(answer.retry_after_s)})
    session = await run_in_threadpool(services_of(request).staff.session, answer.token) if answer.token else None
    if session is None:
        raise HTTPException(401, SignInReason.WRONG.value)
    return _who(session)


@router.get("/session")
async def own_session(session: SignedIn) -> SignedInAs:
    """Who is signed in."""
    return _who(session)


@router.delete("/session", dependencies=[Depends(check_csrf)], status_code=204)
async def close_session(request: Request, response: Response) -> None:
    """Sign out."""
    await sign_out(request, response)


@router.get("/board")
async def board(request: Request, session: SignedIn) -> Board:
    """Open alerts of the viewer's area."""
    return await run_in_threadpool(services_of(request).desk.board, session.viewer)


@router.get("/alerts")
async def alerts(
    request: Request, session: SignedIn, ids: Annotated[list[str], Query(max_length=200)]
) -> tuple[AlertRow, ...]:
    """These alerts, open or closed; what lies outside the area is not among them."""
    return await run_in_threadpool(services_of(request).desk.rows, session.viewer, ids)


@router.get("/alerts/{alert_id}")
async def alert(request: Request, session: SignedIn, alert_id: AlertId) -> AlertPage:
    """One alert; the look is audited."""
    return _found(await run_in_threadpool(services_of(request).desk.alert, session.viewer, alert_id))


@router.post("/alerts/{alert_id}/claim", dependencies=[Depends(check_csrf)])
async def claim(request: Request, response: Response, session: SignedIn, alert_id: AlertId, act: Act) -> Acted:
    """Take an alert; the first wins."""
    desk = services_of(request).desk
    result, holder = await run_in_threadpool(desk.claim, session.viewer, alert_id, key=act.key)
    return _acted(response, result, holder)


@router.post("/alerts/{alert_id}/undo", dependencies=[Depends(check_csrf)])
async def undo(request: Request, response: Response, session: SignedIn, alert_id: AlertId, act: Act) -> Acted:
    """Give back an own claim within 10 s."""
    desk = services_of(request).desk
    return _acted(response, await run_in_threadpool(desk.undo, session.viewer, alert_id, key=act.key))


@router.post("/alerts/{alert_id}/close", dependencies=[Depends(check_csrf)])
async def close(request: Request, response: Response, session: SignedIn, alert_id: AlertId, end: Ending) -> Acted:
    """End an alert with an outcome."""
    desk = services_of(request).desk
    result = await run_in_threadpool(
        desk.close, session.viewer, alert_id, outcome=end.outcome, note=end.note, key=end.key
    )
    return _acted(response, result)


@router.get("/residents/{resident_id}")
async def resident(
    request: Request, session: SignedIn, resident_id: ResidentId, days: Annotated[int, Query(ge=1, le=90)] = 7
) -> ResidentPage:
    """One resident; the look is audited."""
    desk = services_of(request).desk
    return _found(await run_in_threadpool(desk.resident, session.viewer, resident_id, days=days))


@router.get("/equipment")
async def equipment(request: Request, session: SignedIn) -> Equipment:
    """Gateways of the area, and what the county refused."""
    return await run_in_threadpool(services_of(request).desk.equipment, session.viewer)


@router.get("/system")
async def system(request: Request, session: SignedIn) -> dict[str, dict[str, int] | str]:
    """Ingest counters and quarantine by reason; county staff only."""
    if session.viewer.role is not Role.COUNTY:
        raise HTTPException(404)
    found = await run_in_threadpool(services_of(request).desk.equipment, session.viewer)
    return {"counters": dict(found.counters), "quarantine": dict(found.quarantine), "broker": found.broker}


@router.get("/changes")
async def changes(request: Request, session: SignedIn, after: Annotated[int, Query(ge=0)]) -> tuple[Change, ...]:
    """What the stream would have said after a revision; 410 where that is too old."""
    found = await run_in_threadpool(services_of(request).desk.changes, session.viewer, after=after)
    if found is None:
        raise HTTPException(410, "reset")
    return found


def _who(session: Session) -> SignedInAs:
    viewer = session.viewer
    return SignedInAs(user=viewer.user, name=viewer.name, role=viewer.role, place=viewer.place, csrf=session.csrf)


def _found(page: _Page | None) -> _Page:
    if page is None:
        raise HTTPException(404)
    return page


def _acted(response: Response, result: ActResult, holder: Claim | None = None) -> Acted:
    response.status_code = _STATUS.get(result, _CONFLICT)
    return Acted(result=result, claim=holder)
