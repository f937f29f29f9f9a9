"""The command kanhu-edge: listen to one device, or replay readings from a file, and show what is made of them."""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from kanhu.contract import Observation, SystemClock, metric
from kanhu.edge.devices import DeviceConfig, DeviceSeen, RadioConfig
from kanhu.edge.errors import DeviceRefused, ReplayRefused
from kanhu.edge.kinds import kind_names
from kanhu.edge.pipeline import Judged, SensingPipeline
from kanhu.edge.replay import replay
from kanhu.edge.sensing import run_devices
from kanhu.vitals import (
    Judge,
    Language,
    PackRefused,
    Profile,
    RulePack,
    Runs,
    core_pack,
    load_pack,
    profile_from_tags,
    render,
)

_ON_A_PORT = "oximeter-cms50d"
_REFUSED = 2
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        printer = _Printer(options)
        if options.command == "replay":
            return _replay(options, printer)
        return asyncio.run(_listen(options, printer))
    except (DeviceRefused, PackRefused, ReplayRefused, ZoneInfoNotFoundError) as error:
        print(f"kanhu-edge: {error}", file=sys.stderr)
        return _REFUSED
    except OSError as error:
        text = error if error.filename is None else f"{error.filename}: {error.strerror}"
        print(f"kanhu-edge: {text}", file=sys.stderr)
        return _REFUSED
    except KeyboardInterrupt:
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kanhu-edge", description="See what a device sends and what is made of it.")
    commands = parser.add_subparsers(dest="command", required=True)
    judging = argparse.ArgumentParser(add_help=False)
    judging.add_argument("--pack", type=Path, help="rule pack to judge by (default: the one shipped)")
    judging.add_argument("--timezone", default="Asia/Shanghai", help="local days of the residents")
    judging.add_argument("--language", choices=[language.value for language in Language], default=Language.EN.value)
    judging.add_argument("--json", action="store_true", help="one JSON object a line")
    listen = commands.add_parser("listen", parents=[judging], help="read one device until interrupted")
    way = listen.add_mutually_exclusive_group(required=True)
    way.add_argument("--serial", metavar="PORT", help="device on this serial port")
    way.add_argument("--ble", metavar="ADDRESS", help="Bluetooth device with this address")
    listen.add_argument(
        "--kind", choices=kind_names(), help=f"what the device is; {_ON_A_PORT} on a serial port where nothing is said"
    )
    listen.add_argument("--radio", metavar="TRANSPORT", help="Bumble transport to use in place of BlueZ")
    listen.add_argument("--resident", metavar="ID[=TAG,TAG]", help="whom the device measures; without it nobody known")
    again = commands.add_parser("replay", parents=[judging], help="judge readings from a file")
    again.add_argument("file", type=Path, help="one observation a line, as JSON")
    again.add_argument(
        "--resident", metavar="ID=TAG,TAG", action="append", default=[], help="tags of a resident; may be repeated"
    )
    again.add_argument("--all", action="store_true", help="show readings from which nothing was raised too")
    return parser


def _replay(options: argparse.Namespace, printer: "_Printer") -> int:
    profiles = dict(_profile(text) for text in options.resident)
    pipeline = _pipeline(printer.pack, options.timezone, profiles)
    with options.file.open("rb") as lines:
        for judged in replay(lines, pipeline=pipeline):
            if options.all or judged.findings:
                printer.judged(judged)
    return 0


async def _listen(options: argparse.Namespace, printer: "_Printer") -> int:
    resident, profile = _profile(options.resident) if options.resident else (None, None)
    if options.serial:
        kind = options.kind or _ON_A_PORT
        device = DeviceConfig(id="listened", kind=kind, port=options.serial, subject=resident)
    elif options.kind is None:
        raise DeviceRefused("listened", "kind", "say what the device is: --kind cuff-ble, for example")
    else:
        device = DeviceConfig(id="listened", kind=options.kind, address=options.ble, subject=resident)
    profiles = {} if resident is None or profile is None else {resident: profile}
    sink = _PrintingSink(_pipeline(printer.pack, options.timezone, profiles), printer)
    await run_devices([device], sink, clock=SystemClock(), radio=RadioConfig(bumble=options.radio))
    return 0


def _profile(text: str) -> tuple[str, Profile]:
    resident, _, tags = text.partition("=")
    return resident, profile_from_tags(resident, [tag for tag in tags.split(",") if tag])


def _pipeline(pack: RulePack, timezone: str, profiles: Mapping[str, Profile]) -> SensingPipeline:
    return SensingPipeline(Judge(pack, Runs.GATEWAY, profiles, _zone(timezone)), profiles=profiles)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError) as error:  # a folder of zones, or a path that leads elsewhere
        raise ZoneInfoNotFoundError(f"no time zone {name[:64]!r}") from error


class _Printer:
    """Writes what happened, for people or as one JSON object a line."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.pack = core_pack() if options.pack is None else load_pack(options.pack.read_bytes())
        self._language = Language(options.language)
        self._json = options.json

    def judged(self, judged: Judged) -> None:
        if self._json:
            decisions = [{"rule": decision.rule, "reason": decision.reason} for decision in judged.decisions]
            self._line({"reading": judged.observation, "decisions": decisions, "findings": judged.findings})
            return
        print(_words(judged.observation))
        for decision in judged.decisions:
            print(f"    {decision.rule}: {decision.reason.value}")
            if decision.finding is not None:
                finding = decision.finding
                sentence = render(self.pack, finding, self._language)
                print(f"    {finding.priority.value} {finding.phase.value} {finding.alert_id}: {sentence.title}")
                print(f"    {sentence.text}")

    def refused(self, reason: str, detail: str) -> None:
        if self._json:
            self._line({"refused": reason, "detail": detail})
        else:
            print(f"refused: {reason} ({detail})")

    def seen(self, seen: DeviceSeen) -> None:
        if self._json:
            self._line({"device": seen})
        else:
            battery = "" if seen.battery_percent is None else f", battery {seen.battery_percent} %"
            print(f"device: {seen.reason.value} {seen.detail}".rstrip() + battery)

    def _line(self, what: Mapping[str, object]) -> None:
        print(msgspec.json.encode(what).decode(), flush=True)


class _PrintingSink:
    """Judges and prints; nothing is stored."""

    def __init__(self, pipeline: SensingPipeline, printer: _Printer) -> None:
        self._pipeline = pipeline
        self._printer = printer

    async def accept(self, observation: Observation) -> None:
        self._printer.judged(self._pipeline.take(observation))

    async def refuse(self, device: str, reason: str, detail: str) -> None:
        del device  # there is only one
        self._printer.refused(reason, detail)

    def device_seen(self, seen: DeviceSeen) -> None:
        self._printer.seen(seen)


def _words(observation: Observation) -> str:
    when = datetime.fromtimestamp(observation.times.shown_ms() / 1000, UTC)
    values = []
    for part in observation.parts:
        row = metric(part.metric)
        numbers = ", ".join(f"{row.value(step).normalize():f}" for step in part.steps)
        values.append(f"{row.en} {numbers} {row.ucum or ''}".rstrip())
    quality = observation.quality
    doubts = f" [{quality.level.value}: {', '.join(quality.reasons)}]" if quality.reasons else ""
    return f"{when:%Y-%m-%d %H:%M:%S} UTC  {observation.subject.id}  {'; '.join(values)}{doubts}"
