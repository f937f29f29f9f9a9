"""Readings of nobody known: what waits, whose it may be, and what staff say of it. Ids in addresses, never names."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from kanhu.cloud.dashboard.look import look_of
from kanhu.cloud.dashboard.respond import answer, redirect
from kanhu.cloud.ledger.nameless import SessionKey
from kanhu.cloud.nameless.model import Said
from kanhu.cloud.staff.book import Session
from kanhu.cloud.staff.session import check_csrf, current_session, services_of

__all__ = ["router"]

router = APIRouter(dependencies=[Depends(check_csrf)])

SignedIn = Annotated[Session, Depends(current_session)]
_MOST_PAGES = 100_000


@dataclass(frozen=True, slots=True)
class _InAddress:
    """Names a session in an address."""

    gateway: Annotated[str, Query(max_length=128)]
    epoch: Annotated[str, Query(max_length=128)]
    session: Annotated[str, Query(max_length=128)]


@dataclass(frozen=True, slots=True)
class _InForm:
    """Names a session in a form."""

    gateway: Annotated[str, Form(max_length=128)]
    epoch: Annotated[str, Form(max_length=128)]
    session: Annotated[str, Form(max_length=128)]


@router.get("/readings")
async def readings(
    request: Request, session: SignedIn, page: Annotated[int, Query(ge=1, le=_MOST_PAGES)] = 1
) -> Response:
    """What waits, and what was decided last."""
    return await _board(request, session, page=page)


@router.get("/readings/one")
async def reading(request: Request, session: SignedIn, of: Annotated[_InAddress, Depends()]) -> Response:
    """One session, with who is registered at its gateway."""
    return await _page(request, session, SessionKey(of.gateway, of.epoch, of.session))


@router.post("/readings/one")
async def search(
    request: Request,
    session: SignedIn,
    of: Annotated[_InForm, Depends()],
    words: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """The same, with who is found by these words; a form, because names stand in no address."""
    return await _page(request, session, SessionKey(of.gateway, of.epoch, of.session), words=words.strip())


@router.post("/readings/assign")
async def assign(
    request: Request,
    session: SignedIn,
    of: Annotated[_InForm, Depends()],
    resident: Annotated[str, Form(max_length=128)] = "",
) -> Response:
    """It is this person's."""
    key, desk = SessionKey(of.gateway, of.epoch, of.session), services_of(request).nameless
    if not resident:
        return await _page(request, session, key, said="readings.choose")
    result = await run_in_threadpool(desk.assign, session.viewer, key, resident=resident)
    return await _after(request, session, key, result)


@router.post("/readings/aside")
async def aside(request: Request, session: SignedIn, of: Annotated[_InForm, Depends()]) -> Response:
    """It is of none of ours."""
    return await _acted(request, session, services_of(request).nameless.set_aside, of)


@router.post("/readings/back")
async def back(request: Request, session: SignedIn, of: Annotated[_InForm, Depends()]) -> Response:
    """What was said of it was a mistake."""
    return await _acted(request, session, services_of(request).nameless.take_back, of)


async def _acted(request: Request, session: Session, act: Callable[..., Said], of: _InForm) -> Response:
    key = SessionKey(of.gateway, of.epoch, of.session)
    return await _after(request, session, key, await run_in_threadpool(act, session.viewer, key))


async def _after(request: Request, session: Session, key: SessionKey, result: Said) -> Response:
    if result is Said.DONE:
        return redirect("/readings")
    if result is Said.NOT_FOUND:
        return answer(request, "absent.html", session=session, values={"what": "page"}, status=404)
    if result is Said.TOO_MANY:
        return await _page(request, session, key, said="readings.too_many")
    return await _board(request, session, page=1, said="readings.answered")


async def _board(request: Request, session: Session, *, page: int, said: str = "") -> Response:
    found = await run_in_threadpool(services_of(request).nameless.board, session.viewer, page=page - 1)
    values = {"found": found, "said": look_of(request).language.text(said) if said else ""}
    return answer(request, "readings.html", session=session, values=values)


async def _page(request: Request, session: Session, key: SessionKey, *, words: str = "", said: str = "") -> Response:
    found = await run_in_threadpool(services_of(request).nameless.session, session.viewer, key, words=words)
    if found is None:
        return answer(request, "absent.html", session=session, values={"what": "page"}, status=404)
    values = {"found": found, "words": words, "said": look_of(request).language.text(said) if said else ""}
    return answer(request, "reading.html", session=session, values=values)
