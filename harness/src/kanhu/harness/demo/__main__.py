"""Command line of the demo."""

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

from rich.markup import escape

from kanhu.harness.demo.conduct import Options, Outcome, bring_up, play, settle, village
from kanhu.harness.demo.report import as_json, as_rows, broken_limits
from kanhu.harness.demo.show import Timeline
from kanhu.harness.ports import free_port
from kanhu.harness.village.processes import ProcessDied
from kanhu.harness.village.stage import VillageFailed

_EXAMPLES = """examples:
  ./run demo                                          until Ctrl-C, with a login for the alert desk
  ./run demo --headless --seconds 120 --report demo.json
  ./run demo --headless --seconds 120 --kill broker,cloud --report demo.json
"""
_KILLABLE = ("broker", "cloud")
_SHORTEST_S = 60.0
_PORT = 8700
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # the last: somebody closed the terminal


def main() -> int:
    """Run the demo; 0 where every reading and every alert is accounted for."""
    parser = argparse.ArgumentParser(
        prog="./run demo",
        description="A village on this machine: broker, county, twelve homes, a clinic, and their simulated devices.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--headless", action="store_true", help="end by itself after --seconds (default 120)")
    parser.add_argument("--seconds", type=float, help=f"length of the whole run, at least {_SHORTEST_S:.0f}")
    parser.add_argument("--report", type=Path, help="write one JSON object here")
    parser.add_argument("--kill", default="", help=f"SIGKILL these in mid-run and restart them: {','.join(_KILLABLE)}")
    parser.add_argument("--seed", type=int, default=1, help="seed of the simulated bodies (default 1)")
    parser.add_argument("--port", type=int, help=f"port of the alert desk (default {_PORT}, or a free one if taken)")
    arguments = parser.parse_args()
    seconds = arguments.seconds if arguments.seconds is not None else (120.0 if arguments.headless else None)
    if seconds is not None and seconds < _SHORTEST_S:
        parser.error(f"--seconds {seconds:g} is too short: the village needs {_SHORTEST_S:.0f} s to wake and settle")
    kill = tuple(name for name in arguments.kill.split(",") if name)
    if unknown := [name for name in kill if name not in _KILLABLE]:
        parser.error(f"--kill knows {', '.join(_KILLABLE)}, not {', '.join(unknown)}")
    if arguments.report is not None and (trouble := _cannot_be_written(arguments.report)):
        parser.error(f"--report {arguments.report}: {trouble}")
    if arguments.port is not None and (trouble := _cannot_be_served(arguments.port)):
        parser.error(f"--port {arguments.port}: {trouble}")
    port = arguments.port or (free_port() if _cannot_be_served(_PORT) else _PORT)
    options = Options(seconds=seconds, kill=kill, seed=arguments.seed, http_port=port)
    return asyncio.run(_run(options, arguments.report))


async def _run(options: Options, report: Path | None) -> int:
    timeline = Timeline()
    if options.http_port != _PORT:
        timeline.say(f"the alert desk gets port {options.http_port}")
    outcome = Outcome()
    whole = asyncio.current_task()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for number in _STOPPING:  # a second Ctrl-C must not interrupt the cleaning up
            loop.add_signal_handler(number, lambda: timeline.say("stopping, a moment"))
        if whole is not None:
            whole.cancel()

    for number in _STOPPING:
        loop.add_signal_handler(number, stop)
    try:
        async with village(options, timeline, outcome) as stage:
            await bring_up(stage)
            await play(stage)
            await settle(stage)
    except asyncio.CancelledError:
        timeline.say("stopped; nothing is left behind")
        return 0 if options.seconds is None else 1
    except (VillageFailed, ProcessDied) as error:
        timeline.say(escape(str(error)), style="bold red")
        outcome.problems.append(str(error))
    else:
        outcome.problems += broken_limits(outcome) if options.seconds is not None else []
    timeline.result(as_rows(outcome), problems=outcome.problems)
    if report is not None:
        _write(report, outcome, options)
    return 1 if outcome.problems else 0


def _write(report: Path, outcome: Outcome, options: Options) -> None:
    report.write_text(json.dumps(as_json(outcome, options), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _cannot_be_written(report: Path) -> str:
    """Why the report could not be written at the end, said before the run and not after it."""
    if report.is_dir():
        return "is a folder"
    if not report.parent.is_dir():
        return "its folder does not exist"
    return "" if os.access(report if report.exists() else report.parent, os.W_OK) else "may not be written"


def _cannot_be_served(port: int) -> str:
    if not 0 < port < 65536:
        return "write a port from 1 to 65535"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does: only a listener counts
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            return "may not be used by this user; ports from 1024 on may"
        except OSError:
            return "is taken; choose another, or leave it out and a free one is found"
    return ""


if __name__ == "__main__":
    sys.exit(main())
