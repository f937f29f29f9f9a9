"""Settles the account: what the gateways accepted, against what the county's ledger holds, by key and digest."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kanhu.firmware_sim.errors import FleetRefused
from kanhu.firmware_sim.fleet.outbox import DIGEST_BYTES, Outbox

__all__ = ["Account", "receipts_alone", "settle"]

_CONFLICT = "conflict"  # the ledger's word for other bytes under a known key


@dataclass(slots=True)
class Account:
    """What became of the records of a fleet."""

    stored: int = 0
    lost: int = 0
    """Accepted, and not in the ledger under their key, or never receipted."""
    duplicated: int = 0
    """Stored more than once."""
    wrong: int = 0
    """Stored with other bytes, or under a key that was never given out."""


def settle(dump: Path, outboxes: Mapping[str, Outbox]) -> Account:
    """Compare with a ledger's dump, one JSON line a record; lines of other outboxes are others' concern.

    Raises:
        FleetRefused: it cannot be read, or a line is no record.
    """
    try:
        return _settle(dump, outboxes)
    except OSError as error:
        raise FleetRefused(f"{dump}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FleetRefused(f"{dump}: no ledger: {error}") from error


def receipts_alone(outboxes: Iterable[Outbox]) -> Account:
    """What can be said where no ledger is at hand: what has no receipt is lost."""
    return Account(lost=sum(outbox.owed for outbox in outboxes))


def _settle(dump: Path, outboxes: Mapping[str, Outbox]) -> Account:
    account = Account()
    seen = {name: bytearray(outbox.accepted) for name, outbox in outboxes.items()}
    with dump.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                gateway, epoch, seq = str(row["gateway"]), row["epoch"], row["seq"]
                digest, kind = bytes.fromhex(row["sha256"]), row["kind"]
                if not isinstance(seq, int):
                    raise TypeError(f"seq is {seq!r}")
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise FleetRefused(f"{dump}, line {number}: no record of a ledger: {error}") from error
            outbox = outboxes.get(gateway)
            if outbox is not None and outbox.epoch == epoch:
                _enter(account, outbox, seen[gateway], seq=seq, digest=digest, kind=kind)
    for name, outbox in outboxes.items():
        account.lost += sum(outbox.owes(seq) or not stored for seq, stored in enumerate(seen[name], start=1))
    return account


def _enter(account: Account, outbox: Outbox, seen: bytearray, *, seq: int, digest: bytes, kind: str) -> None:
    account.stored += 1
    at = (seq - 1) * DIGEST_BYTES
    if kind == _CONFLICT or not 1 <= seq <= outbox.accepted or outbox.digests[at : at + DIGEST_BYTES] != digest:
        account.wrong += 1
    elif seen[seq - 1]:
        account.duplicated += 1
    else:
        seen[seq - 1] = 1
