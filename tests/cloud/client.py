"""A plain client of the application, without a network: each request runs on the client's own event loop."""

import asyncio
from types import TracebackType
from typing import Any

import httpx
from fastapi import FastAPI


class Client:
    """Sends requests to an application; cookies are kept, as in a browser."""

    def __init__(self, app: FastAPI, *, base_url: str = "http://county") -> None:
        self._runner = asyncio.Runner()
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url)

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._http.aclose())
        self._runner.close()

    @property
    def cookies(self) -> httpx.Cookies:
        """What has been set so far."""
        return self._http.cookies

    def request(self, method: str, path: str, **rest: Any) -> httpx.Response:
        """One request."""
        return self._runner.run(self._http.request(method, path, **rest))

    def get(self, path: str, **rest: Any) -> httpx.Response:
        """GET."""
        return self.request("GET", path, **rest)

    def post(self, path: str, **rest: Any) -> httpx.Response:
        """POST."""
        return self.request("POST", path, **rest)

    def delete(self, path: str, **rest: Any) -> httpx.Response:
        """DELETE."""
        return self.request("DELETE", path, **rest)
