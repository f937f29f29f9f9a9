"""The outcome in the making: a file for each village that is whole, so that a replay that was stopped goes on.

`FILE.parts/VILLAGE.ndjson` is whole where `VILLAGE.done` beside it, written last, names its digest and everything it
was made from. `FILE` itself appears at once, when all villages are whole, and the folder goes.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import msgspec

import kanhu.cloud
import kanhu.contract
import kanhu.vitals
from kanhu.cloud.errors import ReplayRefused
from kanhu.cloud.replay.outcome import Counts, Line, read_outcome

__all__ = ["Parts", "made_from"]

_PROGRAM = (kanhu.contract, kanhu.vitals, kanhu.cloud)
_DECIDES = frozenset({".py", ".toml", ".zdict"})
_BLOCK_BYTES = 1 << 20
_SCRATCH = ".scratch"


class _Done(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    made_from: str
    sha256: str


class Parts:
    """Villages of one outcome."""

    def __init__(self, out: Path) -> None:
        """Make the folder beside the file that is wanted.

        Raises:
            ReplayRefused: it cannot be made.
        """
        self._out = out
        self.path = out.with_name(f"{out.name}.parts")
        if out.is_dir():
            raise ReplayRefused(f"{out}: is a folder; name a file with --out")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ReplayRefused(f"{self.path}: {error.strerror}; name another file with --out") from error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others out: two packs judged into one file would be mixed village by village.

        Raises:
            ReplayRefused: another replay is at it.
        """
        door = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel lets go of it, however this one ends
            yield
        except BlockingIOError as error:
            raise ReplayRefused(
                f"{self.path}: another kanhu-cloud replay writes there; wait for it, or name another file with --out"
            ) from error
        finally:
            os.close(door)

    def is_whole(self, village: str, *, made_from: str) -> bool:
        """Whether a village need not be played again.

        Raises:
            ReplayRefused: it was made from something else.
        """
        try:
            done = msgspec.json.decode(self._done(village).read_bytes(), type=_Done)
        except (OSError, msgspec.MsgspecError, ValueError):
            return False
        if done.made_from != made_from:
            raise ReplayRefused(
                f"{self.path}: begun with another recording, rule pack or version; remove the folder, or name another "
                "file with --out"
            )
        part = self.part(village)
        return part.is_file() and _digest([part]) == done.sha256

    def write(self, village: str, lines: Iterable[Line], *, made_from: str) -> None:
        """Keep a village that is whole."""
        draft = self.path / f"{village}.draft"
        draft.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
        draft.replace(self.part(village))
        draft.write_bytes(msgspec.json.encode(_Done(made_from, _digest([self.part(village)]))))
        draft.replace(self._done(village))

    def part(self, village: str) -> Path:
        """Outcome of one village."""
        return self.path / f"{village}.ndjson"

    def scratch(self, village: str) -> Path:
        """An empty folder for as long as a village is played."""
        folder = self.path / f"{village}{_SCRATCH}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def clear(self) -> None:
        """Remove what was begun and is not whole."""
        for folder in self.path.glob(f"*{_SCRATCH}"):
            shutil.rmtree(folder, ignore_errors=True)

    def readings(self, villages: Sequence[str]) -> int:
        """How many recorded readings all villages together had."""
        total = 0
        for village in villages:
            with self.part(village).open("rb") as lines:
                total += sum(
                    line.readings
                    for line in read_outcome(lines, place=str(self.part(village)))
                    if isinstance(line, Counts)
                )
        return total

    def finish(self, villages: Sequence[str]) -> None:
        """Put all villages together in this order; then the parts go."""
        draft = self.path / "outcome.draft"
        with draft.open("wb") as out:
            for village in villages:
                with self.part(village).open("rb") as part:
                    shutil.copyfileobj(part, out, _BLOCK_BYTES)
        draft.replace(self._out)
        shutil.rmtree(self.path)

    def _done(self, village: str) -> Path:
        return self.path / f"{village}.done"


def made_from(files: Iterable[Path], *, pack: bytes) -> str:
    """Digest of a village's recording, the rule pack and the program that judges."""
    return hashlib.sha256(f"{_digest(files)} {hashlib.sha256(pack).hexdigest()} {_program()}".encode()).hexdigest()


@cache
def _program() -> str:
    roots = sorted(Path(root) for part in _PROGRAM for root in part.__path__)
    files = (file for root in roots for file in sorted(root.rglob("*")) if file.suffix in _DECIDES)
    return _digest(files)


def _digest(files: Iterable[Path]) -> str:
    """SHA-256 of the bytes of files, each with its length."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.stat().st_size.to_bytes(8, "big"))
        with file.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                digest.update(block)
    return digest.hexdigest()
