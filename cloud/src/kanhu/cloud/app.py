"""Assembles the web application of the county: API, change stream, pages, sign-in, security headers."""

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kanhu.cloud.api import events, routes
from kanhu.cloud.dashboard import pages
from kanhu.cloud.services import Services
from kanhu.cloud.staff.session import ForgedRequest, NotSignedIn
from kanhu.contract import VERSION

_CONTENT_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
_JSON_PATHS = ("/api/", "/events")


def create_app(services: Services) -> FastAPI:
    """The application; handlers find `services` as `request.app.state.services`."""
    app = FastAPI(title="kanhu county", version=VERSION, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.services = services
    app.include_router(routes.router)
    app.include_router(events.router)
    app.include_router(pages.router)
    app.add_exception_handler(NotSignedIn, _not_signed_in)
    app.add_exception_handler(ForgedRequest, _forged)
    app.add_middleware(SecurityHeaders)
    return app


class SecurityHeaders:
    """Adds what every answer carries; plain ASGI, so that streams pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, headers completed."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _not_signed_in(request: Request, _: Exception) -> Response:
    if request.url.path.startswith(_JSON_PATHS):
        return JSONResponse({"error": "not_signed_in"}, status_code=401)
    return RedirectResponse("/login", status_code=303)


def _forged(_: Request, _error: Exception) -> Response:
    return JSONResponse({"error": "forged_request"}, status_code=403)
