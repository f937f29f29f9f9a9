"""The door for Prometheus: one page, on this machine only, in our own few lines of HTTP.

Whoever connects has five seconds and four kibibytes, and there are four at a time; nobody holds the gateway up.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress

from kanhu.gateway.errors import OutboxError
from kanhu.gateway.metrics import CONTENT_TYPE

HOST = "127.0.0.1"
_PATIENCE_S = 5.0
_MOST_BYTES = 4096
_MOST_GUESTS = 4
_REQUEST = re.compile(rb"(?P<method>[A-Z]+) (?P<path>/[!-~]*) HTTP/1\.[01]")
# A page in somebody's browser that calls itself by another name must not read this one (DNS rebinding).
_HOSTS = re.compile(rb"\r\nhost:[ \t]*(?:127\.0\.0\.1|localhost)(?::\d{1,5})?[ \t]*\r\n", re.IGNORECASE)

_log = logging.getLogger(__name__)


async def keep_metrics_door(port: int, page: Callable[[], Awaitable[str]]) -> None:
    """Answer until cancelled.

    Raises:
        OSError: the port is taken.
    """
    guests: set[asyncio.StreamWriter] = set()

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guests.add(writer)
        try:
            with suppress(ConnectionError, TimeoutError, asyncio.IncompleteReadError):
                async with asyncio.timeout(_PATIENCE_S if len(guests) <= _MOST_GUESTS else 0):
                    writer.write(await _answer(reader, page))
                    writer.close()
                    await writer.wait_closed()
        finally:
            guests.discard(writer)
            writer.transport.abort()

    server = await asyncio.start_server(welcome, HOST, port, limit=_MOST_BYTES)
    _log.info("metrics at http://%s:%d/metrics", HOST, port)
    try:
        async with server:
            await server.serve_forever()
    finally:
        for guest in guests:
            guest.transport.abort()


async def _answer(reader: asyncio.StreamReader, page: Callable[[], Awaitable[str]]) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        return _reply(431)
    asked = _REQUEST.fullmatch(head.partition(b"\r\n")[0])
    if asked is None or not _HOSTS.search(head):
        return _reply(400)
    if asked["path"].partition(b"?")[0] != b"/metrics":
        return _reply(404)
    if asked["method"] != b"GET":
        return _reply(405)
    try:
        return _reply(200, await page())
    except (OutboxError, OSError):
        return _reply(503)


_WORDS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


def _reply(code: int, text: str = "") -> bytes:
    body = (text or f"{_WORDS[code]}\n").encode()
    head = (
        f"HTTP/1.1 {code} {_WORDS[code]}\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n"
    )
    return head.encode() + body
