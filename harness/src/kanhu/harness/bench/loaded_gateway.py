"""A gateway that reads its devices as ever, and besides takes readings from a socket, one line each.

    python -m kanhu.harness.bench.loaded_gateway --config gateway.toml --feed-port 9000

Nothing else of the harness is loaded, so that memory is the product's own. A line is `{"n": number}`; it becomes a
heart rate of one of the residents of the settings, is judged and committed, and is answered by `{"accepted": number}`.
Lines do not wait for one another, as devices do not.
"""

import argparse
import asyncio
import logging
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import cast

import msgspec

from kanhu.contract import Clock, Observation, Part, Subject, SubjectKind, SystemClock, Times
from kanhu.edge.devices import Sink
from kanhu.edge.sensing import run_devices
from kanhu.gateway import GatewayConfig, load_config
from kanhu.gateway.config import prepare_folders
from kanhu.gateway.run import run_gateway

__all__ = ["LineDoor", "main", "take_lines"]

_PAUSE_S = 0.02
_BUFFER_BYTES = 4096


class _Line(msgspec.Struct):
    n: int


_LINE = msgspec.json.Decoder(_Line)


class LineDoor(asyncio.BufferedProtocol):
    """One connection to the harness. Cheap, so that what is measured is the gateway and not how it is fed.

    Buffered, as `asyncio.Protocol` asks the kernel for 256 KiB of fresh memory at every line.
    """

    def __init__(self, sink: Sink, *, residents: tuple[str, ...], clock: Clock) -> None:
        """Readings are of the residents in turn."""
        self.closed = asyncio.Event()
        self._sink = sink
        self._residents = residents
        self._clock = clock
        self._transport: asyncio.Transport | None = None
        self._buffer = memoryview(bytearray(_BUFFER_BYTES))
        self._begun = b""
        self._answers: list[bytes] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answers go there."""
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, _: int) -> memoryview:
        """Where lines are to be put."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Each whole line is a reading, and none waits for another."""
        *lines, self._begun = (self._begun + self._buffer[:nbytes]).split(b"\n")
        for line in lines:
            task = asyncio.create_task(self._take(_LINE.decode(line).n))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def connection_lost(self, _: Exception | None) -> None:
        """The harness went away."""
        for task in self._tasks:
            task.cancel()
        self.closed.set()

    async def _take(self, number: int) -> None:
        resident = self._residents[number % len(self._residents)]
        clock = self._clock
        times = Times(clock.wall_ms(), clock.mono_ns(), clock.boot, clock.state())
        parts = (Part("heart_rate", (62 + number % 17,)),)
        subject = Subject(SubjectKind.RESIDENT, resident)
        await self._sink.accept(Observation("heart_rate", parts, subject, f"fed-{resident}", times))
        if not self._answers:  # readings of one commit are answered together
            asyncio.get_running_loop().call_soon(self._answer)
        self._answers.append(b'{"accepted": %d}\n' % number)

    def _answer(self) -> None:
        if self._transport is not None and not self.closed.is_set():
            self._transport.write(b"".join(self._answers))
        self._answers.clear()


async def take_lines(port: int, sink: Sink, *, residents: tuple[str, ...], clock: Clock) -> None:
    """Take readings until cancelled; connect again where the harness goes away."""
    loop = asyncio.get_running_loop()
    while True:
        with suppress(OSError):
            made = partial(LineDoor, sink, residents=residents, clock=clock)
            transport, door = await loop.create_connection(made, "127.0.0.1", port)
            try:
                await door.closed.wait()
            finally:
                transport.close()
        await clock.sleep(_PAUSE_S)


async def _run(config: GatewayConfig, port: int) -> None:
    clock = SystemClock()
    devices = tuple(device.as_edge(gateway=config.gateway) for device in config.device)
    residents = tuple(resident.id for resident in config.resident)

    async def source(sink: Sink) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run_devices(devices, sink, clock=clock, radio=config.radio), name="devices")
            tasks.create_task(take_lines(port, sink, residents=residents, clock=clock), name="lines")

    await run_gateway(config, clock=clock, source=source)


def main() -> int:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(prog="loaded_gateway", description="A gateway under a steady load.")
    parser.add_argument("--config", type=Path, required=True, help="gateway.toml")
    parser.add_argument("--feed-port", type=int, required=True, help="where the harness hands readings over")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    config = load_config(chosen.config)
    prepare_folders(config, chosen.config)
    asyncio.run(_run(config, chosen.feed_port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
