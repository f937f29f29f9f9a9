"""`kanhu-cloud replay`: a whole recording, village by village, resumable, the same bytes however many processes."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from types import FrameType
from typing import IO

import msgspec

import kanhu.vitals.packs
from kanhu.cloud.alerting.policy import DAY_MS
from kanhu.cloud.errors import ReplayRefused
from kanhu.cloud.replay.parts import Parts, made_from
from kanhu.cloud.replay.recording_folder import RecordingFolder
from kanhu.cloud.replay.work import Task, Told, play_all
from kanhu.vitals import PackRefused, load_pack

__all__ = ["STOPPED", "Progress", "replay", "replay_to_end"]

STOPPED = 130
"""Exit code of what Ctrl-C stopped."""


class Progress:
    """One JSON line a day of a village, where somebody listens: village, days done of how many, villages whole."""

    def __init__(self, out: IO[str] | None, *, days: int, villages: int) -> None:
        """Write to `out`, or nowhere."""
        self._out = out
        self._days = days
        self._villages = villages
        self._whole = 0

    def skip(self, villages: int) -> None:
        """So many are whole from an earlier start."""
        self._whole = villages

    def hear(self, told: Told) -> None:
        """One more day, or a whole village."""
        self._whole += told.whole
        if self._out is None:
            return
        done = self._days if told.whole else min(told.days, self._days)
        line = {
            "village": told.village,
            "done": done,
            "of": self._days,
            "whole": self._whole,
            "villages": self._villages,
        }
        self._out.write(msgspec.json.encode(line).decode() + "\n")
        self._out.flush()


def replay(recording: Path, out: Path, *, pack: Path | None, jobs: int, progress: IO[str] | None) -> int:
    """Play a recording into an outcome file; answers with how many readings it held.

    Raises:
        CloudError: a recording, a pack or a file that cannot be used; nothing is left half written.
    """
    folder = RecordingFolder(recording)
    task = Task(recording, _pack(pack), out)
    parts = Parts(out)
    with parts.alone():
        return _replay(folder, task, parts, jobs=jobs, progress=progress)


def _replay(folder: RecordingFolder, task: Task, parts: Parts, *, jobs: int, progress: IO[str] | None) -> int:
    villages = folder.manifest.villages
    waiting = [village for village in villages if not _is_whole(folder, parts, village, task.pack)]
    days = -(-(folder.manifest.ends_ms - folder.manifest.starts_ms) // DAY_MS)
    said = Progress(progress, days=days, villages=len(villages))
    said.skip(len(villages) - len(waiting))
    if waiting:
        play_all(task, waiting, jobs=jobs, hear=said.hear)
    readings = parts.readings(villages)
    if readings != folder.manifest.readings:
        raise ReplayRefused(
            f"{folder.path}: {readings} readings, its manifest says {folder.manifest.readings}; record it again, or "
            "copy it whole"
        )
    parts.finish(villages)
    return readings


def replay_to_end(recording: Path, out: Path, *, pack: Path | None, jobs: int, progress: IO[str] | None) -> int:
    """`replay` for a command line: the exit code, also where SIGINT or SIGTERM stops it."""
    try:
        with _terminable():
            readings = replay(recording, out, pack=pack, jobs=jobs, progress=progress)
    except KeyboardInterrupt:
        sys.stderr.write("kanhu-cloud: stopped; the same command goes on where it stopped\n")
        return STOPPED
    sys.stdout.write(f"{readings} readings replayed into {out}\n")
    return 0


def _is_whole(folder: RecordingFolder, parts: Parts, village: str, pack: bytes) -> bool:
    try:
        return parts.is_whole(village, made_from=made_from(folder.files(village), pack=pack))
    except OSError as error:
        raise ReplayRefused(f"{error.filename}: {error.strerror}; record it again, or copy it whole") from error


def _pack(file: Path | None) -> bytes:
    if file is None:
        return files(kanhu.vitals.packs).joinpath("core.toml").read_bytes()
    try:
        data = file.read_bytes()
        load_pack(data)
    except OSError as error:
        raise ReplayRefused(f"{file}: {error.strerror}; name a rule pack with --pack") from error
    except PackRefused as error:
        raise ReplayRefused(f"{file}: {error}") from error
    return data


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM stops as Ctrl-C does, so that workers end and what is whole stays."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # as signal wants it
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
