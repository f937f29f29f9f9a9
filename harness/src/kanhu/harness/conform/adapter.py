"""kanhu's gateway with the line feed as its only device: `python -m kanhu.harness.conform.adapter`.

Everything behind the device is the product's own: judge, outbox, uplink, supervisor. A reading is called accepted once
the sink has returned and has counted it.
"""

import argparse
import asyncio
import json
import logging
import sys
from contextlib import suppress
from pathlib import Path

from kanhu.contract import Clock, ClockState, Observation, Part, Subject, SubjectKind, SystemClock, Times
from kanhu.edge.devices import Sink
from kanhu.gateway.config import load_config, prepare_folders
from kanhu.gateway.intake import Intake
from kanhu.gateway.run import run_gateway
from kanhu.harness.conform.readings import METRIC

__all__ = ["feed_from", "main"]

_PAUSE_S = 0.2


def main() -> int:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m kanhu.harness.conform.adapter", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="gateway.toml")
    parser.add_argument("--feed-port", type=int, required=True, help="where the harness hands readings over")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    config = load_config(chosen.config)
    prepare_folders(config, chosen.config)
    clock = SystemClock()

    async def source(sink: Sink) -> None:
        await feed_from(chosen.feed_port, sink, gateway=config.gateway, clock=clock)

    asyncio.run(run_gateway(config, clock=clock, source=source))
    return 0


async def feed_from(port: int, sink: Sink, *, gateway: str, clock: Clock) -> None:
    """Take readings from the harness until cancelled; connect again whenever it goes away."""
    subject = Subject(SubjectKind.DWELLING, gateway)
    arrival_ms = 0
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            while line := await reader.readline():
                offered = json.loads(line)
                arrival_ms = max(arrival_ms + 1, clock.wall_ms())  # no two alike: an accepted one is known by it
                times = Times(arrival_ms, clock.mono_ns(), clock.boot, ClockState.SYNCED)
                parts = (Part(METRIC, (offered["value"],)),)
                await sink.accept(Observation(METRIC, parts, subject, offered["device"], times))
                if _was_accepted(sink, offered["device"], arrival_ms):
                    writer.write(json.dumps({"accepted": offered["n"]}).encode() + b"\n")
                    await writer.drain()
            writer.close()
        await clock.sleep(_PAUSE_S)


def _was_accepted(sink: Sink, device: str, arrival_ms: int) -> bool:
    """The sink returns as well where the card took nothing; it then has counted a refusal instead."""
    return isinstance(sink, Intake) and sink.last_reading_ms.get(device) == arrival_ms


if __name__ == "__main__":
    sys.exit(main())
