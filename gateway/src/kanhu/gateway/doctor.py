"""The doctor: looks at a gateway from outside and says what is wrong, and what to do about it.

It reads the outbox beside a running gateway, and changes nothing.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kanhu.contract import Clock, ClockState
from kanhu.edge.kinds import SerialKind, kind_of
from kanhu.gateway._figures import Space
from kanhu.gateway._lock import is_held
from kanhu.gateway.alarm.notes import PIN_TRIED, faults
from kanhu.gateway.alarm.settings import AlarmConfig
from kanhu.gateway.card import MOST_BYTES_A_DAY, WRITTEN_DAY, WRITTEN_SPAN
from kanhu.gateway.check import Check, Level
from kanhu.gateway.config import DeviceSection, GatewayConfig
from kanhu.gateway.county_link import county_checks
from kanhu.gateway.daily.told import daily_checks
from kanhu.gateway.device_clocks import CLOCK_CORRECTED, CLOCK_ERROR
from kanhu.gateway.disk import allowed_bytes, damaged_files, partition_of
from kanhu.gateway.errors import OutboxError
from kanhu.gateway.outbox import Outbox
from kanhu.gateway.places import PageConfig
from kanhu.gateway.states import STATES_TEXT
from kanhu.gateway.states_check import states_check
from kanhu.gateway.tally_check import tally_check
from kanhu.gateway.updates.checks import update_checks
from kanhu.vitals import core_pack

_PAGE_PATIENCE_S = 2.0
_RECEIPT_PATIENCE_MS = 60_000
_LITTLE_FREE = 10  # percent of the partition
_NEARLY_FULL = 80  # percent of the pages that readings may use
_DAY_S = 86_400
_CONNECTED = "connected:"
_BAD_BYTES = "bad_bytes:"
_NOBODY = "nobody:"

_NO_SERVICE = (
    "There is no Bluetooth service here: install and start bluetoothd (BlueZ); `bluetoothctl list` must name an adapter"
)
_NO_ADAPTER = "There is no Bluetooth adapter here: plug one in, or unblock it with rfkill; `bluetoothctl list` names it"

ACKNOWLEDGED_NEVER_RECEIVED = "acknowledged by the broker, never received by the county"


EXIT_CODES = {Level.OK: 0, Level.ATTENTION: 1, Level.BROKEN: 2}


def exit_code(checks: list[Check]) -> int:
    """0 all well, 1 something needs attention, 2 readings do not get through or are at risk."""
    return max((EXIT_CODES[check.level] for check in checks), default=0)


async def examine(config: GatewayConfig, *, clock: Clock, machine: Path = Path("/")) -> list[Check]:
    """All checks, in the order of the way of a reading; `machine` is the root of the file system looked at."""
    checks = [_clock(clock), _disk(config)]
    try:
        outbox = Outbox.look(
            config.outbox_file,
            clock=clock,
            max_bytes=allowed_bytes(config.outbox_file, max_mib=config.outbox.max_mib),
        ) if config.outbox_file.exists() else None  # fmt: skip
    except OutboxError as error:
        checks.append(Check("outbox", Level.BROKEN, str(error), "See docs/gateway.md, section outbox"))
        outbox = None
    else:
        checks += _running(config, outbox)
    if outbox is not None:
        try:
            checks += _outbox(outbox)
            checks += _devices(config, outbox, machine)
            checks += _nobody(outbox)
            checks.append(tally_check(outbox.tallies()))
            checks += _receipts(outbox, clock)
            checks += _card(outbox.notes())
            checks.append(_alarm(config.alarm, outbox))
            checks += daily_checks(config, outbox)
            checks.append(states_check(outbox.notes(), outbox.text(STATES_TEXT), clock=clock))
        finally:
            outbox.close()
    checks += [
        Check("damaged outbox", Level.ATTENTION, f"set aside: {path}", "Keep the file; it holds readings still owed")
        for path in damaged_files(config.folder)
    ]
    checks += await county_checks(config, clock=clock)
    checks += update_checks(config)
    if config.page is not None:
        checks.append(await _page(config.page))
    return checks


def _clock(clock: Clock) -> Check:
    state = clock.state()
    if state is ClockState.SYNCED:
        return Check("clock", Level.OK, "set and synchronised")
    said = "never set" if state is ClockState.UNSET else "not synchronised"
    remedy = "Readings are kept and marked; let the gateway reach a time server"
    return Check("clock", Level.ATTENTION, said, remedy)


def _disk(config: GatewayConfig) -> Check:
    folder = config.folder if config.folder.exists() else config.folder.parent
    try:
        partition = partition_of(folder)
    except OSError as error:
        return Check("disk", Level.BROKEN, f"{folder}: {error.strerror}", "Correct `data` in gateway.toml")
    percent = 100 * partition.free // max(1, partition.total)
    found = f"{partition.free // 1024**2} MiB free of {partition.total // 1024**2} ({percent} %)"
    if not os.access(folder, os.W_OK):
        return Check("disk", Level.BROKEN, f"{folder} cannot be written", "Correct its owner, or mount it to write")
    if percent < _LITTLE_FREE:
        return Check("disk", Level.ATTENTION, found, "Free some space: readings are thinned when the outbox is full")
    return Check("disk", Level.OK, found)


def _running(config: GatewayConfig, outbox: Outbox | None) -> Iterator[Check]:
    if outbox is None:
        yield Check("gateway", Level.BROKEN, "has never run: there is no outbox", "Start it: kanhu-gateway run")
    elif is_held(config.outbox_file):
        yield Check("gateway", Level.OK, "runs")
    else:
        yield Check("gateway", Level.BROKEN, "does not run", "Start it: kanhu-gateway run")


def _outbox(outbox: Outbox) -> Iterator[Check]:
    owed, space, counters = outbox.owed(), outbox.space(), outbox.counters()
    yield Check("pragmas", Level.OK, "journal_mode wal; the gateway starts with nothing but synchronous full")
    yield _room(space, f"{owed.total} records owed, {owed.alerts} of them urgent; {outbox.kept()} delivered ones kept")
    dropped = counters.get(("", "dropped"), 0)
    if dropped:
        remedy = "The county is told of each; a larger card or `outbox.max_mib` keeps more"
        yield Check("gaps", Level.ATTENTION, f"{dropped} readings dropped since the outbox was made", remedy)
    else:
        yield Check("gaps", Level.OK, "no reading was ever dropped")
    set_aside = counters.get(("", "quarantined"), 0)
    if set_aside:
        reasons = ", ".join(
            f"{name.removeprefix('quarantined:')} {count}"
            for (_, name), count in sorted(counters.items())
            if name.startswith("quarantined:")
        )
        remedy = "They are kept in the outbox file; update gateway or county, whichever is older"
        yield Check("quarantine", Level.ATTENTION, f"{set_aside} records set aside: {reasons}", remedy)
    else:
        yield Check("quarantine", Level.OK, "empty")


def _room(space: Space, owed: str) -> Check:
    percent = 100 * space.needed // max(1, space.routine_limit)
    found = f"{owed}; {percent} % of the room for readings used"
    if percent >= _NEARLY_FULL:
        return Check("outbox", Level.ATTENTION, found, "Restore the way to the county before readings are thinned")
    return Check("outbox", Level.OK, found)


def _devices(config: GatewayConfig, outbox: Outbox, machine: Path) -> Iterator[Check]:
    counters, notes = outbox.counters(), outbox.notes()
    no_radio = "" if config.radio.bumble else _radio_remedy(machine)
    for device in config.device:
        remedy = "" if isinstance(kind_of(device.kind), SerialKind) else no_radio
        yield _device(device, counters, notes, remedy or "Check its power, battery, plug and distance")


def _radio_remedy(machine: Path) -> str:
    """What Bluetooth needs before any device can be heard; empty where service and adapter are there."""
    if not _has_process(machine, "bluetoothd"):
        return _NO_SERVICE
    return "" if any(machine.glob("sys/class/bluetooth/hci*")) else _NO_ADAPTER


def _has_process(machine: Path, name: str) -> bool:
    for file in machine.glob("proc/[0-9]*/comm"):
        with suppress(OSError):  # it ended while we looked
            if file.read_text(encoding="utf-8", errors="replace").strip() == name:
                return True
    return False


def _device(device: DeviceSection, counters: dict[tuple[str, str], int], notes: dict[str, int], remedy: str) -> Check:
    connected, bad_bytes = (notes.get(f"{kind}{device.id}") for kind in (_CONNECTED, _BAD_BYTES))
    name = f"device {device.id}"
    error_s = notes.get(f"{CLOCK_ERROR}{device.id}", 0)
    corrected_s = notes.get(f"{CLOCK_CORRECTED}{device.id}")
    refused = {key[1]: count for key, count in counters.items() if key[0] == device.id and key[1] != "accepted"}
    found = f"{counters.get((device.id, 'accepted'), 0)} readings accepted"
    if refused:
        said = ", ".join(f"{reason.removeprefix('refused:')} {count}" for reason, count in sorted(refused.items()))
        found += f"; refused: {said}"
    if bad_bytes:
        found += f"; {bad_bytes} bad bytes since it started"
    if error_s:
        found += f"; its clock is {_off(error_s)}"
    if corrected_s is not None:
        found += f"; its clock was set, it was {_off(corrected_s) if corrected_s else 'off by an unknown amount'}"
    if not connected:
        state = "never reached" if connected is None else "not reached now"
        return Check(name, Level.ATTENTION, f"{state}; {found}", remedy)
    limits = core_pack().device_clocks()
    if limits is not None and limits.is_off(error_s):
        return Check(
            name, Level.ATTENTION, found, "Set its clock as its manual says; readings are timed here in any case"
        )
    return Check(name, Level.OK, found)


def _off(seconds: int) -> str:
    return f"{abs(seconds)} s {'ahead' if seconds > 0 else 'behind'}"


def _receipts(outbox: Outbox, clock: Clock) -> Iterator[Check]:
    """What the broker took and what the county has confirmed are two things."""
    notes, owed = outbox.notes(), outbox.owed()
    puback_ms, receipt_ms = notes.get("puback_ms"), notes.get("receipt_ms")
    if receipt_ms is not None:
        age_s = max(0, clock.wall_ms() - receipt_ms) // 1000
        found = f"the county's last receipt came {age_s} s ago"
    else:
        found = "the county has never sent a receipt"
    silent = puback_ms is not None and (receipt_ms is None or puback_ms - receipt_ms > _RECEIPT_PATIENCE_MS)
    if silent and owed.total:
        remedy = (
            "Nothing is lost: readings stay in the outbox. Check that the county service runs, that it uses this "
            "broker, and that this gateway is enrolled there"
        )
        yield Check("receipts", Level.BROKEN, f"{ACKNOWLEDGED_NEVER_RECEIVED}; {found}", remedy)
    elif receipt_ms is None:
        remedy = "Normal before the first reading; otherwise check broker and county"
        yield Check("receipts", Level.ATTENTION, found, remedy)
    else:
        yield Check("receipts", Level.OK, found)
    strange = {name: notes.get(f"{name}_receipts", 0) for name in ("bad", "foreign")}
    if any(strange.values()):
        said = f"{strange['bad']} that cannot be read, {strange['foreign']} for another outbox; none was obeyed"
        remedy = "Expected once where the card was replaced; else find out who else may publish to this broker"
        yield Check("strange receipts", Level.ATTENTION, said, remedy)
    if notes.get("receipts_ahead"):
        remedy = "This card was copied or restored from an old image: move outbox.db away to begin a new one"
        yield Check("epoch", Level.BROKEN, "the county knows later numbers than this outbox has given out", remedy)


def _card(notes: dict[str, int]) -> Iterator[Check]:
    """How much the gateway writes: writing is what wears a card out."""
    written, span_s = notes.get(WRITTEN_DAY), notes.get(WRITTEN_SPAN)
    if written is None or not span_s:
        return
    found = f"{written // 1024**2} MiB written in {span_s // 3600} h"
    if written * _DAY_S > MOST_BYTES_A_DAY * span_s:
        remedy = "More than a normal day: see above for a device that sends nonsense; use a card made for much writing"
        yield Check("card", Level.ATTENTION, found, remedy)
    else:
        yield Check("card", Level.OK, found)


def _alarm(config: AlarmConfig, outbox: Outbox) -> Check:
    """What is fitted, what runs, what fails; never a number, a PIN or a text."""
    light = bool(config.light_on) or config.light_file is not None
    ways = {"voice": bool(config.player), "light": light, "messages": config.modem_port is not None}
    found = f"fitted: {', '.join(way for way, is_fitted in ways.items() if is_fitted) or 'nothing'}"
    if outbox.alarms.open:
        remedy = "Look after the person first, then restore the way to the county"
        return Check("alarm", Level.BROKEN, f"{found}; {outbox.alarms.open} not confirmed by the county", remedy)
    notes = outbox.notes()
    if ways["messages"] and notes.get(PIN_TRIED):
        remedy = "Correct the PIN in the file of contacts, or save it anew; better take it off the card"
        return Check("alarm", Level.ATTENTION, f"{found}; the card did not take its PIN", remedy)
    modem = faults(notes).get("modem")
    if ways["messages"] and modem is not None:
        remedy = "Check its plug, card, credit and antenna; docs/devices/modem-sms.md"
        said_of_it = f"the modem could send nothing when last looked at: {modem}"
        return Check("alarm", Level.ATTENTION, f"{found}; {said_of_it}", remedy)
    failed = {name: count for (_, name), count in outbox.counters().items() if name.startswith("alarm:")}
    said = [f"{name[6:-7]} {count}" for name, count in sorted(failed.items()) if name.endswith(".failed")]
    if said:
        return Check(
            "alarm", Level.ATTENTION, f"{found}; failed so far: {', '.join(said)}", "Run: kanhu-gateway try-alarm"
        )
    return Check("alarm", Level.OK, found)


def _nobody(outbox: Outbox) -> Iterator[Check]:
    counts = {name.removeprefix(_NOBODY): count for name, count in outbox.notes().items() if name.startswith(_NOBODY)}
    if any(counts.values()):
        said = ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items()) if count)
        remedy = (
            "Let people be chosen on the page before they are measured; docs/devices/README.md explains each reason"
        )
        yield Check(
            "nobody known", Level.ATTENTION, f"readings since the start whose person is not known: {said}", remedy
        )


async def _page(page: PageConfig) -> Check:
    where = f"{page.host}:{page.port}"
    try:
        async with asyncio.timeout(_PAGE_PATIENCE_S):
            _, writer = await asyncio.open_connection(page.host, page.port)
    except (TimeoutError, OSError) as error:
        remedy = "Start the gateway; `pip install 'kanhu-gateway[page]'`; see that no other program has the port"
        return Check("page", Level.ATTENTION, f"{where} does not answer: {error}", remedy)
    writer.close()
    return Check("page", Level.OK, f"{where} answers")
