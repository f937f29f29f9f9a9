"""`./run bench devices`: what reading devices costs, from the codec to eight links at once.

Three parts. Each codec by itself on frames that its publisher has shown. One strap that sends as fast as the radio
takes it, through bleak and Bumble. Then eight Bluetooth links and four serial oximeters at their real rates in one
process; what was sent stands in the simulator's journal, so a frame that is lost shows.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from kanhu.edge.devices import DeviceConfig
from kanhu.harness.apart import Apart
from kanhu.harness.bench.codec_speed import microseconds_a_frame
from kanhu.harness.bench.device_reader import Plan, Read
from kanhu.harness.bench.peer_speed import beside, tell_beside
from kanhu.harness.errors import HarnessError, ProgramFailed
from kanhu.harness.ports import free_port
from kanhu.harness.prove.telling import Teller, telling
from kanhu.harness.report import Output, Report, Value, finish, read_limits
from kanhu.harness.stopping import until_told
from kanhu.harness.vectors.file import read_vectors
from kanhu.harness.vectors.second_opinion import peer as peer_program
from kanhu.harness.village.processes import Processes
from kanhu.harness.village.stage import RECORDING, Stage, desk_client, open_ground, order, start_simulator

__all__ = ["main"]

_EXAMPLES = """examples:
  ./run bench devices --json                  ten minutes of twelve devices, after the codecs and the burst
  ./run bench devices --minutes 1
  ./run bench devices --peers tests/vectors/device_vectors.json

exit code:
  0    every limit of harness/limits.toml, section bench-devices, is kept
  1    one is broken
  2    wrong usage
  130  stopped by hand; nothing is left behind
