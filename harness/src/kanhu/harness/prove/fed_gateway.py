"""A gateway whose readings come from a socket instead of devices; all that follows is the product's own.

    python -m kanhu.harness.prove.fed_gateway --config gateway.toml --feed feed.sock

A line of the feed is a JSON array of readings, `[[subject, metric, value], ...]`; it is answered with one line once
every reading of it was accepted or refused. The settings' journal may be a pipe: a promise is written to it after the
commit, by the product's own journal. `--broken` plants an error, so that a proof can be seen to go red.
"""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from kanhu.contract import Clock, Observation, Part, Receipt, SeqRanges, Subject, SubjectKind, SystemClock, Times
from kanhu.contract.receipt import RECEIPT_VERSION
from kanhu.edge.devices import Sink
from kanhu.gateway import GatewayConfig, _schema, disk, load_config, run, uplink
from kanhu.gateway._delivered import Delivered
from kanhu.gateway._gaps import GrowingGap, GrowingGaps
from kanhu.gateway.alarm import fitted
from kanhu.gateway.alarm.contacts import Contacts, load_contacts
from kanhu.gateway.device_clocks import DeviceClocks
from kanhu.gateway.link import Link
from kanhu.gateway.outbox import Outbox
from kanhu.gateway.parcels import SealedParcel
from kanhu.gateway.senders import Senders

__all__ = ["BROKEN", "OneQueue", "PubackIsReceipt", "feed", "main"]


_LINE_BYTES = 1 << 20
_RECONNECT_S = 0.2

Batch = list[tuple[str, str, int]]


class PubackIsReceipt(Senders):
    """Takes the broker's acknowledgement for the county's receipt. Never do this."""

    async def _acknowledged(self, parcel: SealedParcel) -> None:
        await super()._acknowledged(parcel)
        owed = SeqRanges((seq, seq) for seq in parcel.seqs)

        def settle(outbox: Outbox) -> int:
            receipt = Receipt(RECEIPT_VERSION, self._gateway, outbox.epoch, 0, tuple(owed))
            return outbox.settle(receipt, sent=owed)

        await self._committer.call(settle)


class OneQueue(Senders):
    """Sends alerts after the readings that waited before them. Never do this."""

    async def _send_alert(self, client: Link) -> int:
        if self._backfill_read < self._backfill_end:
            return 0
        return await super()._send_alert(client)


async def feed(sink: Sink, *, path: Path, device: str, clock: Clock) -> None:
    """Take batches from a socket until cancelled; connects again where it is closed."""
    decoder = msgspec.json.Decoder(Batch)
    while True:
        try:
            reader, writer = await asyncio.open_unix_connection(path, limit=_LINE_BYTES)
        except OSError:
            await clock.sleep(_RECONNECT_S)
            continue
        try:
            while line := await reader.readline():
                readings = [_reading(*one, device=device, clock=clock) for one in decoder.decode(line)]
                # Together, so that they share one commit as readings of several devices do.
                await asyncio.gather(*(sink.accept(reading) for reading in readings))
                writer.write(b"\n")
        except ConnectionError:
            continue
        finally:
            writer.close()


def _reading(subject: str, metric: str, value: int, *, device: str, clock: Clock) -> Observation:
    times = Times(clock.wall_ms(), clock.mono_ns(), clock.boot, clock.state())
    return Observation(metric, (Part(metric, (value,)),), Subject(SubjectKind.RESIDENT, subject), device, times)


async def _run(config: GatewayConfig, path: Path) -> None:
    clock = SystemClock()

    async def source(sink: Sink) -> None:
        await feed(sink, path=path, device=f"fed-{config.gateway}", clock=clock)

    await run.run_gateway(config, clock=clock, source=source)


def _trust_the_broker() -> None:
    """Delete what the broker has acknowledged, as if that said anything about the county."""
    # What is kept after delivery would be asked for by the county, and heal what is to be seen.
    Delivered.take = lambda *_: None  # type: ignore[method-assign]
    uplink.Senders = PubackIsReceipt  # type: ignore[attr-defined]  # planted here, and no switch of the product


def _let_alerts_wait() -> None:
    """Send alerts behind the readings that waited before them."""
    uplink.Senders = OneQueue  # type: ignore[attr-defined]  # planted here, and no switch of the product


def _do_not_wait_for_the_disk() -> None:
    """Commit with `synchronous=NORMAL`: fast, and gone after a power cut."""
    _schema.SETTINGS = (*_schema.SETTINGS, ("synchronous", "NORMAL"))
    _schema._REQUIRED["synchronous"] = 1  # planted here, and no switch of the product


def _take_the_whole_disk() -> None:
    """Leave nothing free for the write-ahead log: a full disk cannot even delete."""

    def all_of_it(file: Path, *, max_mib: int) -> int:  # noqa: ARG001  # stands in for the product's own
        return max_mib << 20

    disk.allowed_bytes = all_of_it  # planted here, and no switch of the product


def _drop_in_silence() -> None:
    """Thin a full outbox without a word about it."""

    def nothing(self: GrowingGaps, kind: str, rows: Sequence[tuple[int, int]]) -> list[GrowingGap]:  # noqa: ARG001  # stands in for the product's own
        return []

    GrowingGaps.place = nothing  # type: ignore[method-assign]  # planted here, and no switch of the product


def _write_numbers_down() -> None:
    """Note on the card whom the alarm can write to."""
    numbers: list[str] = []
    notes = DeviceClocks.notes

    def remembered(file: Path) -> Contacts:
        contacts = load_contacts(file)
        numbers.extend(contact.number for contact in contacts.contact)
        return contacts

    def told(self: DeviceClocks) -> dict[str, int]:
        return notes(self) | {f"written_to:{number}": 1 for number in numbers}

    fitted.load_contacts = remembered  # type: ignore[attr-defined]  # planted here, and no switch of the product
    DeviceClocks.notes = told  # type: ignore[method-assign]  # the same


BROKEN = {
    "puback": _trust_the_broker,
    "one-queue": _let_alerts_wait,
    "normal": _do_not_wait_for_the_disk,
    "uncapped": _take_the_whole_disk,
    "unnamed": _drop_in_silence,
    "names": _write_numbers_down,
}
"""Errors that can be planted."""


def main() -> int:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(prog="fed_gateway", description="A gateway fed from a socket.")
    parser.add_argument("--config", type=Path, required=True, help="gateway.toml")
    parser.add_argument("--feed", type=Path, required=True, help="socket on which readings are given")
    parser.add_argument("--broken", choices=BROKEN, help="plant this error")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if chosen.broken is not None:
        BROKEN[chosen.broken]()
    asyncio.run(_run(load_config(chosen.config), chosen.feed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
