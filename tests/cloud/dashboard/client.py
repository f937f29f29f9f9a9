"""A browser without a screen: cookies, forms, and how many bytes came over the wire."""

import re
from types import TracebackType

import httpx

from tests.cloud.dashboard.fake_desk import FakeStaff, Scene

__all__ = ["SCRIPTED", "Browser"]

SCRIPTED = {"hx-request": "true"}


class Browser:
    """One signed-in browser against one app."""

    def __init__(self, shown: Scene, *, language: str = "en") -> None:
        self.scene = shown
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=shown.app),
            base_url="http://county.test",
            headers={"accept-language": language},
        )
        self._sent: dict[str, int] = {}
        self.client.event_hooks["response"].append(self._measure)

    async def __aenter__(self) -> "Browser":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.aclose()

    async def sign_in(self, name: str = "lijing") -> httpx.Response:
        """Send the form of the sign-in page."""
        return await self.client.post("/login", data={"name": name, "password": FakeStaff.PASSWORD})

    async def get(self, path: str, *, scripted: bool = False) -> httpx.Response:
        """Open a page, or a fragment as scripts ask for it."""
        return await self.client.get(path, headers=SCRIPTED if scripted else {})

    async def send(self, path: str, fields: dict[str, str], *, target: str = "") -> httpx.Response:
        """Send a form with the session's token; with a target, as htmx sends it."""
        headers = {**SCRIPTED, "hx-target": target} if target else {}
        return await self.client.post(path, data={"csrf": "csrf-lijing", **fields}, headers=headers)

    async def key_of(self, alert_id: str) -> str:
        """The idempotency key the board has put into an alert's form."""
        page = (await self.get("/")).text
        row = page[page.index(f'id="row-{alert_id}"') :]
        found = re.search(r'name="key" value="([^"]+)"', row)
        assert found is not None
        return found.group(1)

    def sent_bytes(self, path: str) -> int:
        """How long the last answer for a path was on the wire."""
        return self._sent[path]

    async def _measure(self, response: httpx.Response) -> None:
        raw = b"".join([part async for part in response.aiter_raw()])
        self._sent[response.request.url.raw_path.decode()] = len(raw)
        response._content = httpx.Response(  # aiter_raw has consumed what httpx would decode
            200, headers={"content-encoding": response.headers.get("content-encoding", "identity")}, content=raw
        ).content
