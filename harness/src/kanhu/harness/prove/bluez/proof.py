"""`./run prove bluez`: what a gateway does by Bluetooth holds with a real bluetoothd on a real kernel."""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path

from rich.table import Table

from kanhu.harness.errors import ProgramFailed
from kanhu.harness.prove.bluez.checks import CHECKS
from kanhu.harness.prove.bluez.debian import Debian, debian
from kanhu.harness.prove.bluez.machine import boot, qemu, version_of
from kanhu.harness.prove.bluez.room import FORGETS, PLAIN
from kanhu.harness.report import LIMITS_PATH, Output, Report, Value, console, finish, read_limits
from kanhu.harness.stopping import until_told

__all__ = ["Found", "main", "take"]

_NAME = "prove-bluez"
_CACHE = LIMITS_PATH.parents[1] / "run-data" / "bluez"
_WITHIN_S = 900.0
_PACKAGES = ("kanhu", "bleak", "bumble", "dbus-fast")
_EXAMPLES = f"""examples:
  ./run prove bluez --json
  ./run prove bluez --broken {FORGETS}        the gateway drops readings, and it ends with 1
  ./run prove bluez --broken {PLAIN}          a meter that tells its records unencrypted, and it ends with 1

Needs qemu-system-x86_64 (Debian: qemu-system-x86), on an x86-64 machine. Kernel, bluetoothd and dbus-daemon are fetched
by apt from this machine's sources, 100 MB, and unpacked into a folder; nothing is installed, and no root is needed.

exit code:
  0    every limit of harness/limits.toml, section {_NAME}, is kept
  1    one is broken
  2    wrong usage
  3    this machine cannot do it; the text says what is missing
  130  stopped by hand; nothing is left behind
"""


@dataclass(slots=True)
class Found:
    """What the machine said."""

    checks: list[tuple[str, str, float]] = field(default_factory=list)
    """Name, what happened, seconds."""
    figures: dict[str, Value] = field(default_factory=dict)
    kernel: str = ""
    boot_s: float = 0.0
    """Until the devices stood in the room, with all that Python has to load."""


def main(arguments: Sequence[str]) -> int:
    """Run the proof; 0 where every limit is kept."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    program = qemu()
    packages = debian(chosen.cache.resolve())
    began_s = time.monotonic()
    found = until_told(_conduct(packages, chosen.broken))
    figures: dict[str, Value] = {
        "checks": len(found.checks),
        "failed": sum(bool(happened) for _, happened, _ in found.checks),
        "boot_s": round(found.boot_s, 1),
        "seconds": round(time.monotonic() - began_s),
        **found.figures,
    }
    limits = read_limits(_NAME)
    limits["checks"] = replace(limits["checks"], bound=len(CHECKS))
    console().print(_table(found))
    versions = {package: metadata.version(package) for package in _PACKAGES}
    versions |= {"bluez": packages.version("bluez"), "linux": found.kernel, "qemu": version_of(program)}
    output = Output.TABLE_AND_JSON if chosen.json else Output.TABLE
    return finish(Report(_NAME, figures, limits, versions=versions), output=output)


def take(line: dict[str, object], found: Found, *, since_start_s: float) -> None:
    """Note one line of the machine.

    Raises:
        ProgramFailed: it says that it cannot go on.
    """
    match line:
        case {"ready": str(kernel)}:
            found.kernel, found.boot_s = kernel, since_start_s
        case {"check": str(name), "happened": str(happened), "seconds": float(seconds)}:
            found.checks.append((name, happened, seconds))
            print(f"bluez: {name}: {happened or 'held'}", file=sys.stderr, flush=True)
        case {"figures": dict(figures)}:
            found.figures |= figures
        case {"broken_off": reason}:
            raise ProgramFailed("the virtual machine", str(reason))


async def _conduct(packages: Debian, broken: str | None) -> Found:
    found, began_s = Found(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kanhu-bluez-") as folder:
        lines = boot(packages, Path(folder), [] if broken is None else [broken], within_s=_WITHIN_S)
        async with aclosing(lines):
            async for line in lines:
                take(line, found, since_start_s=time.monotonic() - began_s)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run prove bluez",
        description="Read devices by a real bluetoothd in a virtual machine, and break what can break in between.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--cache", type=Path, default=_CACHE, metavar="DIR", help="of packages (default run-data/bluez)"
    )
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--broken", choices=(FORGETS, PLAIN), help="plant this error: the proof has to go red")
    return parser


def _table(found: Found) -> Table:
    table = Table(title="the gateway and BlueZ", title_justify="left")
    for heading in ("check", "came of it"):
        table.add_column(heading, overflow="fold")
    table.add_column("s", justify="right")
    for name, happened, seconds in found.checks:
        table.add_row(name, happened or "held", f"{seconds:.1f}")
    return table
