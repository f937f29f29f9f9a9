"""`./run bench gateway`: what a gateway costs under a steady load, and thingsboard-gateway under the same.

Programs side by side: kanhu's gateway with an oximeter on a serial line; the same with strap, cuff and button by radio;
that with the clinic page open besides; thingsboard-gateway with the settings it is shipped with. Each gets so many
readings a second besides, and says of each when it is on the disk. Devices are the simulator's; the radio of a machine
without one is Bumble.
"""

import argparse
import asyncio
import sys
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import httpx

from kanhu.contract import Clock, SystemClock
from kanhu.harness.bench.cost import Cost, Load, measure
from kanhu.harness.conform import candidates, thingsboard
from kanhu.harness.conform.candidates import Ground
from kanhu.harness.conform.county import Committed, ReferenceCounty
from kanhu.harness.conform.feed import HttpFeed, LineFeed
from kanhu.harness.conform.kanhu_county import start_broker
from kanhu.harness.conform.plain_county import PlainCounty
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.ports import free_port
from kanhu.harness.prove.telling import Teller, telling
from kanhu.harness.report import Output, Report, Value, finish, read_limits
from kanhu.harness.stopping import until_told
from kanhu.harness.village.processes import Processes
from kanhu.harness.village.stage import RECORDING, Stage, desk_client, open_ground, order, start_simulator

__all__ = ["main"]

_EXAMPLES = """examples:
  ./run bench gateway --json                       an hour
  ./run bench gateway --minutes 2
  ./run bench gateway --minutes 2 --alone          without thingsboard-gateway

exit code:
  0    every limit of harness/limits.toml, section bench-gateway, is kept
  1    one is broken
  2    wrong usage
  130  stopped by hand; nothing is left behind
"""
_NAME = "bench-gateway"
_PACKAGES = ("kanhu", "aiomqtt", "msgspec", "numpy", "zstandard", "bumble")
_FULL_MINUTES, _LONGEST_MINUTES = 60.0, 24 * 60.0
_READINGS_PER_S = 50.0
_PEOPLE = 10
_BROWSER_PAUSE_S, _BROWSER_PATIENCE_S = 1.0, 60.0
_STORAGE = "sqlite"  # of its three the one that is a database, as ours is
_SERIAL, _RADIO, _PAGE = "serial", "ble", "page"

_BY_CABLE = ("oximeter",)
_HOMES = {
    _SERIAL: _BY_CABLE,
    _RADIO: (*_BY_CABLE, "strap", "cuff", "button"),
    _PAGE: (*_BY_CABLE, "strap", "cuff", "button"),
}
_WORN = ("oximeter", "strap")
_KINDS = {"oximeter": "oximeter-cms50d", "strap": "strap-ble", "cuff": "cuff-ble", "button": "button-bthome"}


@dataclass(slots=True)
class _Course:
    """What all of them share, and how far they are."""

    folder: Path
    processes: Processes
    load: Load
    clock: Clock
    teller: Teller
    done_s: dict[str, float] = field(default_factory=dict)

    def tell(self, name: str, done_s: float) -> None:
        """One of them is so far."""
        self.done_s[name] = done_s
        self.teller.now(min(self.done_s.values()), f"{len(self.done_s)} gateways under load")


