"""The equipment page, and the one question on it: does a gateway that came back late stand where it should?"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from kanhu.cloud.dashboard.look import look_of
from kanhu.cloud.dashboard.respond import answer, redirect
from kanhu.cloud.desk.model import ActResult
from kanhu.cloud.staff.book import Session
from kanhu.cloud.staff.session import check_csrf, current_session, services_of
from kanhu.contract import Priority

__all__ = ["router"]

router = APIRouter(dependencies=[Depends(check_csrf)])

SignedIn = Annotated[Session, Depends(current_session)]
Identifier = Annotated[str, Path(max_length=128)]
Certificate = Annotated[str, Form(max_length=64)]


@router.get("/equipment")
async def equipment(request: Request, session: SignedIn) -> Response:
    """Gateways by people nobody can see, and what the county refused."""
    return await _page(request, session, said="")


@router.post("/gateways/{gateway_id}/confirm")
async def confirm(request: Request, session: SignedIn, gateway_id: Identifier, certificate: Certificate) -> Response:
    """It stands where it should."""
    return await _answered(request, session, services_of(request).desk.confirm_gateway, gateway_id, certificate)


@router.post("/gateways/{gateway_id}/take-away")
async def take_away(request: Request, session: SignedIn, gateway_id: Identifier, certificate: Certificate) -> Response:
    """It does not."""
    return await _answered(request, session, services_of(request).desk.take_gateway_away, gateway_id, certificate)


async def _answered(
    request: Request, session: Session, act: Callable[..., ActResult], gateway_id: str, certificate: str
) -> Response:
    result = await run_in_threadpool(act, session.viewer, gateway_id, certificate=certificate)
    if result is ActResult.NOT_FOUND:
        return answer(request, "absent.html", session=session, values={"what": "page"}, status=404)
    if result is ActResult.DONE:
        return redirect("/equipment")
    return await _page(request, session, said=look_of(request).language.text("equipment.answered"))


async def _page(request: Request, session: Session, *, said: str) -> Response:
    found = await run_in_threadpool(services_of(request).desk.equipment, session.viewer)
    silent = sum(gateway.state != "online" for gateway in found.gateways)
    values = {"found": found, "silent": silent, "technical": Priority.TECHNICAL, "said": said}
    return answer(request, "equipment.html", session=session, values=values)
