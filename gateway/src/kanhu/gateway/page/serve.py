"""The page on its socket, for as long as the gateway runs; uvicorn carries it, imported here only.

uvicorn with h11, without its extras: pure Python wheels for every machine, and a parser that others attack, too.
"""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from kanhu.gateway.page.app import Page
from kanhu.gateway.page.clinic import Clinic
from kanhu.gateway.page.guard import own_hosts
from kanhu.gateway.places import PageConfig
from kanhu.vitals import RulePack

_MOST_CONNECTIONS = 32  # one browser opens six; more are not a doctor
_MOST_HEADER_BYTES = 16 * 1024
_END_S = 1


async def serve_page(clinic: Clinic, config: PageConfig, *, pack: RulePack) -> None:
    """Serve and keep watch until cancelled.

    Raises:
        OSError: the address is taken, or not this machine's.
        ModuleNotFoundError: the extra `page` is not installed.
    """
    page = Page(clinic, tongue=config.language, hosts=own_hosts(config.host, config.port), pack=pack)
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(clinic.watch(), name="page watch")
        try:
            await _serve(page, config)
        finally:
            watching.cancel()


async def _serve(page: Page, config: PageConfig) -> None:
    import uvicorn  # noqa: PLC0415  # an extra: a gateway without a page has none

    class Server(uvicorn.Server):
        """Leaves the signals to the gateway, which stops everything in its own order."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    server = Server(
        uvicorn.Config(
            page,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="error",  # bytes that are no request are answered, and fill no log
            access_log=False,
            server_header=False,
            h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_END_S,
        )
    )
    listening = _listen(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]), name="page server")
    try:
        await asyncio.shield(serving)
    finally:
        page.close()
        server.should_exit = True
        await asyncio.wait({serving})
        listening.close()


def _listen(config: PageConfig) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((config.host, config.port))
    except OSError:
        listening.close()
        raise
    return listening
