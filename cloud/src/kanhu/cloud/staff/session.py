"""Sessions in requests: the cookie, the signed-in viewer, and the guard against forged requests.

Handlers take `Depends(current_viewer)`; those that change anything also `Depends(check_csrf)`.
"""

import hmac
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from kanhu.cloud.desk.model import Viewer
from kanhu.cloud.errors import CloudError
from kanhu.cloud.services import Services, Transport
from kanhu.cloud.staff.book import SESSION_S, Session, SignIn, SignInReason

CSRF_FIELD = "csrf"
CSRF_HEADER = "x-csrf-token"

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class NotSignedIn(CloudError):
    """No session: the app answers 401, or leads a page to /login."""


class ForgedRequest(CloudError):
    """A changing request without the session's token, or from another site: the app answers 403."""


def services_of(request: Request) -> Services:
    """The services of this app."""
    services: Services = request.app.state.services
    return services


def cookie_name(transport: Transport) -> str:
    """`__Host-` only where the cookie can be Secure."""
    return "__Host-kanhu" if transport is Transport.HTTPS else "kanhu"


def session_token(request: Request) -> str:
    """The cookie's token, empty where there is none."""
    return request.cookies.get(cookie_name(services_of(request).settings.transport), "")


async def current_session(request: Request) -> Session:
    """The session of this request, or NotSignedIn."""
    token = session_token(request)
    found = await run_in_threadpool(services_of(request).staff.session, token) if token else None
    if found is None:
        raise NotSignedIn
    return found


async def current_viewer(session: Annotated[Session, Depends(current_session)]) -> Viewer:
    """Who is looking, or NotSignedIn."""
    return session.viewer


async def csrf_token(session: Annotated[Session, Depends(current_session)]) -> str:
    """What forms of this session carry in the field `csrf`."""
    return session.csrf


async def check_csrf(request: Request, session: Annotated[Session, Depends(current_session)]) -> None:
    """Refuse a changing request that does not carry the session's token (header, or field of a form)."""
    if request.method in _SAFE_METHODS:
        return
    check_origin(request)
    sent = request.headers.get(CSRF_HEADER)
    if sent is None:
        field = (await request.form()).get(CSRF_FIELD)
        sent = field if isinstance(field, str) else ""
    if not hmac.compare_digest(sent.encode(), session.csrf.encode()):
        raise ForgedRequest


def check_origin(request: Request) -> None:
    """Refuse a request that a browser says comes from another site; guards the sign-in form too."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise ForgedRequest
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise ForgedRequest


async def sign_in(request: Request, response: Response, *, name: str, password: str) -> SignIn:
    """Check name and password; where right, `response` sets the cookie."""
    check_origin(request)
    services = services_of(request)
    address = request.client.host if request.client else ""
    answer = await run_in_threadpool(services.staff.sign_in, name, password, address=address)
    if answer.reason is SignInReason.SIGNED_IN:
        response.set_cookie(
            cookie_name(services.settings.transport),
            answer.token,
            max_age=SESSION_S,
            path="/",
            httponly=True,
            samesite="strict",
            secure=services.settings.transport is Transport.HTTPS,
        )
    return answer


async def sign_out(request: Request, response: Response) -> None:
    """End the session and drop the cookie."""
    services = services_of(request)
    await run_in_threadpool(services.staff.sign_out, session_token(request))
    response.delete_cookie(cookie_name(services.settings.transport), path="/", httponly=True, samesite="strict")
