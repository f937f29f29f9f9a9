"""A county that signs, with keys of three people in hand, and a gateway that asks it over HTTP on loopback."""

import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import Metadata

from kanhu.cloud.updates.repository import Repository
from kanhu.gateway.updates.asking import Answer, Request
from kanhu.gateway.updates.fetch import look
from kanhu.gateway.updates.store import Store

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)


def new_key() -> CryptoSigner:
    return CryptoSigner.generate_ed25519()


def public(signer: CryptoSigner) -> SSlibKey:
    key = signer.public_key
    assert isinstance(key, SSlibKey)
    return key


class SigningCounty:
    """Holds all keys, which no county ever does; a test takes some of them away."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.public = folder / "public"
        self.holders = [new_key() for _ in range(3)]
        self.online = new_key()
        self.repository = Repository(self.public)
        self.now = NOW
        self.new_root(self.holders[:2])

    @property
    def first_root(self) -> Path:
        return self.public / "metadata" / "1.root.json"

    def new_root(self, signers: list[CryptoSigner]) -> None:
        """Of the holders and the online key as they are now."""
        draft = self.repository.draft_root([public(key) for key in self.holders], public(self.online), now=self.now)
        self.repository.publish_root(signed(draft, signers), now=self.now)

    def files(self, files: Mapping[str, str]) -> Path:
        folder = self.folder / "files"
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        folder.mkdir(exist_ok=True)
        return folder

    def draft(self, files: Mapping[str, str]) -> Metadata[Any]:
        return self.repository.draft_targets(self.files(files), now=self.now)

    def publish(self, files: Mapping[str, str]) -> int:
        """Sign and show a release; returns its number."""
        draft = signed(self.draft(files), self.holders[:2])
        self.repository.publish_targets(draft, self.folder / "files", now=self.now)
        self.refresh()
        number: int = draft.signed.version
        return number

    def refresh(self) -> None:
        self.repository.refresh(self.online, now=self.now)

    def metadata(self, name: str) -> Path:
        return self.public / "metadata" / name

    def overwrite(self, name: str, content: bytes) -> None:
        """Whatever anybody can do who holds the server."""
        file = self.metadata(name)
        file.unlink(missing_ok=True)
        file.write_bytes(content)


def signed(draft: Metadata[Any], signers: list[CryptoSigner]) -> Metadata[Any]:
    for signer in signers:
        draft.sign(signer, append=True)
    return draft


class _Handler(BaseHTTPRequestHandler):
    server: "Server"

    def do_GET(self) -> None:
        file = self.server.folder / self.path.removeprefix("/updates/")
        self.server.asked.append((self.path, self.headers.get("Range")))
        if not file.is_file():
            self.send_error(404)
            return
        content = file.read_bytes()
        begin = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        most = self.server.breaks_off_after if "/targets/" in self.path else None
        self.wfile.write(content[begin:] if most is None else content[begin : begin + most])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's own name
        """Be quiet."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.asked: list[tuple[str, str | None]] = []
        self.breaks_off_after: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/updates/"


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    with Server(folder) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class AskingGateway:
    """The real client with a card of its own."""

    def __init__(self, data: Path, root: Path, url: str, *, gateway: str = "home-03", group: str | None = None) -> None:
        data.mkdir()
        self.data = data
        self.root = data / "updates-root.json"
        shutil.copy(root, self.root)
        self.url = url
        self.gateway = gateway
        self.group = group
        self.store = Store(data)
        self.waited_s = 0.0

    def ask(self, now: datetime = NOW + timedelta(hours=1)) -> Answer:
        now_ms = round(now.timestamp() * 1000)
        request = Request(str(self.data), str(self.root), self.url, self.gateway, self.group, now_ms)
        return look(request, wait=self._wait)

    def files(self, answer: Answer) -> dict[str, str]:
        return self.store.read(answer.release).files

    def _wait(self, seconds: float) -> None:
        self.waited_s += seconds
