"""The page as an ASGI application: a handful of addresses, and a stream that says when to look again."""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs

from kanhu.edge.cards import Scan
from kanhu.gateway.page.clinic import Clinic
from kanhu.gateway.page.guard import (
    MOST_BODY_BYTES,
    STATUS,
    Refusal,
    Refused,
    check_site,
    headers_of,
    read_form,
)
from kanhu.gateway.page.screens import Screens
from kanhu.gateway.page.words import Tongue, Words
from kanhu.vitals import RulePack

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_BODY_S = 5.0  # a form from the box's own browser is there at once
_STREAM_BEAT_S = 5.0  # the script calls the screen lost after three of these
_MOST_STREAMS = 8  # one screen needs one; each costs a socket and a task
_SECURITY = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        b"form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),  # with `no-referrer` a browser posts forms from origin `null`
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
_ASSETS = {
    "page.css": b"text/css; charset=utf-8",
    "page.js": b"text/javascript; charset=utf-8",
    "icon.svg": b"image/svg+xml",
}


class Page:
    """One clinic's page."""

    def __init__(self, clinic: Clinic, *, tongue: Tongue, hosts: frozenset[str], pack: RulePack) -> None:
        """Answer to these hosts only; begin in this language."""
        self._clinic = clinic
        self._hosts = hosts
        self._pack = pack
        self._tongue: Tongue = tongue
        self._token = secrets.token_urlsafe(24)
        self._streams = 0
        self._closing = asyncio.Event()
        folder = files("kanhu.gateway.page") / "static"
        self._assets = {name: (folder / name).read_bytes() for name in _ASSETS}
        self.refused: Counter[Refusal] = Counter()
        """Requests that were not obeyed, by reason."""

    def close(self) -> None:
        """End the streams: a browser opens its own anew."""
        self._closing.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        try:
            headers = headers_of(scope["headers"])
            check_site(headers, hosts=self._hosts)
            await self._answer(scope, headers, receive, send)
        except Refused as refused:
            self.refused[refused.reason] += 1
            text = b"" if refused.reason is Refusal.HOST else self._screens().refused().encode()
            await _send(send, int(STATUS[refused.reason]), text, (b"content-type", b"text/html; charset=utf-8"))

    async def _answer(self, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        if path in _ACTS:
            if method != "POST":
                raise Refused(Refusal.METHOD)
            form = read_form(headers, await _body(headers, receive), token=self._token)
            await _send(send, 303, b"", (b"location", self._act(path, form)))
            return
        if method != "GET":
            raise Refused(Refusal.METHOD)
        if path == "/events":
            await self._stream(receive, send)
            return
        name = path.removeprefix("/static/")
        if path != name and name in self._assets:
            await _send(send, 200, self._assets[name], (b"content-type", _ASSETS[name]))
            return
        text = self._screen(path, scope.get("query_string", b""))
        if text is None:  # nobody is chosen: there is nothing to measure yet
            await _send(send, 303, b"", (b"location", b"/"))
            return
        await _send(send, 200, text.encode(), (b"content-type", b"text/html; charset=utf-8"))

    def _screen(self, path: str, query: bytes) -> str | None:
        screens = self._screens()
        if path == "/":
            return screens.people(room=_room(query))
        if path == "/now":
            return screens.measuring()
        if path == "/today":
            return screens.today()
        if path == "/equipment":
            return screens.equipment()
        raise Refused(Refusal.NOT_FOUND)

    def _act(self, path: str, form: Mapping[str, str]) -> bytes:
        """Obey a form; returns where to look next."""
        if path == "/choose":
            if self._clinic.choose(form.get("resident", "")) is None:
                raise Refused(Refusal.FORM)
            return b"/now"
        if path == "/scan":
            return b"/now" if self._clinic.scan(form.get("code", "").strip()) is Scan.CHOSEN else b"/"
        if path == "/done":
            self._clinic.done()
            return b"/"
        if path == "/dose":
            self._clinic.dose_taken()
            return b"/now"
        self._tongue = "en" if form.get("language") == "en" else "zh"
        self._clinic.touch()
        return b"/"

    def _screens(self) -> Screens:
        return Screens(self._clinic, words=Words(self._tongue), token=self._token, pack=self._pack)

    async def _stream(self, receive: Receive, send: Send) -> None:
        if self._streams >= _MOST_STREAMS:
            raise Refused(Refusal.TOO_MANY)
        self._streams += 1
        gone = asyncio.create_task(_gone(receive), name="page stream ends")
        closing = asyncio.create_task(self._closing.wait(), name="page closes")
        try:
            await _start(send, 200, (b"content-type", b"text/event-stream"))
            revision = self._clinic.revision
            await _more(send, b"retry: 1000\ndata: %d\n\n" % revision)
            while True:
                news = asyncio.create_task(self._clinic.changed(revision), name="page waits for news")
                done, _ = await asyncio.wait(
                    {news, gone, closing}, timeout=_STREAM_BEAT_S, return_when=asyncio.FIRST_COMPLETED
                )
                news.cancel()
                if gone in done or closing in done:
                    break
                revision = max(revision, self._clinic.revision)
                await _more(send, b"data: %d\n\n" % revision)
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._streams -= 1
            for task in (gone, closing):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


_ACTS = frozenset({"/choose", "/scan", "/done", "/dose", "/language"})


def _room(query: bytes) -> str | None:
    try:
        found = parse_qs(query.decode("ascii"), max_num_fields=2, errors="strict").get("room")
    except ValueError:
        return None
    return found[0] if found else None


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(headers: Mapping[str, str], receive: Receive) -> bytes:
    """The whole body, if it is short and comes soon.

    Raises:
        Refused: with the reason.
    """
    length = headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > len(str(MOST_BODY_BYTES)) or int(length) > MOST_BODY_BYTES:
        raise Refused(Refusal.TOO_LARGE)
    body = b""
    try:
        async with asyncio.timeout(_BODY_S):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise Refused(Refusal.FORM)
                body += bytes(message.get("body", b""))
                if len(body) > MOST_BODY_BYTES:
                    raise Refused(Refusal.TOO_LARGE)
                if not message.get("more_body", False):
                    return body
    except TimeoutError:
        raise Refused(Refusal.TOO_SLOW) from None


async def _start(send: Send, status: int, *headers: tuple[bytes, bytes]) -> None:
    every = [*headers, (b"cache-control", b"no-store"), *_SECURITY]
    await send({"type": "http.response.start", "status": status, "headers": every})


async def _more(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _send(send: Send, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    await _start(send, status, *headers, (b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.body", "body": body})
