"""The command kanhu-edge: listen to devices, capture what they send, or replay a file; and show what is made of it."""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from kanhu.contract import Observation, SystemClock, metric
from kanhu.edge.capture import CaptureWriter
from kanhu.edge.capture_replay import is_capture, replay_capture
from kanhu.edge.devices import DeviceConfig, DeviceSeen, RadioConfig, Stretch
from kanhu.edge.errors import CaptureRefused, DeviceRefused, ReplayRefused
from kanhu.edge.kinds import SerialKind, find_kind, kind_names
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
_LISTENED = "listened"
_LISTEN_EXAMPLES = """examples:
  kanhu-edge listen --serial /dev/ttyUSB0
  kanhu-edge listen --ble F0:0D:00:00:00:03 --kind cuff-ble --resident r-0003=copd
  kanhu-edge listen --device strap-ble=F0:0D:00:00:00:04 --device sensor-bthome=F0:0D:00:00:00:05 --key 0001...0f
"""
_CAPTURE_EXAMPLES = """examples:
  kanhu-edge capture --serial /dev/ttyUSB0 --out oximeter.capture
  kanhu-edge replay oximeter.capture --all
"""
_SAMPLE_BYTES = 2
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
    except (CaptureRefused, DeviceRefused, PackRefused, ReplayRefused, ZoneInfoNotFoundError) as error:
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
    reading = argparse.ArgumentParser(add_help=False)
    reading.add_argument("--serial", metavar="PORT", help="device on this serial port")
    reading.add_argument("--ble", metavar="ADDRESS", help="Bluetooth device with this address")
    reading.add_argument(
        "--kind", choices=kind_names(), help=f"what it is; {_ON_A_PORT} on a serial port where nothing is said"
    )
    reading.add_argument(
        "--device", metavar="KIND=WAY", action="append", default=[], help="a port or an address; repeatable"
    )
    reading.add_argument("--key", metavar="HEX", help="what the devices seal with")
    reading.add_argument("--radio", metavar="TRANSPORT", help="Bumble transport to use in place of BlueZ")
    reading.add_argument("--resident", metavar="ID[=TAG,TAG]", help="whom they measure; without it nobody known")
    commands.add_parser(
        "listen",
        parents=[judging, reading],
        help="read devices until interrupted",
        epilog=_LISTEN_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    capture = commands.add_parser(
        "capture",
        parents=[judging, reading],
        help="read devices and keep what they send, byte by byte",
        epilog=_CAPTURE_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    capture.add_argument("--out", type=Path, required=True, metavar="FILE", help="file to make; it must not exist")
    again = commands.add_parser("replay", parents=[judging], help="judge a capture, or readings from a file")
    again.add_argument("file", type=Path, help="of `capture`, or one observation a line, as JSON")
    again.add_argument("--key", metavar="HEX", help="of a capture: what its devices seal with")
    again.add_argument(
        "--resident", metavar="ID=TAG,TAG", action="append", default=[], help="tags of a resident; may be repeated"
    )
    again.add_argument("--all", action="store_true", help="show readings from which nothing was raised too")
    return parser


def _replay(options: argparse.Namespace, printer: "_Printer") -> int:
    profiles = dict(_profile(text) for text in options.resident)
    pipeline = _pipeline(printer.pack, options.timezone, profiles)
    with options.file.open("rb") as lines:
        if is_capture(lines.readline()):
            lines.seek(0)
            asyncio.run(_replay_capture(lines, options, pipeline, printer, next(iter(profiles), None)))
            return 0
        lines.seek(0)
        for judged in replay(lines, pipeline=pipeline):
            if options.all or judged.findings:
                printer.judged(judged)
    return 0


async def _replay_capture(
    lines: BinaryIO, options: argparse.Namespace, pipeline: SensingPipeline, printer: "_Printer", resident: str | None
) -> None:
    sink = _PrintingSink(pipeline, printer, whole=options.all)
    signals = _PrintedSignals(printer) if options.all else None
    await replay_capture(lines, sink, subject=resident, key=options.key, signals=signals)


async def _listen(options: argparse.Namespace, printer: "_Printer") -> int:
    resident, profile = _profile(options.resident) if options.resident else (None, None)
    devices = _devices(options, resident)
    profiles = {} if resident is None or profile is None else {resident: profile}
    sink = _PrintingSink(_pipeline(printer.pack, options.timezone, profiles), printer)
    clock, radio, signals = SystemClock(), RadioConfig(bumble=options.radio), _PrintedSignals(printer)
    if options.command == "listen":
        await run_devices(devices, sink, clock=clock, radio=radio, signals=signals)
        return 0
    descriptor = os.open(options.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # measurements of people
    with os.fdopen(descriptor, "wb") as file:
        tap = CaptureWriter(file, devices, clock=clock)
        await run_devices(devices, sink, clock=clock, radio=radio, tap=tap, signals=signals)
    return 0


def _devices(options: argparse.Namespace, resident: str | None) -> list[DeviceConfig]:
    told = list(options.device)
    if options.serial:
        told.append(f"{options.kind or _ON_A_PORT}={options.serial}")
    if options.ble:
        if options.kind is None:
            raise DeviceRefused(_LISTENED, "kind", "say what the device is: --kind cuff-ble, for example")
        told.append(f"{options.kind}={options.ble}")
    if not told:
        raise DeviceRefused(_LISTENED, "device", "name one: --serial PORT, --ble ADDRESS or --device KIND=WAY")
    return [
        _device(_LISTENED if len(told) == 1 else f"listened-{number}", text, options.key, resident)
        for number, text in enumerate(told, 1)
    ]


def _device(name: str, text: str, key: str | None, resident: str | None) -> DeviceConfig:
    kind_name, _, way = text.partition("=")
    kind = find_kind(kind_name)
    serial = isinstance(kind, SerialKind)
    return DeviceConfig(
        id=name,
        kind=kind_name,
        port=way if serial else None,
        address=None if serial else way,
        subject=resident,
        key=key if kind is not None and kind.key_bytes else None,
    )


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
        print(_words(judged.observation), flush=True)
        for decision in judged.decisions:
            print(f"    {decision.rule}: {decision.reason.value}")
            if decision.finding is not None:
                finding = decision.finding
                sentence = render(self.pack, finding, self._language)
                print(f"    {finding.priority.value} {finding.phase.value} {finding.alert_id}: {sentence.title}")
                print(f"    {sentence.text}")

    def refused(self, device: str, reason: str, detail: str) -> None:
        if self._json:
            self._line({"refused": reason, "detail": detail, "of": device})
        else:
            print(f"refused: {reason} ({detail})", flush=True)

    def stretch(self, stretch: Stretch) -> None:
        first = stretch.waveforms[0]
        count, rate_hz = len(first.samples) // _SAMPLE_BYTES, first.rate_millihertz / 1000
        if self._json:
            told = {"signal": [one.metric for one in stretch.waveforms], "samples": count, "joins": stretch.joins}
            self._line(told | {"rate_millihertz": first.rate_millihertz, "of": first.device, "times": first.times})
        else:
            names = " ".join(one.metric for one in stretch.waveforms)
            print(f"{names}: {count} at {rate_hz:.3f} Hz{'' if stretch.joins else ', begins anew'}", flush=True)

    def seen(self, seen: DeviceSeen) -> None:
        if self._json:
            self._line({"device": seen})
        else:
            battery = "" if seen.battery_percent is None else f", battery {seen.battery_percent} %"
            name = "device" if seen.device == _LISTENED else seen.device
            print(f"{name}: {seen.reason.value} {seen.detail}".rstrip() + battery, flush=True)

    def _line(self, what: Mapping[str, object]) -> None:
        print(msgspec.json.encode(what).decode(), flush=True)


class _PrintingSink:
    """Judges and prints; nothing is stored."""

    def __init__(self, pipeline: SensingPipeline, printer: _Printer, *, whole: bool = True) -> None:
        self._pipeline = pipeline
        self._printer = printer
        self._whole = whole

    async def accept(self, observation: Observation) -> bool:
        judged = self._pipeline.take(observation)
        if self._whole or judged.findings:
            self._printer.judged(judged)
        return True

    async def refuse(self, device: str, reason: str, detail: str) -> None:
        self._printer.refused(device, reason, detail)

    def device_seen(self, seen: DeviceSeen) -> None:
        if self._whole:
            self._printer.seen(seen)


class _PrintedSignals:
    """Says what came, and looks for nothing in it."""

    def __init__(self, printer: _Printer) -> None:
        self._printer = printer

    def take(self, stretch: Stretch) -> tuple[Observation, ...]:
        self._printer.stretch(stretch)
        return ()


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
