"""A real broker as a child process, and a link to it that can be cut or made to swallow everything."""

import asyncio
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

_UP_WITHIN_S = 15.0


class Broker:
    """nats-server with MQTT on a port of loopback; state in a folder."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers MQTT."""
        self._folder.mkdir(parents=True, exist_ok=True)
        config = self._folder / "nats.conf"
        config.write_text(
            f'server_name: "test"\nlisten: "127.0.0.1:-1"\nmax_payload: 131072\n'
            f'jetstream {{ store_dir: "{self._folder / "store"}", max_memory_store: 64MB, max_file_store: 256MB }}\n'
            f'mqtt {{ listen: "127.0.0.1:{self.port}" }}\n',
            encoding="utf-8",
        )
        binary = Path(sys.executable).with_name("nats-server")
        log = (self._folder / "log").open("ab")
        self._process = subprocess.Popen([binary, "-c", config], stdout=log, stderr=log)
        log.close()
        deadline = time.monotonic() + _UP_WITHIN_S
        while not _answers(self.port):
            assert self._process.poll() is None, (self._folder / "log").read_text(encoding="utf-8")
            assert time.monotonic() < deadline, "the broker did not come up"
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def forget(self) -> None:
        """Lose everything it ever knew; only while it is dead."""
        shutil.rmtree(self._folder / "store", ignore_errors=True)


def _answers(port: int) -> bool:
    connect = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x05\x00\x04test"
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
        probe.settimeout(1)
        probe.sendall(connect)
        return probe.recv(4) == b"\x20\x02\x00\x00"
    return False


class Link:
    """A TCP relay to the broker that can stop carrying anything, as a mobile network does, without closing."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.connections = 0
        self.port = 0

    async def open(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cut everything."""
        self._server.close()
        for writer in list(self._writers):
            writer.close()
        await asyncio.sleep(0)

    def fall_silent(self) -> None:
        """Keep every connection, carry nothing."""
        self._flows.clear()

    def cut(self) -> None:
        """Cut every connection; the next is carried as before."""
        for writer in list(self._writers):
            writer.transport.abort()

    def recover(self) -> None:
        """Cut the connections that hang, carry the next."""
        self.cut()
        self._flows.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        with suppress(OSError, asyncio.CancelledError):
            back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
            self._writers.add(back_writer)
            pumps = [asyncio.create_task(self._pump(*ends)) for ends in ((reader, back_writer), (back_reader, writer))]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.wait(pumps)
            back_writer.close()
            self._writers.discard(back_writer)
        writer.close()
        self._writers.discard(writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
