"""Turns a template and its values into an answer: language, form token, compression, headers."""

import gzip
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.parse import quote

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from kanhu.cloud.dashboard.assets import url_of
from kanhu.cloud.dashboard.look import look_of
from kanhu.cloud.dashboard.wording import Wording, client_words
from kanhu.cloud.services import Services
from kanhu.cloud.staff.book import Session
from kanhu.cloud.staff.session import services_of

__all__ = ["answer", "is_fragment_request", "redirect"]

_TEMPLATES = Path(__file__).parent / "templates"
_GZIP_FROM_BYTES = 600  # below this the header costs more than compression saves


@cache
def _environment() -> Environment:
    """Every value is text: markup in a name stays text in HTML, attributes and SVG."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["url_of"] = url_of
    environment.filters["path"] = lambda value: quote(str(value), safe="")
    return environment


def answer(
    request: Request,
    template: str,
    *,
    session: Session | None,
    values: Mapping[str, object],
    status: int = 200,
) -> Response:
    """One page or fragment, never kept by a cache: it shows people."""
    services = services_of(request)
    look = look_of(request)
    words = Wording(look.language, services.timezone, services.clock.now())
    html = (
        _environment()
        .get_template(template)
        .render(
            look=look,
            lang=look.language,
            t=look.language.text,
            n=look.language.count,
            w=words,
            session=session,
            viewer=session.viewer if session else None,
            csrf=session.csrf if session else "",
            county=services.county.of(look.language.code),
            heartbeat_s=services.settings.heartbeat_s,
            undo_s=services.settings.undo_s,
            zone=services.timezone.key,
            here=_here(request),
            client_words=client_words(look.language),
            **values,
        )
    )
    return _html(request, html, services=services, status=status)


def is_fragment_request(request: Request) -> bool:
    """Whether a script of the page asks, and wants only the part it will place."""
    return request.headers.get("hx-request") == "true"


def redirect(path: str) -> Response:
    """Go on by GET: a reload never posts a form again."""
    return Response(status_code=303, headers={"location": path, "cache-control": "no-store"})


def _here(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return request.url.path + query if request.method == "GET" else "/"


def _html(request: Request, html: str, *, services: Services, status: int) -> Response:
    body = html.encode()
    headers = {
        "cache-control": "no-store",
        # Not `no-referrer`: with that a browser sends forms with `Origin: null`, which the guard must refuse.
        "referrer-policy": "same-origin",
        "vary": "accept-encoding, cookie, accept-language, hx-request",
        "x-kanhu-now-ms": str(services.clock.wall_ms()),
    }
    # Cookies are SameSite=Strict, so no other site can make a browser fetch pages and measure their compressed length.
    if len(body) >= _GZIP_FROM_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 6, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(body, status_code=status, media_type="text/html; charset=utf-8", headers=headers)
