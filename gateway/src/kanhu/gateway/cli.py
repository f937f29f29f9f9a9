"""kanhu-gateway: run a gateway, or ask its doctor."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from kanhu.contract import VERSION, SystemClock
from kanhu.gateway.config import DEFAULT_FILE, GatewayConfig, load_config, prepare_folders
from kanhu.gateway.errors import ConfigRefused, OutboxError

_EXAMPLES = """examples:
  kanhu-gateway run --config /etc/kanhu/gateway.toml
  kanhu-gateway doctor
  kanhu-gateway doctor --config home-03.toml --json
"""
_DOCTOR = """exit code:
  0  all well
  1  something needs attention
  2  readings do not get through, or are at risk, or the settings cannot be used
"""
_TRIAL_FAILED = 1
_CONFIG_REFUSED = 2
_OUTBOX_REFUSED = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry of the command; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        config = load_config(chosen.config)
        if chosen.verb == "run":
            prepare_folders(config, chosen.config)
    except ConfigRefused as error:
        print(f"kanhu-gateway: {error}", file=sys.stderr)
        return _CONFIG_REFUSED
    if chosen.verb == "try-alarm":
        return _try_alarm(config, file=chosen.config)
    if chosen.verb == "doctor":
        return _doctor(config, as_json=chosen.json)
    return _run(config, level=chosen.log)


def _run(config: GatewayConfig, *, level: str) -> int:
    from kanhu.gateway.run import run_gateway  # noqa: PLC0415  # the doctor needs neither radio nor rules

    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(run_gateway(config, clock=SystemClock()))
    except OutboxError as error:
        print(f"kanhu-gateway: {error}", file=sys.stderr)
        return _OUTBOX_REFUSED
    return 0


def _try_alarm(config: GatewayConfig, *, file: Path) -> int:
    from kanhu.gateway.alarm.trial import try_alarm  # noqa: PLC0415  # only who asks for it needs it

    async def tried() -> list[bool]:
        well = []
        async for name, result in try_alarm(config, clock=SystemClock()):
            print(f"{name:<32} {result.outcome.value} {result.detail}".rstrip(), flush=True)
            well.append(result.well)
        return well

    try:
        well = asyncio.run(tried())
    except ConfigRefused as error:
        print(f"kanhu-gateway: {error}", file=sys.stderr)
        return _CONFIG_REFUSED
    if not well:
        print(f"kanhu-gateway: {file} fits no alarm: see [alarm] in docs/gateway.md", file=sys.stderr)
    return 0 if well and all(well) else _TRIAL_FAILED


def _doctor(config: GatewayConfig, *, as_json: bool) -> int:
    from kanhu.gateway.doctor import examine, exit_code  # noqa: PLC0415  # a running gateway needs no doctor

    checks = asyncio.run(examine(config, clock=SystemClock()))
    code = exit_code(checks)
    if as_json:
        print(msgspec.json.encode({"gateway": config.gateway, "exit": code, "checks": checks}).decode())
        return code
    width = max(len(check.name) for check in checks)
    for check in checks:
        print(f"{check.level.value:<9} {check.name:<{width}}  {check.found}")
        if check.remedy:
            print(f"{'':<9} {'':<{width}}  -> {check.remedy}")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kanhu-gateway",
        description="Reads the devices of one home or clinic, judges on the spot, and delivers to the county.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"kanhu-gateway {VERSION}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="run|doctor|try-alarm")
    run = verbs.add_parser(
        "run",
        help="run until SIGTERM or SIGINT",
        epilog="example:\n  kanhu-gateway run --config /etc/kanhu/gateway.toml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("--log", choices=("debug", "info", "warning", "error"), default="info", help="how much to say")
    doctor = verbs.add_parser(
        "doctor",
        help="say what is wrong and what to do",
        epilog=f"example:\n  kanhu-gateway doctor --json\n\n{_DOCTOR}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    doctor.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    trial = verbs.add_parser(
        "try-alarm",
        help="try voice, light and messages",
        description="Tells everybody by voice, light and message that this is a test; runs beside a gateway.",
        epilog="exit code:\n  0  all went well\n  1  something failed, or nothing is fitted\n  2  settings refused",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for verb in (run, doctor, trial):
        verb.add_argument("--config", type=Path, default=DEFAULT_FILE, help="settings file (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
