"""Where gateways ask for certificates: HTTPS with the county's own certificate, three small questions.

    GET  /ca      the authority's certificate; known by the fingerprint in the invitation
    POST /enrol   {gateway, token, request}                 a signing request, PEM
    POST /renew   {certificate, request, signature}         signed by the key of the certificate held so far
    GET  /updates/…   what was signed for gateways, as files; a part of one by Range

A renewal proves itself by that signature, not by the connection's own certificate: TLS would turn away the one that
ran out while its gateway was offline.

One address may ask so often (turnstile). Who is turned away costs no look into the ledger; how many that were is
written there at most every _TELL_EVERY_S, the rest with the next ask of anybody.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from kanhu.cloud.alerting.came_back import CameBack
from kanhu.cloud.authority.enrolment import Answer, Granted, Late, enrol, renew
from kanhu.cloud.authority.store import Authority
from kanhu.cloud.authority.turnstile import ASK_EVERY_S, Turnstile
from kanhu.cloud.config import Identity
from kanhu.cloud.guard import BodyLimit
from kanhu.cloud.ledger.counters import count
from kanhu.cloud.ledger.writer import Transaction, Writer
from kanhu.contract import Clock

_GRANTED = 200
_BODY_S = 10.0  # for at most 256 KiB
_TELL_EVERY_S = 10.0


class Enrol(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A first request."""

    gateway: str
    token: str
    request: str


class Renew(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A later one; `signature` is base64."""

    certificate: str
    request: str
    signature: str


class _Served(StaticFiles):
    """A folder that may come later, or never: until then nothing is found there."""

    async def check_config(self) -> None:
        """Ask nothing of the folder; each request looks for its own file."""


def create_door(
    authority: Authority, identity: Identity, writer: Writer, *, came_back: CameBack, updates: Path, clock: Clock
) -> Starlette:
    """The application that is served on `enrol_port`; `updates` is the folder that gateways read."""
    late = Late(identity.provisional_days, came_back)
    turnstile = Turnstile(clock)
    told_ns: list[int] = []

    async def ca(_: Request) -> Response:
        return PlainTextResponse(authority.issuer.pem.decode("ascii"))

    async def first(body: bytes) -> Response:
        asked = msgspec.json.decode(body, type=Enrol)
        csr = asked.request.encode()
        return await decide(
            lambda tx: enrol(tx, authority.issuer, gateway=asked.gateway, token=asked.token, request=csr)
        )

    async def later(body: bytes) -> Response:
        asked = msgspec.json.decode(body, type=Renew)
        signature = base64.b64decode(asked.signature, validate=True)
        held, csr = asked.certificate.encode(), asked.request.encode()
        return await decide(
            lambda tx: renew(tx, authority.issuer, certificate=held, request=csr, signature=signature, late=late)
        )

    def turned(answer: Callable[[bytes], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            with turnstile.passing("" if request.client is None else request.client.host) as ask:
                tell()
                if ask is None:
                    wait = {"retry-after": f"{ASK_EVERY_S:.0f}"}
                    said = {"answer": Answer.TOO_MANY.value, "now_ms": clock.wall_ms()}
                    return JSONResponse(said, status_code=429, headers=wait)
                async with asyncio.timeout(_BODY_S):
                    body = await request.body()
                response = await answer(body)
                ask.is_free = response.status_code == _GRANTED
                return response

        return guarded

    def tell() -> None:
        now_ns = clock.mono_ns()
        if turnstile.waiting and (not told_ns or now_ns - told_ns[0] >= _TELL_EVERY_S * 1e9):
            told_ns[:] = [now_ns]
            amount = {f"identity.{Answer.TOO_MANY}": turnstile.turned_away()}
            writer.submit(lambda tx: count(tx.connection, amount))

    async def decide(job: Callable[[Transaction], Granted]) -> Response:
        granted, now_ms = await asyncio.wrap_future(writer.submit(lambda tx: (job(tx), tx.now_ms)))
        if granted.answer is not Answer.GRANTED:
            return JSONResponse({"answer": granted.answer.value, "now_ms": now_ms}, status_code=403)
        return JSONResponse(
            {
                "answer": granted.answer.value,
                "certificate": granted.certificate.decode("ascii"),
                "issued_ms": granted.issued_ms,
                "now_ms": now_ms,
                "broker": {"host": identity.host, "port": identity.broker_port},
            }
        )

    door = Starlette(
        routes=[
            Route("/ca", ca, methods=["GET"]),
            Route("/enrol", turned(first), methods=["POST"]),
            Route("/renew", turned(later), methods=["POST"]),
            Mount("/updates", _Served(directory=updates, check_dir=False)),
        ],
        exception_handlers={
            msgspec.MsgspecError: _unreadable,
            ValueError: _unreadable,  # no base64, or text that no bytes stand for
            TimeoutError: _unreadable,
            ClientDisconnect: _unreadable,  # longer than any request: BodyLimit ended it
        },
    )
    door.add_middleware(BodyLimit)
    return door


def _unreadable(_: Request, _error: Exception) -> Response:
    return JSONResponse({"answer": Answer.BAD_REQUEST.value}, status_code=400)
