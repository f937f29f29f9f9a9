"""A gateway that reads its devices as ever, and besides takes readings from a socket, one line each.

    python -m kanhu.harness.bench.loaded_gateway --config gateway.toml --feed-port 9000

Nothing else of the harness is loaded, so that memory is the product's own. A line is `{"n": number}`; it becomes a
heart rate of one of the residents of the settings, is judged and committed, and is answered by `{"accepted": number}`.
Lines do not wait for one another, as devices do not.
"""

import argparse
import asyncio
import json
import logging
import sys
from contextlib import suppress
from pathlib import Path

from kanhu.contract import Clock, Observation, Part, Subject, SubjectKind, SystemClock, Times
from kanhu.edge.devices import Sink
from kanhu.edge.sensing import run_devices
from kanhu.gateway import GatewayConfig, load_config
from kanhu.gateway.config import prepare_folders
from kanhu.gateway.run import run_gateway

__all__ = ["main", "take_lines"]

_PAUSE_S = 0.02


async def take_lines(port: int, sink: Sink, *, residents: tuple[str, ...], clock: Clock) -> None:
    """Take readings until cancelled; connect again where the harness goes away."""
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            async with asyncio.TaskGroup() as tasks:
                while line := await reader.readline():
                    tasks.create_task(_take(json.loads(line)["n"], sink, writer, residents=residents, clock=clock))
            writer.close()
        await clock.sleep(_PAUSE_S)


async def _take(
    number: int, sink: Sink, writer: asyncio.StreamWriter, *, residents: tuple[str, ...], clock: Clock
) -> None:
    resident = residents[number % len(residents)]
    times = Times(clock.wall_ms(), clock.mono_ns(), clock.boot, clock.state())
    parts = (Part("heart_rate", (62 + number % 17,)),)
    subject = Subject(SubjectKind.RESIDENT, resident)
    await sink.accept(Observation("heart_rate", parts, subject, f"fed-{resident}", times))
    writer.write(b'{"accepted": %d}\n' % number)


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
