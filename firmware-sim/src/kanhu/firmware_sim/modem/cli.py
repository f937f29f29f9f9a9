"""`kanhu-sim modem`: a modem on a pseudo terminal, with faults that are switched while it runs."""

import argparse
import sys
from pathlib import Path

from kanhu.contract.clock import SystemClock
from kanhu.firmware_sim.modem.conversation import Fault
from kanhu.firmware_sim.modem.line import ModemLine

_SWITCHES = {"on": True, "off": False}


def add_modem(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    modem = verbs.add_parser(
        "modem",
        help="serve a serial modem that takes short messages",
        description="Serves a serial modem under FILE until the end of standard input. Each message, command and try "
        "of a PIN is a line of JSON on standard output. Lines on standard input switch faults: `on no_network`, "
        f"`off no_network`; `reply NUMBER TEXT` lets somebody write to the card. Faults: {', '.join(Fault)}.",
        epilog="example: kanhu-sim modem --port run/modem --fault slow --fault garbage",
    )
    modem.add_argument("--port", type=Path, required=True, metavar="FILE", help="name of the line to make")
    modem.add_argument("--fault", action="append", default=[], choices=tuple(Fault), help="on from the beginning")
    modem.add_argument("--pin", metavar="DIGITS", help="what the card wants to hear (default: nothing)")


def serve_modem(options: argparse.Namespace) -> int:
    """Serve until the end of standard input."""
    line = ModemLine(options.port.absolute(), clock=SystemClock(), log=sys.stdout, pin=options.pin)
    line.faults.update(Fault(name) for name in options.fault)
    try:
        for order in sys.stdin:
            _switch(line, order.split())
    except KeyboardInterrupt:
        pass
    finally:
        line.close()
    return 0


def _switch(line: ModemLine, words: list[str]) -> None:
    if len(words) == 2 and words[0] in _SWITCHES and words[1] in set(Fault):
        (line.faults.add if _SWITCHES[words[0]] else line.faults.discard)(Fault(words[1]))
    elif len(words) == 3 and words[0] == "reply":
        line.reply(words[1], words[2])
    elif words:
        print(
            f"kanhu-sim: orders are `on FAULT`, `off FAULT` and `reply NUMBER TEXT`, not {' '.join(words)!r}",
            file=sys.stderr,
        )
