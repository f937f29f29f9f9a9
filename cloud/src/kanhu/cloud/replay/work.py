"""Plays one village into its part of the outcome, and many of them in processes of their own.

A worker says over its pipe how far it is; the one who started it speaks to people. A worker that ends without a word is
noticed by its end, and one whose starter is gone by its pipe.
"""

import multiprocessing
import shutil
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from kanhu.cloud.errors import CloudError, ReplayRefused
from kanhu.cloud.ledger.database import LEDGER_FILE, Durability, Ledger
from kanhu.cloud.replay.parts import Parts, made_from
from kanhu.cloud.replay.recording_folder import RecordingFolder
from kanhu.cloud.replay.village import VillageReplay
from kanhu.vitals import load_pack

__all__ = ["Task", "Told", "play_all"]

_GOODBYE_S = 5


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be played, against which rules, into what."""

    recording: Path
    pack: bytes
    out: Path


@dataclass(frozen=True, slots=True)
class Told:
    """How many days of a village have passed; `whole` once it is kept."""

    village: str
    days: int
    whole: bool = False


Hear = Callable[[Told], None]


def play_all(task: Task, villages: Sequence[str], *, jobs: int, hear: Hear) -> None:
    """Play villages that are not whole yet; `jobs` at a time, each in a process of its own where there are several.

    Raises:
        CloudError: of the first village that cannot be played.
    """
    if jobs == 1 or len(villages) == 1:
        player = _Player(task)
        for village in villages:
            player.play(village, hear)
        return
    _Crew(task, min(jobs, len(villages))).play(villages, hear)


class _Player:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._recording = RecordingFolder(task.recording)
        self._pack = load_pack(task.pack)
        self._parts = Parts(task.out)

    def play(self, village: str, hear: Hear) -> None:
        origin = made_from(self._recording.files(village), pack=self._task.pack)
        folder = self._parts.scratch(village)
        try:
            with closing(Ledger(folder / LEDGER_FILE, durability=Durability.SCRATCH)) as ledger:
                ledger.migrate()
                with ledger.connect_writer() as connection, self._recording.readings(village) as readings:
                    connection.begin()
                    replay = VillageReplay(
                        connection,
                        manifest=self._recording.manifest,
                        site=self._recording.site(village),
                        plan=self._recording.plan(village),
                        pack=self._pack,
                        policy=self._recording.policy(self._pack),
                    )
                    lines = replay.play(
                        readings,
                        place=self._recording.place(village),
                        day_done=lambda days: hear(Told(village, days)),
                    )
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        self._parts.write(village, lines, made_from=origin)
        hear(Told(village, 0, whole=True))


class _Crew:
    """Worker processes, each given one village after another."""

    def __init__(self, task: Task, jobs: int) -> None:
        self._parts = Parts(task.out)
        context = multiprocessing.get_context("spawn")  # a fork would copy whatever threads the caller has, half alive
        self._workers: dict[Connection, SpawnProcess] = {}
        for number in range(jobs):
            ours, theirs = context.Pipe()
            worker = context.Process(target=_work, args=(task, theirs), name=f"replay-{number}", daemon=True)
            worker.start()
            theirs.close()
            self._workers[ours] = worker

    def play(self, villages: Iterable[str], hear: Hear) -> None:
        waiting = deque(villages)
        try:
            busy = {pipe for pipe in self._workers if _give(pipe, waiting)}
            while busy:
                for pipe, said in self._said(busy):
                    if isinstance(said, str):
                        raise ReplayRefused(said)
                    hear(said)
                    if said.whole and not _give(pipe, waiting):
                        busy.discard(pipe)
        finally:
            for worker in self._workers.values():
                worker.terminate()
            for worker in self._workers.values():
                worker.join(_GOODBYE_S)
            self._parts.clear()

    def _said(self, busy: Iterable[Connection]) -> Iterator[tuple[Connection, "Told | str"]]:
        for pipe in wait([*busy]):
            if not isinstance(pipe, Connection):
                continue
            try:
                yield pipe, pipe.recv()
            except EOFError as error:
                code = self._workers[pipe].exitcode
                raise ReplayRefused(f"a replaying process ended by itself ({code}); start again to go on") from error


def _give(pipe: Connection, waiting: "deque[str]") -> bool:
    if not waiting:
        return False
    pipe.send(waiting.popleft())
    return True


def _work(task: Task, pipe: Connection) -> None:
    """Run in a process of its own until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: whoever started this one ends it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        player = _Player(task)
        while True:
            player.play(pipe.recv(), pipe.send)
    except CloudError as error:
        pipe.send(str(error))
    except (EOFError, BrokenPipeError):
        return
