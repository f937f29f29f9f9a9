"""An app on a real port for a real browser, with the faults a network and a server can have."""

import asyncio
import socket
import threading
from types import TracebackType

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Faults", "Served"]

_POLL_S = 0.02


class Faults:
    """Passes everything on until told otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.frozen = False
        """The change stream stays open and says nothing."""
        self.broken = False
        """Rows are answered with an error."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")

        async def held_send(message: Message) -> None:
            while self.frozen and path == "/events":  # noqa: ASYNC110  # set from the test's own thread
                await asyncio.sleep(_POLL_S)
            await send(message)

        if self.broken and path == "/rows":
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body", "body": b"broken"})
            return
        await self._app(scope, receive, held_send)


class Served:
    """Serves an app on loopback from a thread, while the context lasts."""

    def __init__(self, app: ASGIApp, *, port: int = 0) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(
            app, log_config=None, log_level="critical", access_log=False, timeout_graceful_shutdown=1, lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> "Served":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(timeout=10)
        self._socket.close()
