"""A county, village by village, on one process or several; whoever is asked again goes on where it stopped.

What a village holds depends on settings and its number alone, so the bytes are the same however many processes there
are and in whatever order villages are made.
"""

import hashlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing import connection
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Final, NamedTuple

from kanhu.contract.recording import Manifest
from kanhu.firmware_sim.errors import WorkerLost
from kanhu.firmware_sim.population import draw_village, register_toml, village_sizes
from kanhu.firmware_sim.recording.folder import Done, RecordingFolder, Settings
from kanhu.firmware_sim.recording.rhythms import Rhythms, load_rhythms, recordings_digest
from kanhu.firmware_sim.recording.village_play import play_village
from kanhu.firmware_sim.recording.writing import alone

STARTS_MS: Final = int(datetime(2026, 3, 1, 16, 0, tzinfo=UTC).timestamp()) * 1000
"""Monday 2026-03-02 00:00 in Shanghai."""

_DIGITS = 12
_CODE = Path(__file__).parents[1]
_DECIDES = ("bodies/*.py", "homes/*.py", "population/*.py", "recording/*.py", "scenario/*.py", "truth.py")

Told = Callable[[str, int, int], None]
"""Village, days done, days in all."""


@dataclass(frozen=True, slots=True)
class CountyWish:
    """What is asked for."""

    people: int
    days: int
    seed: int
    out: Path
    recordings: Path
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class _Task:
    number: int
    people: int


def county_settings(wish: CountyWish) -> Settings:
    """What decides every byte; the number of processes is not among it."""
    return Settings(
        name=f"{wish.people} people, {wish.days} days",
        seed=wish.seed,
        starts_ms=STARTS_MS,
        days=wish.days,
        details={
            "people": str(wish.people),
            "recordings": recordings_digest(wish.recordings)[:_DIGITS],
            "simulator": _code_digest(),
        },
    )


def _code_digest() -> str:
    """Of the code that decides the bytes: a recording begun by another simulator must not be gone on with."""
    digest = hashlib.sha256()
    files = (file for name in _DECIDES for file in _CODE.glob(name))
    for file in sorted(files):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:_DIGITS]


def record_county(wish: CountyWish, *, told: Told) -> Manifest:
    """Make the county, or the rest of it.

    Raises:
        FolderRefused, RecordRefused: before anything is made, or the disk is full, or another run is at it.
        WorkerLost: a process was ended from outside.
    """
    rhythms = load_rhythms(wish.recordings)
    with alone(wish.out):
        return _record(wish, rhythms, told=told)


def _record(wish: CountyWish, rhythms: Rhythms, *, told: Told) -> Manifest:
    folder = RecordingFolder.open(wish.out, county_settings(wish))
    sizes = village_sizes(wish.people)
    villages = [draw_village(number, people=size, seed=str(wish.seed)) for number, size in enumerate(sizes, 1)]
    dones = {village.id: folder.done(village.id) for village in villages}
    tasks: list[_Task] = []
    for village, size in zip(villages, sizes, strict=True):
        if dones[village.id] is None:
            tasks.append(_Task(village.number, size))
        else:
            told(village.id, wish.days, wish.days)
    if wish.jobs > 1 and len(tasks) > 1:
        made = _side_by_side(folder, tasks, rhythms, jobs=min(wish.jobs, len(tasks)), told=told)
    else:
        made = _one_by_one(folder, tasks, rhythms, told=told)
    for done in made:
        dones[done.village] = done
    whole = [done for done in dones.values() if done is not None]
    return folder.finish(whole, site=register_toml(villages, seed=str(wish.seed)))


def _one_by_one(folder: RecordingFolder, tasks: list[_Task], rhythms: Rhythms, *, told: Told) -> Iterator[Done]:
    for task in tasks:
        yield play_village(
            folder,
            task.number,
            people=task.people,
            rhythms=rhythms,
            told=partial(_tell, told, task.number, folder.settings.days),
        )


def _side_by_side(
    folder: RecordingFolder, tasks: list[_Task], rhythms: Rhythms, *, jobs: int, told: Told
) -> Iterator[Done]:
    context = multiprocessing.get_context("spawn")  # the same on every system, and no thread is copied halfway
    line = _Line(context.SimpleQueue(), context.Event())
    workers = ProcessPoolExecutor(jobs, context, _begin, (folder, rhythms, line))
    try:
        waiting = {workers.submit(_work, task) for task in tasks}
        while waiting:
            ready, waiting = wait(waiting, timeout=_LOOK_EVERY_S, return_when=FIRST_COMPLETED)
            while not line.news.empty():
                number, day = line.news.get()
                told(f"v{number:03d}", day, folder.settings.days)
            yield from (future.result() for future in ready)
    except BrokenProcessPool as error:
        raise WorkerLost from error
    finally:
        line.stop.set()
        workers.shutdown(cancel_futures=True)


class _Line(NamedTuple):
    """Between the parent and its workers."""

    news: "SimpleQueue[tuple[int, int]]"
    stop: Event


class _Stopped(Exception):
    """The parent wants no more."""


_LOOK_EVERY_S = 0.05
_worker: dict[str, tuple[RecordingFolder, Rhythms, _Line]] = {}


def _begin(folder: RecordingFolder, rhythms: Rhythms, line: _Line) -> None:
    """In a worker: Ctrl-C is the parent's, which then stops the workers; without a parent there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True, name="parent").start()
    _worker["own"] = (folder, rhythms, line)


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)  # the village is not whole, and is made again


def _work(task: _Task) -> Done:
    folder, rhythms, line = _worker["own"]

    def tell(day: int) -> None:
        if line.stop.is_set():
            raise _Stopped
        line.news.put((task.number, day))

    return play_village(folder, task.number, people=task.people, rhythms=rhythms, told=tell)


def _tell(told: Told, number: int, days: int, day: int) -> None:
    told(f"v{number:03d}", day, days)