def main(arguments: Sequence[str]) -> int:
    """Measure; 0 where every limit is kept."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if not 0.1 <= chosen.minutes <= _LONGEST_MINUTES:
        parser.error(f"--minutes {chosen.minutes:g}: 0.1 to {_LONGEST_MINUTES:g}")
    if not 1 <= chosen.rate <= 1000:
        parser.error(f"--rate {chosen.rate:g}: 1 to 1000 readings a second")
    figures = until_told(_conduct(chosen))
    versions = {package: metadata.version(package) for package in _PACKAGES}
    versions |= {} if chosen.alone else {thingsboard.NAME: thingsboard.VERSION}
    report = Report(_NAME, figures, read_limits(_NAME), versions=versions)
    return finish(report, output=Output.TABLE_AND_JSON if chosen.json else Output.TABLE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run bench gateway",
        description="Memory, processor, start and accepting of a gateway, serial only and with Bluetooth, under a "
        "steady load; thingsboard-gateway beside it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=_FULL_MINUTES, help=f"how long (default {_FULL_MINUTES:g})")
    parser.add_argument(
        "--rate", type=float, default=_READINGS_PER_S, help=f"readings a second (default {_READINGS_PER_S:g})"
    )
    parser.add_argument("--alone", action="store_true", help="leave thingsboard-gateway out")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    return parser


async def _conduct(chosen: argparse.Namespace) -> dict[str, Value]:
    seconds = 60 * chosen.minutes
    program = None if chosen.alone else await _other_program()
    with telling(total_s=seconds) as teller:
        async with open_ground("kanhu-bench-") as (folder, processes):
            course = _Course(folder, processes, Load(seconds, chosen.rate), SystemClock(), teller)
            stage = await _devices(course)
            works = {name: _kanhu(course, name, stage.links[name]) for name in _HOMES}
            if program is not None:
                works["thingsboard"] = _thingsboard(course, program)
            return _figures(await _together(works))


async def _together(works: Mapping[str, Coroutine[object, object, Cost]]) -> dict[str, Cost]:
    """All at once; the first that fails ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(work, name=name) for name, work in works.items()}
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return {name: task.result() for name, task in tasks.items()}


def _figures(costs: Mapping[str, Cost]) -> dict[str, Value]:
    """Without a prefix: serial only."""
    figures: dict[str, Value] = {}
    for name, cost in costs.items():
        prefix = "" if name == _SERIAL else f"{name}_"
        figures |= {
            f"{prefix}rss_mb": round(cost.rss_mb, 1),
            f"{prefix}peak_mb": round(cost.peak_mb, 1),
            f"{prefix}cpu_percent": round(cost.cpu_percent, 2),
            f"{prefix}cold_start_s": round(cost.cold_start_s, 2),
            f"{prefix}accept_p99_ms": round(cost.accept_p99_ms, 1),
            f"{prefix}accepted": cost.accepted,
            f"{prefix}offered": cost.offered,
            f"{prefix}readings_per_s": round(cost.readings_per_s, 1),
        }
    return figures


async def _other_program() -> Path | None:
    try:
        return await thingsboard.ensure_installed(thingsboard.cache(), say=_say)
    except (ProgramFailed, OSError) as error:
        _say(f"{thingsboard.NAME} {thingsboard.VERSION} is left out: {error}")
        return None


async def _devices(course: _Course) -> Stage:
    """The simulated devices of both homes, playing."""
    stage = Stage(
        folder=course.folder, homes=(), processes=course.processes, county=desk_client(1), http_port=1,
        broker_port=1, say=course.teller.say,
    )  # fmt: skip  # a stage without a county
    await stage.county.close()
    scenario = course.folder / "bench.toml"
    # Longer than measured: nobody takes the clip off meanwhile.
    scenario.write_text(_scenario(round(course.load.seconds) + 600), encoding="utf-8")
    await start_simulator(stage, scenario, seed=1, recordings=RECORDING, patience_s=0)
    await order(stage, b"start")
    return stage


