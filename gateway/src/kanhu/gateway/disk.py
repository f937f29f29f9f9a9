"""How large the outbox may grow on the card it is on, and what becomes of a file that is damaged."""

import os
from dataclasses import dataclass
from pathlib import Path

from kanhu.contract import Clock
from kanhu.gateway.errors import OutboxDamaged
from kanhu.gateway.outbox import Outbox

_MIB = 1024 * 1024
_KEEP_FREE = 4  # a quarter of the partition stays free for the write-ahead log: a full card cannot even delete
_DAMAGED = "outbox.damaged-"


@dataclass(frozen=True, slots=True)
class Partition:
    """The partition of a folder, in bytes."""

    total: int
    free: int


def partition_of(folder: Path) -> Partition:
    """Size and free space, as an ordinary user may use it."""
    told = os.statvfs(folder)
    return Partition(told.f_blocks * told.f_frsize, told.f_bavail * told.f_frsize)


def allowed_bytes(file: Path, *, max_mib: int) -> int:
    """What the outbox may take: the setting, or less where the card is small or full."""
    partition = partition_of(file.parent)
    size = file.stat().st_size if file.exists() else 0
    growth = max(partition.free - partition.total // _KEEP_FREE, partition.free // _KEEP_FREE)
    return min(max_mib * _MIB, size + growth)


def open_outbox(file: Path, *, clock: Clock, max_mib: int) -> tuple[Outbox, Path | None]:
    """Open the outbox; a damaged one is set aside, whole, and a new one begun: watching comes first.

    Returns the outbox, and where the damaged file went.

    Raises:
        OutboxBusy, OutboxRefused, OutboxFailed: as Outbox.open.
    """
    limit = allowed_bytes(file, max_mib=max_mib)
    try:
        return Outbox.open(file, clock=clock, max_bytes=limit), None
    except OutboxDamaged:
        aside = _set_aside(file, clock)
        return Outbox.open(file, clock=clock, max_bytes=limit), aside


def set_aside_if_damaged(file: Path, *, clock: Clock, max_mib: int) -> Path | None:
    """Read the whole of an outbox that gave nonsense while in use; returns where it went if it is damaged.

    Raises:
        OutboxBusy, OutboxRefused, OutboxFailed: as Outbox.open.
    """
    try:
        outbox = Outbox.open(file, clock=clock, max_bytes=allowed_bytes(file, max_mib=max_mib))
    except OutboxDamaged:
        return _set_aside(file, clock)
    try:
        whole = outbox.is_whole()
    finally:
        outbox.close()
    return None if whole else _set_aside(file, clock)


def _set_aside(file: Path, clock: Clock) -> Path:
    aside = file.with_name(f"{_DAMAGED}{clock.wall_ms()}.db")
    for ending in ("", "-wal", "-shm"):
        part = file.with_name(file.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    return aside


def damaged_files(folder: Path) -> list[Path]:
    """Outboxes that were set aside."""
    return sorted(path for path in folder.glob(f"{_DAMAGED}*") if path.suffix == ".db")
