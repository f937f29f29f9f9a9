"""Requests that are not ours: oversized, slow, garbage, from other sites and under other names; and those that are."""

import asyncio
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kanhu.gateway.page.guard import MOST_BODY_BYTES
from tests.gateway.page.running import Bench, RunningPage, settings


@pytest.fixture
def running(tmp_path: Path, free_ports: Callable[[], int]) -> Iterator[RunningPage]:
    page = RunningPage(settings(tmp_path, port=free_ports(), language="en"))
    yield page
    page.stop()


class Browser:
    """Says exactly what it is told to."""

    def __init__(self, running: RunningPage) -> None:
        assert running.config.page is not None
        self.port = running.config.page.port
        self.host = f"127.0.0.1:{self.port}"

    def raw(self, data: bytes, *, wait_s: float = 10) -> bytes:
        """Bytes in, everything that comes back until the other side closes."""
        answer = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait_s) as link:
            link.sendall(data)
            while True:
                try:
                    piece = link.recv(65536)
                except (TimeoutError, ConnectionResetError):
                    return answer
                if not piece:
                    return answer
                answer += piece

    def ask(self, path: str, *, method: str = "GET", body: bytes = b"", **headers: str) -> tuple[int, str, str]:
        """Status, headers and body of one answer."""
        given = {"host": self.host, "connection": "close", **{key.replace("_", "-"): headers[key] for key in headers}}
        if method == "POST":
            given.setdefault("content-length", str(len(body)))
            given.setdefault("content-type", "application/x-www-form-urlencoded")
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        answer = self.raw(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body).decode()
        head, _, text = answer.partition("\r\n\r\n")
        return int(head.split(" ")[1]), head.lower(), text

    def token(self) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.ask("/")[2])
        assert found is not None
        return found[1]

    def post(self, path: str, **fields: str) -> tuple[int, str, str]:
        body = "&".join(f"{name}={value}" for name, value in {"token": self.token(), **fields}.items())
        return self.ask(path, method="POST", body=body.encode(), origin=f"http://{self.host}")


@pytest.fixture
def browser(running: RunningPage) -> Browser:
    return Browser(running)


def present(running: RunningPage) -> object:
    return running.call(lambda bench: bench.clinic.present().resident)


def test_a_person_is_chosen_finished_with_and_scanned(running: RunningPage, browser: Browser) -> None:
    status, head, _ = browser.post("/choose", resident="r-0003")
    assert (status, "location: /now" in head) == (303, True)
    assert present(running) == "r-0003"
    assert browser.ask("/now")[0] == 200
    assert "location: /" in browser.post("/done")[1]
    assert present(running) is None
    status, head, _ = browser.ask("/now")
    assert (status, "location: /\r" in head + "\r") == (303, True)
    assert "location: /now" in browser.post("/scan", code="KH0004")[1]
    assert present(running) == "r-0004"
    assert browser.post("/choose", resident="r-9999")[0] == 400
    assert present(running) == "r-0004"
    assert browser.post("/language", language="zh")[0] == 303
    assert 'lang="zh-CN"' in browser.ask("/")[2]


@pytest.mark.parametrize("path", ["/", "/today", "/equipment", "/static/page.js", "/events-not", "/choose"])
def test_every_answer_allows_no_script_but_ours_and_is_never_kept(browser: Browser, path: str) -> None:
    _, head, text = browser.ask(path)
    assert "content-security-policy: default-src 'none'; script-src 'self'" in head
    assert "unsafe" not in head
    assert "frame-ancestors 'none'" in head
    assert "cache-control: no-store" in head
    assert "x-content-type-options: nosniff" in head
    if path != "/static/page.js":
        assert not re.search(r"<script(?! src=)|<style| on\w+=| style=|https?://", text), "nothing inline, nothing far"


def test_another_name_for_this_address_gets_nothing(running: RunningPage, browser: Browser) -> None:
    for host in ("rebound.example", f"rebound.example:{browser.port}", "127.0.0.1", ""):
        status, _, text = browser.ask("/", host=host)
        assert (status, text) == (421, "")
    token = browser.token()
    body = f"token={token}&resident=r-0003".encode()
    assert browser.ask("/choose", method="POST", body=body, host=f"rebound.example:{browser.port}")[0] == 421
    assert present(running) is None


def test_a_form_of_another_site_does_nothing(running: RunningPage, browser: Browser) -> None:
    body = f"token={browser.token()}&resident=r-0003".encode()
    post = {"method": "POST", "body": body}
    assert browser.ask("/choose", **post, origin="http://rebound.example")[0] == 403  # type: ignore[arg-type]  # of two kinds
    assert browser.ask("/choose", **post, origin="null")[0] == 403  # type: ignore[arg-type]  # the same
    assert browser.ask("/choose", **post, sec_fetch_site="cross-site")[0] == 403  # type: ignore[arg-type]  # the same
    assert browser.ask("/choose", method="POST", body=b"resident=r-0003")[0] == 403
    assert browser.ask("/choose", method="POST", body=b"token=guess&resident=r-0003")[0] == 403
    assert browser.ask("/choose", **post, content_type="text/plain")[0] == 415  # type: ignore[arg-type]  # the same
    assert browser.ask("/choose?resident=r-0003")[0] == 405
    assert present(running) is None
    assert browser.ask("/choose", **post)[0] == 303, "a browser that names no origin is old, and has the token"  # type: ignore[arg-type]  # the same
    assert present(running) == "r-0003"