"""
_NAME = "bench-devices"
_PACKAGES = ("kanhu", "bleak", "bumble", "pyserial", "msgspec")
_MINUTES = 10.0
_BURST, _BURST_WARM_UP, _BURST_PATIENCE_S = 6000, 500, 120.0
_CODEC_S = 0.25
_LANDING_S = 4.0
"""After the last word of the devices: what is on its way arrives, and an oximeter is known to have paused."""
_HOME = "home-01"
_STRAPS, _CUFFS, _OXIMETERS = 6, 2, 4
_CUFF_EVERY_S = 30
_KINDS = {"strap": "strap-ble", "cuff": "cuff-ble", "oximeter": "oximeter-cms50d"}


def main(arguments: Sequence[str]) -> int:
    """Measure; 0 where every limit is kept."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if not 0.2 <= chosen.minutes <= 24 * 60:
        parser.error(f"--minutes {chosen.minutes:g}: 0.2 to 1440")
    if chosen.peers is not None:
        return _peers(chosen.peers)
    figures = until_told(_conduct(chosen))
    versions = {package: metadata.version(package) for package in _PACKAGES}
    report = Report(_NAME, figures, read_limits(_NAME), seed=1, versions=versions)
    return finish(report, output=Output.TABLE_AND_JSON if chosen.json else Output.TABLE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run bench devices",
        description="Microseconds a frame of each codec, notifications a second by radio, and twelve devices at once.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=_MINUTES, help=f"of the twelve (default {_MINUTES:g})")
    parser.add_argument(
        "--peers", type=Path, metavar="FILE.json",
        help="instead: libraries of the field beside our codecs, on the published frames of this file",
    )  # fmt: skip  # words by rows
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    return parser


def _peers(file: Path) -> int:
    """No limits: times of others are theirs."""
    try:
        vectors = read_vectors(file)
        with telling(total_s=0) as teller:
            start = Apart("second-opinion").ensure_installed(Path(peer_program.__file__), say=teller.say)
        tell_beside(until_told(beside(vectors, peer=start)))
    except HarnessError as error:
        print(f"kanhu: {error}", file=sys.stderr)
        return error.exit_code
    return 0


async def _conduct(chosen: argparse.Namespace) -> dict[str, Value]:
    with telling(total_s=60 * chosen.minutes) as teller:
        teller.say("codecs, one after the other")
        codecs = await asyncio.to_thread(microseconds_a_frame, seconds_each=_CODEC_S)
        async with open_ground("kanhu-devices-") as (folder, processes):
            teller.say(f"one strap, {_BURST} notifications as fast as they go")
            burst = await _burst(folder, processes)
            teller.say(f"{_STRAPS + _CUFFS} links and {_OXIMETERS} serial lines for {chosen.minutes:g} min")
            emitted, soak = await _soak(folder, processes, teller, seconds=round(60 * chosen.minutes))
    by_codec = sorted(codecs.items(), key=lambda one: one[1])
    taken = Counter(soak.accepted) + Counter(soak.refused)
    per_s = burst.counted / burst.seconds
    return {
        "codecs": len(codecs),
        "us_per_frame": round(by_codec[len(by_codec) // 2][1], 1),
        "us_per_frame_slowest": round(by_codec[-1][1], 1),
        "notifications_s": round(per_s, 1),
        "us_cpu_per_notification": round(1e6 * burst.cpu_s / burst.counted, 1),
        "burst_lost": _BURST - sum(burst.accepted.values()) - sum(burst.refused.values()),
        "frames_sent": sum(emitted.values()),
        "frames_lost": sum(max(0, count - taken[device]) for device, count in emitted.items()),
        "frames_twice": sum(max(0, taken[device] - count) for device, count in emitted.items()),
        "refused": sum(soak.refused.values()),
        "links_opened": sum(soak.links.values()),
        "cpu_percent": round(100 * soak.cpu_s / soak.seconds, 2),
        "rss_mb": round(soak.rss_mb, 1),
        **{f"us_{name}": round(microseconds, 1) for name, microseconds in by_codec},
    }


async def _burst(folder: Path, processes: Processes) -> Read:
    """Notifications as fast as a device gets rid of them."""
    port, address = free_port(), "F0:0D:00:00:00:01"
    tool = str(Path(sys.executable).with_name("kanhu-sim"))
    words = [
        "device",
        "strap-ble",
        "--hci",
        str(port),
        "--every",
        "0.001",
        "--count",
        str(_BURST),
        "--address",
        address,
    ]
    sender = await processes.start("strap", (tool, *words))
    sender.expected_to_run = False
    while b'"ready"' not in sender.log.read_bytes():
        processes.check()
        await asyncio.sleep(0.1)
    strap = DeviceConfig(id="strap", kind="strap-ble", address=address, subject="r-0001")
    plan = Plan((strap,), f"tcp-client:127.0.0.1:{port}", _BURST_WARM_UP)
    file = await _start_reader("burst", plan, folder, processes)
    began_s = asyncio.get_running_loop().time()
    while b'"done"' not in (said := sender.log.read_bytes()):
        processes.check()
        if asyncio.get_running_loop().time() - began_s > _BURST_PATIENCE_S:
            raise ProgramFailed("the strap", said.decode(errors="replace")[-2000:])
        await asyncio.sleep(0.2)
    await asyncio.sleep(_LANDING_S)
    return await _stop_reader("burst", file, processes)


async def _soak(folder: Path, processes: Processes, teller: Teller, *, seconds: int) -> tuple[Mapping[str, int], Read]:
    """All of them at once; what they sent, and what was read."""
    stage = Stage(
        folder=folder, homes=(), processes=processes, county=desk_client(1), http_port=1, broker_port=1, say=teller.say
    )  # a stage without a county
    await stage.county.close()
    scenario = folder / "devices.toml"
    scenario.write_text(_scenario(seconds), encoding="utf-8")
    await start_simulator(stage, scenario, seed=1, recordings=RECORDING, patience_s=30)
    links = stage.links[_HOME]
    devices = tuple(_device(name, link) for name, link in links["devices"].items())
    plan = Plan(devices, links["hci"], warm_up=len(devices))
    file = await _start_reader("reader", plan, folder, processes)
    await order(stage, b"start")
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while (passed_s := loop.time() - began_s) < seconds:
        processes.check()
        teller.now(passed_s, "twelve devices are read")
        await asyncio.sleep(1)
    await order(stage, b"stop")
    await asyncio.sleep(_LANDING_S)
    read = await _stop_reader("reader", file, processes)
    simulator = processes.children["simulator"]
    simulator.expected_to_run = False
    await order(stage, b"quit")
    await simulator.process.wait()
    totals = json.loads(stage.journal.read_text(encoding="utf-8").splitlines()[-1])
    return totals["emitted"], read


def _device(name: str, link: Mapping[str, Any]) -> DeviceConfig:
    kind = _KINDS[name.partition("-")[0]]
    return DeviceConfig(id=name, kind=kind, subject="r-0001", address=link.get("address"), port=link.get("port"))


def _scenario(seconds: int) -> str:
    """One home; straps and clips are worn all the time, and the cuffs measure by turns."""
    text = f'name = "devices"\nduration_s = {seconds + 120}\nstarts_at = "08:40"\nutc_offset_minutes = 480\n'
    text += f'\n[[home]]\nid = "{_HOME}"\nresident = [{{ id = "r-0001", age_years = 80, sex = "f" }}]\n'
    events = ""
    for kind, count in (("strap", _STRAPS), ("cuff", _CUFFS), ("oximeter", _OXIMETERS)):
        for number in range(1, count + 1):
            name = f"{kind}-{number:02d}"
            text += f'\n[[home.device]]\nid = "{name}"\nkind = "{_KINDS[kind]}"\nperson = "r-0001"\n'
            if kind == "cuff":
                times = range(5 * number, seconds, _CUFF_EVERY_S)
                events += "".join(_event(at_s, name, "measure") for at_s in times)
            else:
                events += _event(0, name, "wear")
    return text + events


def _event(at_s: int, device: str, action: str) -> str:
    return f'\n[[home.event]]\nat_s = {at_s}\ndevice = "{device}"\naction = "{action}"\n'


async def _start_reader(name: str, plan: Plan, folder: Path, processes: Processes) -> Path:
    plan_file, out = folder / f"{name}-plan.json", folder / f"{name}.json"
    plan_file.write_bytes(msgspec.json.encode(plan))
    command = (sys.executable, "-P", "-m", "kanhu.harness.bench.device_reader", str(plan_file), str(out))
    await processes.start(name, command)
    return out


async def _stop_reader(name: str, out: Path, processes: Processes) -> Read:
    await processes.stop(name)
    return _read_of(name, out, processes.children[name].log)


def _read_of(name: str, out: Path, log: Path) -> Read:
    if not out.exists():
        raise ProgramFailed(name, log.read_text(encoding="utf-8")[-3000:])
    return msgspec.json.decode(out.read_bytes(), type=Read)
