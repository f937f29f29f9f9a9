"""A lock beside the outbox file: two processes on one outbox would each believe in their own numbers."""

import fcntl
import os
from pathlib import Path
from typing import IO

from kanhu.gateway.errors import OutboxBusy, OutboxFailed


def hold(file: Path) -> IO[str]:
    """Hold the lock of this outbox until what is returned is closed.

    Raises:
        OutboxBusy: another process holds it.
        OutboxFailed: the folder takes no lock file.
    """
    try:
        lock = file.with_suffix(".lock").open("a", encoding="ascii")
    except OSError as error:
        raise OutboxFailed(f"{file}: {error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise OutboxBusy(f"{file}: another process has it open") from None
    os.set_inheritable(lock.fileno(), False)
    return lock


def is_held(file: Path) -> bool:
    """Whether a process has this outbox open; makes nothing, and works on a card that can only be read."""
    try:
        lock = file.with_suffix(".lock").open("rb")
    except OSError:  # nobody ever held it, or it cannot be seen by this user
        return False
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