async def _kanhu(course: _Course, name: str, links: Mapping[str, Any]) -> Cost:
    clock, broker_port, feed_port = course.clock, free_port(), free_port()
    page_port = free_port() if name == _PAGE else None
    async with AsyncExitStack() as ends:
        folder = course.folder / name
        folder.mkdir()
        await start_broker(course.processes, folder=folder / "broker", port=broker_port, name=f"{name} broker")
        county = ReferenceCounty(broker_port, enrolled=frozenset({name}), committed=Committed(), clock=clock)
        listening = asyncio.create_task(county.run(), name=f"county of {name}")
        ends.push_async_callback(_cancelled, listening)
        await county.listening.wait()
        if page_port is not None:
            browsing = asyncio.create_task(_browse(page_port, clock), name="a browser at the page")
            ends.push_async_callback(_cancelled, browsing)
        settings = _write_settings(folder, name, links, broker_port=broker_port, page_port=page_port)
        command = [sys.executable, "-P", "-m", "kanhu.harness.bench.loaded_gateway"]
        command += ["--config", str(settings), "--feed-port", str(feed_port)]
        return await measure(
            name,
            command,
            feed=LineFeed(feed_port, clock=clock),
            load=course.load,
            processes=course.processes,
            clock=clock,
            tell=lambda done_s: course.tell(name, done_s),
        )


async def _thingsboard(course: _Course, program: Path) -> Cost:
    clock, county_port, feed_port = course.clock, free_port(), free_port()
    candidate = candidates.thingsboard_gateway(program, storage=_STORAGE)
    county = PlainCounty(county_port, clock)
    await county.start()
    try:
        ground = Ground(course.folder / candidate.name, "127.0.0.1", county_port, feed_port)
        return await measure(
            candidate.name,
            candidate.command(ground),
            feed=HttpFeed(f"http://127.0.0.1:{feed_port}/readings", clock=clock, extra=candidate.extra),
            load=course.load,
            processes=course.processes,
            clock=clock,
            tell=lambda done_s: course.tell(candidate.name, done_s),
        )
    finally:
        await county.kill()


def _scenario(seconds: int) -> str:
    """A home for each, its devices worn all the time."""
    text = f'name = "bench"\nduration_s = {seconds}\nstarts_at = "08:40"\nutc_offset_minutes = 480\n'
    for home, devices in _HOMES.items():
        text += f'\n[[home]]\nid = "{home}"\nresident = [{{ id = "r-{home}", age_years = 80, sex = "f" }}]\n'
        for device in devices:
            text += f'\n[[home.device]]\nid = "{device}-{home}"\nkind = "{_KINDS[device]}"\nperson = "r-{home}"\n'
        for device in _WORN:
            if device in devices:
                text += f'\n[[home.event]]\nat_s = 0\ndevice = "{device}-{home}"\naction = "wear"\n'
    return text


def _write_settings(
    folder: Path, name: str, links: Mapping[str, Any], *, broker_port: int, page_port: int | None
) -> Path:
    text = f'gateway = "{name}"\ndata = "{folder}"\ntimezone = "Asia/Shanghai"\n\n[broker]\nport = {broker_port}\n'
    if page_port is not None:
        text += f"\n[page]\nport = {page_port}\n"
    if name != _SERIAL:
        text += f'\n[radio]\nbumble = "{links["hci"]}"\n'
    text += "".join(f'\n[[resident]]\nid = "r-{number}"\n' for number in range(_PEOPLE))
    for device, link in links["devices"].items():
        way = "".join(f'{key} = "{link[key]}"\n' for key in ("address", "port") if key in link)
        text += f'\n[[device]]\nid = "{device}"\nkind = "{_KINDS[device.partition("-")[0]]}"\nresident = "r-0"\n{way}'
    file = folder / "gateway.toml"
    file.write_text(text, encoding="utf-8")
    return file


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _browse(port: int, clock: Clock) -> None:
    """Somebody looks all the time: the page's stream stays open, and at each news it is fetched, as its script does."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=_BROWSER_PATIENCE_S) as browser:
        while True:
            with suppress(httpx.HTTPError):  # not there yet
                async with browser.stream("GET", "/events") as events:
                    async for line in events.aiter_lines():
                        if line.startswith("data:"):
                            (await browser.get("/")).raise_for_status()
            await clock.sleep(_BROWSER_PAUSE_S)


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)
