"""Coming in and going out, and how the screens look: sign-in, sign-out, language, theme, size of text."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from kanhu.cloud.dashboard.look import CHOICES, keep_look, safe_path
from kanhu.cloud.dashboard.respond import answer, redirect
from kanhu.cloud.staff.book import SignInReason
from kanhu.cloud.staff.session import check_csrf, check_origin, current_session, services_of, sign_in, sign_out

__all__ = ["router"]

router = APIRouter()

_MOST_NAME = 128
_MOST_PASSWORD = 1024  # hashing reads all of it


@router.get("/login")
async def login_page(request: Request) -> Response:
    """The form for name and password."""
    return answer(request, "login.html", session=None, values={"problem": None, "name": "", "retry_after_s": 0})


@router.post("/login")
async def login(
    request: Request,
    name: Annotated[str, Form(max_length=_MOST_NAME)] = "",
    password: Annotated[str, Form(max_length=_MOST_PASSWORD)] = "",
) -> Response:
    """Sign in, or say plainly why not."""
    response = redirect("/")
    result = await sign_in(request, response, name=name.strip(), password=password)
    if result.reason is SignInReason.SIGNED_IN:
        return response
    values = {"problem": result.reason.value, "name": name, "retry_after_s": result.retry_after_s}
    status = 429 if result.reason is SignInReason.TOO_MANY else 401
    refused = answer(request, "login.html", session=None, values=values, status=status)
    if result.retry_after_s:
        refused.headers["retry-after"] = str(result.retry_after_s)
    return refused


@router.post("/logout", dependencies=[Depends(current_session), Depends(check_csrf)])
async def logout(request: Request) -> Response:
    """End the session and clear what the browser kept of it."""
    response = redirect("/login")
    await sign_out(request, response)
    response.headers["clear-site-data"] = '"storage"'
    return response


@router.post("/look")
async def look(request: Request, to: Annotated[str, Form(max_length=512)] = "/") -> Response:
    """Keep one choice of language, theme or size; open to who has not signed in yet."""
    check_origin(request)
    response = redirect(safe_path(to))
    form = await request.form()
    transport = services_of(request).settings.transport
    for choice in CHOICES:
        value = form.get(choice)
        if isinstance(value, str):
            keep_look(response, choice, value, transport=transport)
    return response
