"""Gets files from the county, slowly: alerts share the link.

After the first 4 KiB at most 600 bytes a second are read, half of what the slowest link of the fault model carries
(9.6 kbit/s), and the receive buffer is small, so that no more than a few kilobytes are ever on the way. What was got of
a file is kept: the next attempt asks for the rest. Nothing is believed here; TUF checks every byte afterwards.
"""

import hashlib
import http.client
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from tuf.api.exceptions import DownloadError, DownloadHTTPError, DownloadLengthMismatchError
from tuf.ngclient import FetcherInterface

BYTES_A_SECOND = 600
_PIECE = 512
_REST = (HTTPStatus.PARTIAL_CONTENT, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
_BUFFER_BYTES = 4096
_PATIENCE_S = 60.0
MOST_BYTES = 1 << 20
"""Of one round: no county's list and files for one gateway are larger."""


class SlowFetcher(FetcherInterface):
    """One round's fetcher."""

    def __init__(self, *, tls: ssl.SSLContext | None, parts: Path, wait: Callable[[float], None] = time.sleep) -> None:
        """Unfinished files lie in `parts`; `wait` is given seconds after each piece."""
        self._tls = tls
        self.folder = parts
        self._wait = wait
        self.received = 0

    def forget(self) -> None:
        """Drop whatever was got of anything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _fetch(self, url: str) -> Iterator[bytes]:
        immutable = "/targets/" in url  # their names carry their digest: the rest belongs to the beginning
        part = self.folder / hashlib.sha256(url.encode()).hexdigest() if immutable else None
        have = part.read_bytes() if part is not None and part.exists() else b""
        connection = self._connected(url)
        try:
            headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={len(have)}-"} if have else {})
            connection.request("GET", urlsplit(url).path, headers=headers)
            answer = connection.getresponse()
            if answer.status == HTTPStatus.OK:
                have = b""
            elif not have or answer.status not in _REST:
                raise DownloadHTTPError(f"{url}: {answer.status}", answer.status)
        except BaseException:
            connection.close()
            raise
        return self._whole(connection, answer, part, have)

    def _whole(
        self, connection: http.client.HTTPConnection, answer: http.client.HTTPResponse, part: Path | None, have: bytes
    ) -> Iterator[bytes]:
        try:
            if have:
                yield have
            if answer.status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:  # else all of it was there already
                yield from self._rest(answer, part, fresh=not have)
        except (OSError, http.client.HTTPException) as error:
            raise DownloadError(f"the download broke off: {error}") from error
        finally:
            connection.close()

    def _rest(self, answer: http.client.HTTPResponse, part: Path | None, *, fresh: bool) -> Iterator[bytes]:
        if part is not None:
            part.parent.mkdir(parents=True, exist_ok=True)
            if fresh:
                part.unlink(missing_ok=True)
        while piece := answer.read1(_PIECE):
            self.received += len(piece)
            if self.received > MOST_BYTES:
                raise DownloadLengthMismatchError(f"more than {MOST_BYTES} bytes in one round")
            if part is not None:
                with part.open("ab") as file:
                    file.write(piece)
            yield piece
            if self.received > _BUFFER_BYTES:  # so much may be on the way in any case
                self._wait(len(piece) / BYTES_A_SECOND)
        if answer.length:
            raise DownloadError(f"the download broke off: {answer.length} bytes are missing")

    def _connected(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        plain = socket.socket(family, kind, protocol)
        try:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)  # before: it sets the first window
            plain.settimeout(_PATIENCE_S)
            plain.connect(address)
            tls = (self._tls or ssl.create_default_context()) if secure else None
            held = plain if tls is None else tls.wrap_socket(plain, server_hostname=host)
        except OSError:
            plain.close()
            raise
        connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE_S)
        connection.sock = held
        return connection
