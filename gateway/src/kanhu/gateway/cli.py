"""kanhu-gateway: run a gateway, ask its doctor, send word to who helps, or let the county know it."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kanhu.contract import VERSION, SystemClock
from kanhu.gateway.config import DEFAULT_FILE, GatewayConfig, load_config, prepare_folders
from kanhu.gateway.errors import ConfigRefused, EnrolmentFailed, IdentityUnusable, OutboxError

_EXAMPLES = """examples:
  kanhu-gateway run --config /etc/kanhu/gateway.toml
  kanhu-gateway doctor
  kanhu-gateway enrol --token 'kanhu-enrol://…'
  kanhu-gateway doctor --config home-03.toml --json
"""
_DOCTOR = """exit code:
  0  all well
  1  something needs attention
  2  readings do not get through, or are at risk, or the settings cannot be used
"""
_TRIAL_FAILED = 1
_NOT_WRITTEN = 1
_CONFIG_REFUSED = 2
_OUTBOX_REFUSED = 3
_NO_CERTIFICATE = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry of the command; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        config = load_config(chosen.config)
        if chosen.verb not in {"doctor", "diagnose"}:
            prepare_folders(config, chosen.config)
    except ConfigRefused as error:
        print(f"kanhu-gateway: {error}", file=sys.stderr)
        return _CONFIG_REFUSED
    if chosen.verb == "try-alarm":
        return _try_alarm(config, file=chosen.config)
    if chosen.verb == "doctor":
        return _doctor(config, as_json=chosen.json)
    if chosen.verb == "diagnose":
        return _diagnose(config, out=chosen.out, log=chosen.log)
    if chosen.verb in {"enrol", "renew"}:
        return _ask_county(config, invitation=chosen.token if chosen.verb == "enrol" else None)
    return _run(config, level=chosen.log)


def _run(config: GatewayConfig, *, level: str) -> int:
    from kanhu.gateway.run import run_gateway  # noqa: PLC0415  # the doctor needs neither radio nor rules
    from kanhu.gateway.updates.keeper import Updates  # noqa: PLC0415  # the same
    from kanhu.gateway.updates.start import start  # noqa: PLC0415  # the same
    from kanhu.gateway.watchdog import ServiceManager  # noqa: PLC0415  # the same

    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    clock, manager = SystemClock(), ServiceManager.named_in(os.environ)
    updates = Updates(config, start(config, clock=clock), clock=clock)
    try:
        asyncio.run(run_gateway(updates.config, clock=clock, manager=manager, updates=updates))
    except OutboxError as error:
        print(f"kanhu-gateway: {error}", file=sys.stderr)
        return _OUTBOX_REFUSED
    if updates.start_anew and manager.address is None:  # else whoever started us does so again
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
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


def _ask_county(config: GatewayConfig, *, invitation: str | None) -> int:
    from kanhu.gateway.enrol import enrol, renew  # noqa: PLC0415  # cryptography must not stay in a running gateway

    clock, text = SystemClock(), sys.stdin.readline() if invitation == "-" else invitation
    try:
        if text is None:
            given = renew(config.folder, gateway=config.gateway, clock=clock)
        else:
            given = enrol(config.folder, text, gateway=config.gateway, clock=clock)
    except (EnrolmentFailed, IdentityUnusable, OSError) as error:
        print(f"kanhu-gateway: {error}", file=sys.stderr)
        return _NO_CERTIFICATE
    until = datetime.fromtimestamp(given.until_ms / 1000, UTC)
    print(f"{config.gateway} holds a certificate until {until:%Y-%m-%d}; it renews itself")
    if given.clock_off:
        print("the clock of this box is more than a day off: nothing breaks by it, but let it reach a time server")
    broker = config.broker
    if (broker.host, broker.port, broker.tls) != (given.broker_host, given.broker_port, True):
        said = f'host = "{given.broker_host}"\nport = {given.broker_port}\ntls = true'
        print(f"now write this into the settings file, and start the gateway:\n\n[broker]\n{said}")
    return 0


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


def _diagnose(config: GatewayConfig, *, out: Path, log: Path | None) -> int:
    from kanhu.gateway.diagnosis import diagnose  # noqa: PLC0415  # only who asks for it needs it

    try:
        files = asyncio.run(diagnose(config, out, clock=SystemClock(), log=log))
    except OSError as error:
        print(f"kanhu-gateway: {error}", file=sys.stderr)
        return _NOT_WRITTEN
    print(f"{out}: {', '.join(files)}; no readings, names, numbers or keys")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kanhu-gateway",
        description="Reads the devices of one home or clinic, judges on the spot, and delivers to the county.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"kanhu-gateway {VERSION}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="run|doctor|diagnose|try-alarm|enrol|renew")
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
    diagnose = verbs.add_parser(
        "diagnose",
        help="one file for whoever helps from afar",
        description="Writes how this gateway is doing, and nothing of the people it watches over, into one file.",
        epilog="examples:\n  kanhu-gateway diagnose --out home-03.tar.gz\n"
        "  journalctl -u kanhu-gateway -o cat > log.txt; kanhu-gateway diagnose --out home-03.tar.gz --log log.txt",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    diagnose.add_argument("--out", type=Path, required=True, help="the file to write, FILE.tar.gz")
    diagnose.add_argument("--log", type=Path, help="a file with the gateway's log; its last lines go along, cleaned")
    trial = verbs.add_parser(
        "try-alarm",
        help="try voice, light and messages",
        description="Tells everybody by voice, light and message that this is a test; runs beside a gateway.",
        epilog="exit code:\n  0  all went well\n  1  something failed, or nothing is fitted\n  2  settings refused",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    enrol = verbs.add_parser(
        "enrol",
        help="take a certificate with the county's invitation",
        epilog="example:\n  kanhu-gateway enrol --token 'kanhu-enrol://county.example.org:8884/home-03/…'",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    enrol.add_argument(
        "--token", required=True, help="the whole text of the invitation; - reads it from a line of input"
    )
    renew = verbs.add_parser("renew", help="take the next certificate; a running gateway does so by itself")
    for verb in (run, doctor, diagnose, trial, enrol, renew):
        verb.add_argument("--config", type=Path, default=DEFAULT_FILE, help="settings file (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
