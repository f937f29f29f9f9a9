"""Assembles the web application of the county: API, change stream, pages, sign-in, security headers."""

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException as AnyHTTPException

from kanhu.cloud.api import events, routes
from kanhu.cloud.dashboard import pages
from kanhu.cloud.dashboard.unknown import no_such_page
from kanhu.cloud.guard import BodyLimit, SecurityHeaders
from kanhu.cloud.services import Services
from kanhu.cloud.staff.session import ForgedRequest, NotSignedIn
from kanhu.contract import VERSION

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
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(AnyHTTPException, no_such_page)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    return app


def _not_signed_in(request: Request, _: Exception) -> Response:
    if request.url.path.startswith(_JSON_PATHS):
        return JSONResponse({"error": "not_signed_in"}, status_code=401)
    return RedirectResponse("/login", status_code=303)


def _forged(_: Request, _error: Exception) -> Response:
    return JSONResponse({"error": "forged_request"}, status_code=403)


def _invalid(_: Request, error: Exception) -> Response:
    """What is wrong, without what was sent: that may be a password, or text that no answer can carry."""
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    detail = [{name: each[name] for name in ("type", "loc", "msg")} for each in found]
    return JSONResponse({"detail": detail}, status_code=422)
