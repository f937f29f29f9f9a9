"""Writing into a folder that somebody else may want, that may be full, and where one may be stopped at any moment."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from kanhu.firmware_sim.errors import FolderRefused

__all__ = ["DRAFT", "alone", "write_whole"]

DRAFT = ".tmp"
"""How the name of a file ends that is not whole yet."""


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Make the folder, keep other writers of recordings out of it, and say what to do where nothing can be written.

    Raises:
        FolderRefused: it is no folder, somebody else writes into it, or there is no room.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        door = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise FolderRefused(folder, f"cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)  # of the folder itself; the kernel opens it, however one ends
        yield
    except BlockingIOError as error:
        raise FolderRefused(folder, "is being recorded into by another kanhu-sim; wait for it, or end it") from error
    except OSError as error:
        remedy = f"cannot be written ({error.strerror}); make room, the same command goes on"
        raise FolderRefused(folder, remedy) from error
    finally:
        os.close(door)


def write_whole(file: Path, content: msgspec.Struct) -> None:
    """Write JSON so that the file is there with all of it, or not at all."""
    draft = file.with_name(f"{file.name}{DRAFT}")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(content)) + b"\n")
    draft.replace(file)