def test_too_much_is_refused_before_it_is_read(browser: Browser) -> None:
    much = b"token=x&code=" + b"9" * MOST_BODY_BYTES
    assert browser.ask("/scan", method="POST", body=much)[0] == 413
    assert browser.ask("/scan", method="POST", content_length="9" * 30)[0] in {400, 413}
    chunk = b"%x\r\n%s\r\n" % (len(much), much)
    head = f"POST /scan HTTP/1.1\r\nhost: {browser.host}\r\ncontent-type: application/x-www-form-urlencoded\r\n"
    sent = head.encode() + b"transfer-encoding: chunked\r\nconnection: close\r\n\r\n" + chunk + b"0\r\n\r\n"
    assert b" 413 " in browser.raw(sent)
    assert browser.ask("/" + "a" * 200_000)[0] == 400
    assert browser.ask("/")[0] == 200


@pytest.mark.parametrize(
    "data",
    [
        b"\x00" * 100,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xab" * 200,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        b"POST /scan HTTP/1.1\r\nhost: HOST\r\ncontent-length: -5\r\n\r\n",
        b"POST /scan HTTP/1.1\r\nhost: HOST\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nzz",
        b"GET /%00%ff%2e%2e%2fetc/passwd HTTP/1.1\r\nhost: HOST\r\nconnection: close\r\n\r\n",
        b"GET /static/../app.py HTTP/1.1\r\nhost: HOST\r\nconnection: close\r\n\r\n",
        b"GET /?room=%ff&room=%fe&a=1 HTTP/1.1\r\nhost: HOST\r\nconnection: close\r\n\r\n",
        b"DELETE / HTTP/1.1\r\nhost: HOST\r\nconnection: close\r\n\r\n",
        b"GET /events HTTP/1.1\r\nhost: HOST\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    ],
)
def test_garbage_is_answered_or_dropped_and_the_page_stays(browser: Browser, data: bytes) -> None:
    answer = browser.raw(data.replace(b"HOST", browser.host.encode()), wait_s=2)
    assert b"Traceback" not in answer
    assert b"root:" not in answer
    assert b"import" not in answer
    assert not answer or answer.startswith(b"HTTP/1.1 ")
    assert browser.ask("/")[0] == 200


def test_streams_are_few_say_when_something_changed_and_end_with_the_page(
    running: RunningPage, browser: Browser
) -> None:
    ask = f"GET /events HTTP/1.1\r\nhost: {browser.host}\r\n\r\n".encode()
    links = [socket.create_connection(("127.0.0.1", browser.port), timeout=10) for _ in range(8)]
    try:
        for link in links:
            link.sendall(ask)
            assert b"text/event-stream" in _read(link, b"data: ")
        assert browser.ask("/events")[0] == 503
        running.call(lambda bench: bench.clinic.choose("r-0003"))
        news = _read(links[0], b"\n\n")
        assert news.startswith(b"data: ") or b"data: " in news
        assert b"r-0003" not in news, "a stream tells that, never what"
        links.pop().close()
        _until(lambda: browser.raw(ask, wait_s=0.5).startswith(b"HTTP/1.1 200"))
    finally:
        for link in links:
            link.close()


async def test_a_body_that_does_not_come_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kanhu.contract import FakeClock
    from kanhu.gateway.page import app
    from kanhu.vitals import core_pack

    monkeypatch.setattr(app, "_BODY_S", 0.01)
    bench = Bench(settings(tmp_path), clock=FakeClock())
    page = app.Page(bench.clinic, tongue="en", hosts=frozenset({"h"}), pack=core_pack())
    said: list[app.Message] = []

    async def receive() -> app.Message:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(message: app.Message) -> None:
        said.append(message)

    headers = [(b"host", b"h"), (b"content-length", b"10"), (b"content-type", b"application/x-www-form-urlencoded")]
    scope: app.Scope = {"type": "http", "path": "/scan", "method": "POST", "headers": headers}
    await page(scope, receive, send)
    assert said[0]["status"] == 408
    assert page.refused == {"too_slow": 1}
    await bench.close()


def _read(link: socket.socket, until: bytes) -> bytes:
    data = b""
    while until not in data:
        piece = link.recv(4096)
        assert piece, data
        data += piece
    return data


def _until(holds: Callable[[], object]) -> None:
    for _ in range(40):
        if holds():
            return
    raise AssertionError("it did not come to hold")
