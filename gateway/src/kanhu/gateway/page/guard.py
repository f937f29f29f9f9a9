"""Who may ask this page for anything: a browser on its own address, from its own pages. Pure.

The page has no sign-in: it is for a screen at the box. What it must keep out are other sites in the same browser (a
form posted across sites, a name that is rebound to this address) and bytes that are meant to hurt.
"""

import hmac
from collections.abc import Iterable, Mapping
from enum import StrEnum
from http import HTTPStatus
from urllib.parse import parse_qsl

MOST_BODY_BYTES = 4096
"""A form of this page has three short fields."""
MOST_FIELDS = 8
FORM_TYPE = "application/x-www-form-urlencoded"


class Refusal(StrEnum):
    """Why a request is not obeyed."""

    HOST = "host"
    """It asks for another name: some name was rebound to this address."""
    CROSS_SITE = "cross_site"
    METHOD = "method"
    NOT_FOUND = "not_found"
    TYPE = "type"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    FORM = "form"
    STALE_FORM = "stale_form"
    """The form is not one of this process's pages."""
    TOO_MANY = "too_many"


STATUS = {
    Refusal.HOST: HTTPStatus.MISDIRECTED_REQUEST,
    Refusal.CROSS_SITE: HTTPStatus.FORBIDDEN,
    Refusal.METHOD: HTTPStatus.METHOD_NOT_ALLOWED,
    Refusal.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Refusal.TYPE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Refusal.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Refusal.TOO_SLOW: HTTPStatus.REQUEST_TIMEOUT,
    Refusal.FORM: HTTPStatus.BAD_REQUEST,
    Refusal.STALE_FORM: HTTPStatus.FORBIDDEN,
    Refusal.TOO_MANY: HTTPStatus.SERVICE_UNAVAILABLE,
}


class Refused(Exception):
    """A request that is not obeyed."""

    def __init__(self, reason: Refusal) -> None:
        """Keep the reason; nothing of the request is kept or said."""
        super().__init__(reason.value)
        self.reason = reason


def own_hosts(host: str, port: int) -> frozenset[str]:
    """Values of a Host header that mean this page."""
    names = {f"[{host}]" if ":" in host else host}
    if host in {"127.0.0.1", "::1"}:
        names.add("localhost")
    return frozenset(f"{name}:{port}" for name in names)


def headers_of(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; one that comes twice, or is no text, is refused where it matters.

    Raises:
        Refused: a header that decides came twice.
    """
    found: dict[str, str] = {}
    for name, value in raw:
        key = name.decode("latin-1").lower()
        if key in found and key in _DECIDING:
            raise Refused(Refusal.HOST if key == "host" else Refusal.CROSS_SITE)
        found[key] = value.decode("latin-1")
    return found


_DECIDING = frozenset({"host", "origin", "sec-fetch-site", "content-type"})


def check_site(headers: Mapping[str, str], *, hosts: frozenset[str]) -> None:
    """Refuse what another name or another site asks for; any request.

    Raises:
        Refused: with the reason.
    """
    if headers.get("host", "").lower() not in hosts:
        raise Refused(Refusal.HOST)
    # `none` is an address typed in, or the kiosk's start page.
    if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise Refused(Refusal.CROSS_SITE)
    origin = headers.get("origin")
    if origin is not None and origin.lower() not in {f"http://{host}" for host in hosts}:
        raise Refused(Refusal.CROSS_SITE)


def read_form(headers: Mapping[str, str], body: bytes, *, token: str) -> dict[str, str]:
    """The fields of a posted form.

    Raises:
        Refused: with the reason.
    """
    if headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise Refused(Refusal.TYPE)
    try:
        fields = parse_qsl(body.decode("ascii"), strict_parsing=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise Refused(Refusal.FORM) from error
    form = dict(fields)
    if len(form) != len(fields):
        raise Refused(Refusal.FORM)
    if not hmac.compare_digest(form.get("token", "").encode(), token.encode()):
        raise Refused(Refusal.STALE_FORM)
    return form
