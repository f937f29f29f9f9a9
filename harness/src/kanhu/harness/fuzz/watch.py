"""What a codec may not do, counted and kept while the fuzzer goes on."""

import traceback
from pathlib import Path

from kanhu.edge.errors import DecodeError
from kanhu.harness.fuzz.targets import Target

__all__ = ["COUNTED", "KEPT", "broken", "watched"]

COUNTED, KEPT = "exceptions", "failures.txt"
"""Names of files: how many there were, and the first of them with their frames."""
_MOST_KEPT = 20


def watched(target: Target, folder: Path) -> Target:
    """The target, whose exceptions other than DecodeError are written to files of this folder and go no further."""
    count = 0

    def call(data: bytes) -> None:
        nonlocal count
        try:
            target(data)
        except DecodeError:
            return
        except Exception as error:  # noqa: BLE001  # what is looked for
            count += 1
            if count <= _MOST_KEPT:
                said = "".join(traceback.format_exception(error)[-2:])
                with (folder / KEPT).open("a", encoding="utf-8") as kept:
                    kept.write(f"{data.hex()}\n{said}\n")
            (folder / COUNTED).write_text(f"{count}\n", encoding="utf-8")

    return call


def broken(data: bytes) -> None:
    """Wrong on purpose: reads a byte that its frame says is there."""
    if len(data) > 1 and data[0] == 0x5A:
        _ = data[data[1]]
