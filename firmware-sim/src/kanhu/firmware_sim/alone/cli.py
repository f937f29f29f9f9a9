"""`kanhu-sim device NAME`: one simulated device on a serial line or a Bluetooth radio of its own."""

import argparse
import asyncio
import logging
import re
import signal
from collections.abc import Mapping
from pathlib import Path

import msgspec

from kanhu.contract.clock import SystemClock
from kanhu.firmware_sim.alone.models import find_model, model_names
from kanhu.firmware_sim.alone.stand import AloneFault, Options, serve
from kanhu.firmware_sim.scenario.model import DeviceFault

__all__ = ["add_device", "serve_device"]

_ADDRESS = re.compile(r"(?:[0-9A-F]{2}:){5}[0-9A-F]{2}")
_FIRST_ADDRESS = "F0:0D:00:00:00:01"
_KEY_BYTES = 16
_FAULTS = (*DeviceFault, *AloneFault)
_EXAMPLES = """examples:
  kanhu-sim device oximeter-cms50d --port run/oximeter
  kanhu-edge listen --serial run/oximeter

  kanhu-sim device thermometer-ble --hci 40001 --every 5
  kanhu-edge listen --ble F0:0D:00:00:00:01 --kind thermometer-ble --radio tcp-client:127.0.0.1:40001

  kanhu-sim device glucose-ble --hci 40001 --fault disconnects=0.3
  kanhu-sim device sensor-bthome --hci 40001 --key 000102030405060708090a0b0c0d0e0f
  kanhu-sim device strap-polar --hci 40001 --recording ecg.csv --recording fall.csv
"""


def add_device(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    device = verbs.add_parser(
        "device",
        help="serve one device by itself",
        description="Serves one simulated device until it is stopped, or has spoken --count times. Each step is a line "
        "of JSON on standard output. Devices: " + ", ".join(model_names()) + ".",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    device.add_argument("name", metavar="NAME", choices=model_names(), help="kind of device")
    device.add_argument("--port", type=Path, metavar="FILE", help="name of the serial line to make")
    device.add_argument(
        "--hci",
        type=int,
        default=0,
        metavar="PORT",
        help="port of 127.0.0.1 for a gateway's radio (default: a free one)",
    )
    device.add_argument("--address", type=_address, default=_FIRST_ADDRESS, help="its Bluetooth address")
    device.add_argument("--key", type=_key, metavar="HEX", help="seal what it advertises")
    device.add_argument(
        "--every", type=_seconds, metavar="S", help="say something so often (default: as the device does)"
    )
    device.add_argument("--count", type=int, metavar="N", help="stop after so many times")
    device.add_argument(
        "--recording", type=Path, action="append", default=[], metavar="FILE",
        help="signal to play, where it streams some; repeatable, one of each signal (docs/simulator.md)",
    )  # fmt: skip
    device.add_argument("--seed", type=int, default=1, help="of what is drawn (default 1)")
    device.add_argument(
        "--fault", type=_fault, action="append", default=[], metavar="WHAT[=AMOUNT]",
        help=f"repeatable: {', '.join(_FAULTS)}; an amount is a share of messages, seconds, or how often",
    )  # fmt: skip


def serve_device(options: argparse.Namespace) -> int:
    """Serve until stopped."""
    logging.getLogger("bumble").setLevel(logging.ERROR)
    asyncio.run(_serve(options))
    return 0


async def _serve(options: argparse.Namespace) -> None:
    chosen = Options(
        address=options.address, port=options.port, hci_port=options.hci, every_s=options.every, count=options.count,
        key=options.key, seed=options.seed, faults=tuple(options.fault), recordings=tuple(options.recording),
    )  # fmt: skip
    work = asyncio.create_task(serve(find_model(options.name), chosen, clock=SystemClock(), say=_say), name="serve")
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    await asyncio.wait([work])
    if not work.cancelled():
        work.result()


def _say(step: Mapping[str, object]) -> None:
    print(msgspec.json.encode(step).decode(), flush=True)


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text.upper()):
        raise argparse.ArgumentTypeError(f"{text!r} is no address such as F0:0D:00:00:00:01")
    return text.upper()


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise argparse.ArgumentTypeError(f"give {2 * _KEY_BYTES} hexadecimal digits")
    return key


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.001 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0.001 to 86400")
    return seconds


def _fault(text: str) -> tuple[str, float]:
    name, equals, amount = text.partition("=")
    if name not in set(_FAULTS):
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(_FAULTS)}")
    try:
        return name, float(amount) if equals else 0.0
    except ValueError:
        raise argparse.ArgumentTypeError(f"{amount!r} is no number") from None
