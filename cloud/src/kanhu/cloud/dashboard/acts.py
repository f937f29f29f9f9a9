"""What staff do to an alert: take it, give it back, close it. Plain forms; scripts only save the reload."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from kanhu.cloud.dashboard.board_view import row_view
from kanhu.cloud.dashboard.look import look_of
from kanhu.cloud.dashboard.respond import answer, is_fragment_request, redirect
from kanhu.cloud.dashboard.wording import OUTCOMES
from kanhu.cloud.desk.model import ActResult, Claim, Outcome
from kanhu.cloud.staff.book import Session
from kanhu.cloud.staff.session import check_csrf, current_session, services_of

__all__ = ["router", "show_alert"]

router = APIRouter(dependencies=[Depends(check_csrf)])

SignedIn = Annotated[Session, Depends(current_session)]
Identifier = Annotated[str, Path(max_length=128)]
Key = Annotated[str, Form(min_length=8, max_length=64)]

_DONE = frozenset({ActResult.DONE, ActResult.REPLAYED})
_MOST_NOTE = 1000


@router.post("/alerts/{alert_id}/claim")
async def claim(request: Request, session: SignedIn, alert_id: Identifier, key: Key) -> Response:
    """Take an alert; who comes second is told who came first, and when."""
    services = services_of(request)
    result, holder = await run_in_threadpool(services.desk.claim, session.viewer, alert_id, key=key)
    return await _after(request, session, alert_id, act="claim", result=result, holder=holder)


@router.post("/alerts/{alert_id}/undo")
async def undo(request: Request, session: SignedIn, alert_id: Identifier, key: Key) -> Response:
    """Give back a claim just made."""
    result = await run_in_threadpool(services_of(request).desk.undo, session.viewer, alert_id, key=key)
    return await _after(request, session, alert_id, act="undo", result=result, holder=None)


@router.post("/alerts/{alert_id}/close")
async def close(
    request: Request,
    session: SignedIn,
    alert_id: Identifier,
    key: Key,
    outcome: Annotated[str, Form(max_length=64)] = "",
    note: Annotated[str, Form(max_length=_MOST_NOTE)] = "",
) -> Response:
    """End an alert with what came of it; without an outcome nothing ends."""
    if outcome not in tuple(Outcome):
        said = look_of(request).language.text("said.outcome_missing")
        return await show_alert(request, session, alert_id, said=said)
    desk, named = services_of(request).desk, Outcome(outcome)
    result = await run_in_threadpool(desk.close, session.viewer, alert_id, outcome=named, note=note.strip(), key=key)
    return await _after(request, session, alert_id, act="close", result=result, holder=None)


async def show_alert(request: Request, session: Session, alert_id: str, *, said: str) -> Response:
    """One alert, as a page or as the panel."""
    services = services_of(request)
    page = await run_in_threadpool(services.desk.alert, session.viewer, alert_id)
    if page is None:
        template = "absent_panel.html" if is_fragment_request(request) else "absent.html"
        return answer(request, template, session=session, values={"what": "alert"}, status=404)
    values = {
        "page": page,
        "view": row_view(page.row, session.viewer, now=services.clock.now()),
        "said": said,
        "outcomes": OUTCOMES,
    }
    template = "alert_panel.html" if is_fragment_request(request) else "alert.html"
    return answer(request, template, session=session, values=values)


async def _after(
    request: Request, session: Session, alert_id: str, *, act: str, result: ActResult, holder: Claim | None
) -> Response:
    services = services_of(request)
    if result is ActResult.NOT_FOUND:
        return answer(request, "absent.html", session=session, values={"what": "alert"}, status=404)
    said = _said(request, act, result=result, holder=holder)
    if not is_fragment_request(request):
        if result in _DONE:
            return redirect("/" if act == "close" else f"/alerts/{alert_id}")
        return await show_alert(request, session, alert_id, said=said)
    if "panel" in request.headers.get("hx-target", ""):
        return await show_alert(request, session, alert_id, said=said)
    rows = await run_in_threadpool(services.desk.rows, session.viewer, [alert_id])
    values = {"views": tuple(row_view(row, session.viewer, now=services.clock.now()) for row in rows), "said": said}
    return answer(request, "row_after_act.html", session=session, values=values)


def _said(request: Request, act: str, *, result: ActResult, holder: Claim | None) -> str:
    language = look_of(request).language
    if result in _DONE:
        return language.text(f"said.{act}")
    if result is ActResult.TAKEN_BY_OTHER and holder is not None:
        since_s = max(0, int((services_of(request).clock.now() - holder.at).total_seconds()))
        if since_s < 60:
            return language.text("said.taken_just_now", name=holder.name, n=since_s)
        return language.text("said.taken", name=holder.name, duration=language.duration(since_s))
    return language.text(f"said.{result.value}")
