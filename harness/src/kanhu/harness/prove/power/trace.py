"""What a process did to the files of one folder, in order, as strace(1) saw it from outside.

The process runs as it is; its system calls are written down with all their data. No root is needed, only the right to
trace one's own children. A call that changes a file in a way that the model of the disk does not know is refused,
never passed over. The shared memory of SQLite (`-shm`) is left out: it is made anew by whoever opens the file first.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from kanhu.contract import Clock
from kanhu.harness.errors import HarnessError
from kanhu.harness.faults import CannotBeHad

__all__ = [
    "Cut",
    "Deed",
    "FolderSynced",
    "Made",
    "Removed",
    "Renamed",
    "Said",
    "Step",
    "Synced",
    "TraceRefused",
    "Wrote",
    "finished",
    "read_trace",
    "traced",
]

_KNOWN = "openat write pwrite64 ftruncate fsync fdatasync unlinkat"
_KNOWN_ELSEWHERE = "open creat unlink rename renameat renameat2"  # not every architecture has them
_REFUSED = "writev pwritev fallocate truncate copy_file_range sendfile mmap"
_REFUSED_ELSEWHERE = "pwritev2"
_RECORD = "a record of what a process writes"
_LONGEST_BYTES = 1 << 24
_SPLIT = re.compile(r"(\d+) +(\d+\.\d+) (.*)")
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>")
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)(?:<([^>]*)>)?")
_ON_FILE = re.compile(r"(\d+)<([^>]*)>(?:, )?(.*)")
_TEXT = re.compile(r'"([^"]*)"(\.\.\.)?')
_POLL_S = 0.02
_RELATIVE = r'(?:unlink|rename)\w*\((?:[^"]*, )?"(?!\\x2f)'  # whose folder is not known
_CONCERN_WITHIN = 1 << 14  # characters of a line: no path stands further behind
_UNFINISHED = " <unfinished ...>"


class TraceRefused(HarnessError):
    """The process did something to a file that the model of the disk does not know."""


class Made(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A file, where there was none of that name."""

    name: str


