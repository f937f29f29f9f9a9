"""`kanhu-sim`: serves simulated homes to gateways, records them in virtual time, plays the traffic of fleets.

While it serves, lines on standard input are orders: `start`, `stop`, `quit`. Standard output carries one JSON line for
each step of the play.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from kanhu.contract.clock import SystemClock
from kanhu.firmware_sim.alone.cli import add_device, serve_device
from kanhu.firmware_sim.errors import ScenarioRefused, SimulatorError
from kanhu.firmware_sim.fleet.cli import add_fleet, run_fleet
from kanhu.firmware_sim.hurried_clock import FASTEST, SLOWEST, HurriedClock
from kanhu.firmware_sim.journal import Journal
from kanhu.firmware_sim.modem.cli import add_modem, serve_modem
from kanhu.firmware_sim.recording.cli import add_record, record
from kanhu.firmware_sim.scenario import Scenario, load_scenario, recordings_folder
from kanhu.firmware_sim.scenario.model import Depth
from kanhu.firmware_sim.simulator import Announcement, Order, Simulator

_ORDERS = {b"start": Order.START, b"stop": Order.STOP, b"quit": Order.QUIT}
_READ_BYTES = 4096
_LONGEST_PATIENCE_S = 86_400.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 when all went well, 2 when the scenario was refused."""
    options = _parser().parse_args(arguments)
    try:
        return _VERBS[options.verb](options)
    except SimulatorError as error:
        print(f"kanhu-sim: {error}", file=sys.stderr)
    except (OSError, ExceptionGroup) as error:
        first = _first_of(error)
        if not isinstance(first, OSError):
            raise
        print(f"kanhu-sim: {_remedy(first)}", file=sys.stderr)
    return 2


def _remedy(error: OSError) -> str:
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else what is left of it is written at the end
        return "nobody reads its standard output any more; read it to the end, or send it to a file"
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{error.strerror}; name a place that can be written and has room"


def _first_of(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _serve_homes(options: argparse.Namespace) -> int:
    # Bumble warns about what is normal here, such as data for a gateway that was just killed.
    logging.basicConfig(level=logging.WARNING, format="kanhu-sim: %(message)s")
    logging.getLogger("bumble").setLevel(logging.ERROR)
    state: Path = options.state.absolute()
    scenario = load_scenario(options.scenario, recordings=options.recordings)
    if scenario.depth is Depth.PURE:
        raise ScenarioRefused(options.scenario, "depth", 'is "pure"; play it with kanhu-sim record')
    state.mkdir(parents=True, exist_ok=True)
    (state / "links.json").unlink(missing_ok=True)  # one of an earlier run would point to closed doors
    asyncio.run(_serve(scenario, state, options))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kanhu-sim", description="Simulated devices, homes and people.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    serve = verbs.add_parser(
        "serve",
        help="serve all homes of a scenario",
        description="Serves all homes of a scenario: writes DIR/links.json when every door is open, waits for the "
        "line `start`, plays. `stop` ends emission, `quit` or the end of standard input ends the program.",
        epilog="example: kanhu-sim serve --scenario morning.toml --state run --journal run/truth.ndjson --autostart",
    )
    serve.add_argument("--scenario", type=Path, required=True, metavar="FILE", help="what to play")
    serve.add_argument("--state", type=Path, required=True, metavar="DIR", help="for serial lines and links.json")
    serve.add_argument("--journal", type=Path, required=True, metavar="FILE", help="where the truth is written")
    serve.add_argument(
        "--recordings", type=Path, metavar="DIR", help="recorded beats, instead of the scenario's folder"
    )
    serve.add_argument("--seed", type=int, metavar="N", help="instead of the scenario's")
    serve.add_argument(
        "--patience",
        type=_patience,
        default=0.0,
        metavar="S",
        help="after start, wait so long for every device to be read",
    )
    serve.add_argument("--autostart", action="store_true", help="start at once, ignore the end of standard input")
    serve.add_argument(
        "--speed", type=_speed, default=1.0, metavar="X", help="play so many times as fast, from 0.1 to 20 (default 1)"
    )
    add_record(verbs)
    add_fleet(verbs)
    add_modem(verbs)
    add_device(verbs)
    return parser


def _patience(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _LONGEST_PATIENCE_S:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0 to {_LONGEST_PATIENCE_S:g}")
    return seconds


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not SLOWEST <= speed <= FASTEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from {SLOWEST:g} to {FASTEST:g}")
    return speed


async def _serve(scenario: Scenario, state: Path, options: argparse.Namespace) -> None:
    clock = SystemClock()
    devices = [device.id for home in scenario.home for device in home.device]
    journal = Journal(options.journal, clock=clock, devices=devices)
    simulator = Simulator(
        scenario,
        recordings=options.recordings or recordings_folder(scenario, options.scenario),
        state=state,
        journal=journal,
        clock=HurriedClock(clock, speed=options.speed),
        announce=_announce,
        seed=options.seed,
        patience_s=options.patience,
    )
    orders: asyncio.Queue[Order] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, orders.put_nowait, Order.QUIT)
    if options.autostart:
        orders.put_nowait(Order.START)
    at_end = None if options.autostart else Order.QUIT
    threading.Thread(target=_read_orders, args=(loop, orders, at_end), daemon=True, name="orders").start()
    try:
        await simulator.serve(orders)
    finally:
        journal.close()


def _read_orders(loop: asyncio.AbstractEventLoop, orders: "asyncio.Queue[Order]", at_end: Order | None) -> None:
    """Turn lines of standard input into orders; a thread, because standard input may be a file or a terminal."""
    rest = b""
    while data := os.read(0, _READ_BYTES):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            word = line.strip()
            if word in _ORDERS:
                loop.call_soon_threadsafe(orders.put_nowait, _ORDERS[word])
            elif word:
                print(f"kanhu-sim: orders are start, stop and quit, not {word!r}", file=sys.stderr)
    if at_end is not None:
        loop.call_soon_threadsafe(orders.put_nowait, at_end)


def _announce(announcement: Announcement) -> None:
    print(msgspec.json.encode(announcement).decode(), flush=True)


_VERBS = {"serve": _serve_homes, "record": record, "fleet": run_fleet, "modem": serve_modem, "device": serve_device}
