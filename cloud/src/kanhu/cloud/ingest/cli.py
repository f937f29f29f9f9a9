"""`kanhu-cloud ask`: what an administrator asks of a gateway."""

import argparse
from collections.abc import Callable

from kanhu.cloud.config import load_config
from kanhu.cloud.errors import SiteRefused
from kanhu.cloud.ingest.asking import FOLDER, want_live
from kanhu.cloud.ledger.database import LEDGER_FILE, Ledger
from kanhu.cloud.people.register import enrolled_gateway
from kanhu.contract import SystemClock
from kanhu.contract.request import MAX_LIVE_MINUTES

_EXAMPLES = """\
examples:
  kanhu-cloud ask live home-03 --config cloud.toml
  kanhu-cloud ask live home-03 --minutes 20 --resident r-0003 --config cloud.toml
  kanhu-cloud ask live home-03 --minutes 0 --config cloud.toml      end it early

The running county asks at the gateway's next heartbeat, a minute at most. What the
ledger lacks after it was put back to a backup needs no command: the county asks by itself.
"""

_Command = Callable[[argparse.Namespace], int]


def add_ask_commands(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    *,
    configured: Callable[[argparse.ArgumentParser, _Command], argparse.ArgumentParser],
) -> None:
    """Add `ask live`."""
    ask = verbs.add_parser(
        "ask", help="ask something of a gateway", epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    actions = ask.add_subparsers(required=True, metavar="WHAT")
    live = actions.add_parser(
        "live",
        help="send routine readings at once, for some minutes",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    configured(live, _live)
    live.add_argument("gateway", help="its id in the site file")
    live.add_argument("--minutes", type=_minutes, default=10, help=f"0 to {MAX_LIVE_MINUTES} (default 10); 0 ends it")
    live.add_argument("--resident", default="", help="pseudonym of the one person (default: everybody there)")


def _minutes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= MAX_LIVE_MINUTES):
        raise argparse.ArgumentTypeError(f"{text!r} is not 0 to {MAX_LIVE_MINUTES}")
    return int(text)


def _live(options: argparse.Namespace) -> int:
    config = load_config(options.config)
    ledger = Ledger(config.data / LEDGER_FILE)
    ledger.check()
    try:
        with ledger.read() as connection:
            if enrolled_gateway(connection, options.gateway) is None:
                raise SiteRefused(f"there is no gateway {options.gateway}; load a site file that names it")
    finally:
        ledger.close()
    want_live(
        config.data / FOLDER,
        gateway=options.gateway,
        minutes=options.minutes,
        resident=options.resident,
        now_ms=SystemClock().wall_ms(),
    )
    print(f"{options.gateway} is asked at its next heartbeat, for {options.minutes} minutes")
    return 0