class Wrote(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Bytes at an offset."""

    name: str
    offset: int
    data: bytes


class Cut(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The file's size was set."""

    name: str
    size: int


class Synced(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The disk has said that it holds all of the file."""

    name: str


class FolderSynced(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The disk has said that it holds the names of the folder, which is named here."""

    folder: str


class Removed(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A name."""

    name: str


class Renamed(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A name became another, whatever had that."""

    name: str
    to: str


class Said(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Something left the process: from now on somebody relies on it."""

    text: bytes


Deed = Made | Wrote | Cut | Synced | FolderSynced | Removed | Renamed | Said


class Step(msgspec.Struct, frozen=True, array_like=True):
    """One deed, and when it began, in seconds of Unix time."""

    at_s: float
    deed: Deed


def traced(out: Path) -> tuple[str, ...]:
    """What to put before a command so that its writes are written down; its process id stays its own.

    Who writes them down stands in a group of its own: whoever ends the command's group lets it write the last line.

    Raises:
        CannotBeHad: there is no strace, or nobody may trace here.
    """
    if shutil.which("strace") is None:
        raise CannotBeHad(_RECORD, "needs strace (apt-get install strace)")
    tried = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, check=False)
    if tried.returncode != 0:
        raise CannotBeHad(_RECORD, f"nobody may trace a process: {tried.stderr.decode(errors='replace').strip()}")
    needed = (*_KNOWN.split(), *_REFUSED.split())
    calls = ",".join([*needed, *(f"?{call}" for call in (*_KNOWN_ELSEWHERE.split(), *_REFUSED_ELSEWHERE.split()))])
    return ("strace", "-DD", "-f", "-y", "-xx", "-ttt", "-s", str(_LONGEST_BYTES), "--seccomp-bpf", "-q",
            "-A", "-o", str(out), "-e", "signal=kill,term", "-e", f"trace={calls}", "--")  # fmt: skip  # a command line


async def finished(out: Path, process: int, clock: Clock) -> None:
    """Wait for the last line about this process: strace writes on for a moment after it has ended."""
    last, read = re.compile(rf"^{process} +\d+\.\d+ \+\+\+ ".encode(), re.MULTILINE), 0
    while True:
        with out.open("rb") as lines:  # all of them: what its threads wrote may come behind it, page after page
            lines.seek(read)
            new = lines.read()
        if last.search(new):
            return
        read += new.rfind(b"\n") + 1
        await clock.sleep(_POLL_S)


def read_trace(lines: Iterable[str], *, folder: Path, said: Path) -> Iterator[Step]:
    """Deeds on files below `folder`, by their path in it, and what was written to `said`.

    Raises:
        TraceRefused: something was done that is not known here.
    """
    reader = _Reader(f"{folder}/", str(said))
    for line in lines:
        step = reader.take(line)
        if step is not None:
            yield step


class _Reader:
    """Remembers which calls have not returned yet."""

    def __init__(self, folder: str, said: str) -> None:
        self._folder = folder
        self._said = said
        self._concern = re.compile("|".join([*(re.escape(_hexed(path)) for path in (folder[:-1], said)), _RELATIVE]))
        self._begun: dict[str, tuple[float, str]] = {}
        self._ends: dict[str, int] = {}
        """Of files that were made by whoever writes them from beginning to end: where the next byte goes."""

    def take(self, line: str) -> Step | None:
        found = _SPLIT.match(line)
        if found is None or not (self._concern.search(line, 0, _CONCERN_WITHIN) or found[1] in self._begun):
            return None
        process, at_s, text = found[1], float(found[2]), found[3]
        if text.endswith(_UNFINISHED):
            self._begun[process] = (at_s, text.removesuffix(_UNFINISHED))
            return None
        if text.startswith("<... "):
            at_s, begun = self._begun.pop(process)
            text = begun + _RESUMED.sub("", text, count=1)
        call = _CALL.match(text)
        if call is None or call[3].startswith("-"):  # a signal or an end; or the call failed and did nothing
            return None
        deed = self._deed(call[1], call[2], int(call[3]), call[4] or "")
        return None if deed is None else Step(at_s, deed)

    def _deed(self, call: str, arguments: str, answer: int, opened: str) -> Deed | None:
        if call in {"open", "openat", "creat"}:
            return self._opened(call, arguments, _plain(opened))
        if call in {"unlink", "unlinkat", "rename", "renameat", "renameat2"}:
            return self._names_changed(call, arguments)
        on_file = _ON_FILE.match(arguments)
        path = _plain(on_file[2]) if on_file is not None else ""
        rest = on_file[3] if on_file is not None else ""
        if call == "mmap":  # address, length, protection, flags, file, offset
            mapped = arguments.split(", ")
            on_file = _ON_FILE.match(mapped[4]) if len(mapped) > 4 else None
            if on_file is None or "PROT_WRITE" not in mapped[2] or "MAP_SHARED" not in mapped[3]:
                return None
            path = _plain(on_file[2])
        if path == self._said and call == "write":
            return Said(_data(rest, answer))
        name = self._name(path)
        if name is None:
            return None
        if call in {"fsync", "fdatasync"}:
            return FolderSynced(name) if Path(path).is_dir() else Synced(name)
        if call == "pwrite64":
            return Wrote(name, int(rest.rpartition(", ")[2]), _data(rest, answer))
        if call == "write" and name in self._ends:
            data = _data(rest, answer)
            self._ends[name] += len(data)
            return Wrote(name, self._ends[name] - len(data), data)
        if call == "ftruncate":
            return Cut(name, int(rest))
        raise TraceRefused(f"{call} on {name}: the model of the disk does not know this call")

    def _opened(self, call: str, arguments: str, path: str) -> Deed | None:
        name = self._name(path)
        if name is None:
            return None
        if call == "creat" or "O_TRUNC" in arguments:
            raise TraceRefused(f"{call} empties {name}: the model of the disk does not know this")
        self._ends.pop(name, None)  # whoever opens it again may write anywhere
        if "O_EXCL" in arguments:
            self._ends[name] = 0
        return Made(name) if "O_CREAT" in arguments else None

    def _names_changed(self, call: str, arguments: str) -> Deed | None:
        paths = [_plain(found[1]) for found in _TEXT.finditer(arguments)]
        names = [self._name(path) for path in paths]
        if any(not path.startswith("/") for path in paths):
            raise TraceRefused(f"{call} with the path {paths}: only whole paths are known here")
        if call.startswith("unlink"):
            return None if names[0] is None else Removed(names[0])
        if names[0] is None and names[1] is None:
            return None
        if names[0] is None or names[1] is None:
            raise TraceRefused(f"{call}: {paths} leads out of the folder, or into it")
        return Renamed(names[0], names[1])

    def _name(self, path: str) -> str | None:
        """Path below the folder; None for what does not belong to it or does not outlive the power."""
        if f"{path}/" == self._folder:
            return "."
        if not path.startswith(self._folder) or path.endswith(("-shm", " (deleted)")):
            return None
        return path.removeprefix(self._folder)


def _data(rest: str, answer: int) -> bytes:
    """The bytes of a write, as far as the kernel took them."""
    found = _TEXT.match(rest)
    if found is None or found[2]:
        raise TraceRefused(f"a write whose data were not recorded: {rest[:60]}")
    return bytes.fromhex(found[1].replace("\\x", ""))[:answer]


def _hexed(path: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in path.encode())


def _plain(text: str) -> str:
    r"""A path written as \x2f\x74...; as it is where it was not."""
    return bytes.fromhex(text.replace("\\x", "")).decode(errors="replace") if text.startswith("\\x") else text
