"""Thousands of power cuts: every cut point of a recording with every fate, and again inside the recovery from some.

    recording ── cut anywhere, lose none, part or all ──▶ opened, held against what was promised
                      │
                      └─ some: opened by a process that is recorded in turn ── cut again anywhere ──▶ held as well

The states are shared out over processes; each plays the recording forward on a card of its own.
"""

import multiprocessing
import random
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kanhu.contract import Clock
from kanhu.harness.prove.power.card import Card
from kanhu.harness.prove.power.cuts import Player, State, start, states_of
from kanhu.harness.prove.power.recording import MAX_MIB, Recording
from kanhu.harness.prove.power.recoveries import Recovery, record_recoveries
from kanhu.harness.prove.power.survival import Broken, lay_out, survey
from kanhu.harness.prove.telling import Teller

__all__ = ["Tally", "replay"]

_IN_RECOVERY = 5  # one state in five is a cut inside a recovery
_PER_RECOVERY = 40  # states, of each recovery that is recorded
_CHUNK = 60  # states that one process takes at once
_EXAMPLES = 5
_MEMORY = Path("/dev/shm")  # noqa: S108  # scratch that no disk has to be waited for, where there is any


@dataclass(frozen=True, slots=True)
class _Work:
    """For one process: cuts of the recording, or of one recovery."""

    states: tuple[State, ...]
    recovery: Recovery | None = None


@dataclass(slots=True)
class Tally:
    """What was found."""

    states: int = 0
    in_recovery: int = 0
    recoveries: int = 0
    broken: Counter[Broken] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Both together."""
        self.states += other.states
        self.in_recovery += other.in_recovery
        self.broken += other.broken
        self.examples = [*self.examples, *other.examples][:_EXAMPLES]


async def replay(recording: Recording, *, states: int, seed: int, jobs: int, clock: Clock, teller: Teller) -> Tally:
    """Cut, open and compare so many times.

    Raises:
        CannotBeHad, TraceRefused, ProgramFailed: a recovery could not be recorded.
    """
    with _scratch() as folder, _processes(recording, folder, seed=seed, jobs=jobs) as pool:
        first = states_of(recording.steps, count=states - states // _IN_RECOVERY, seed=seed)
        tally = Tally()
        teller.share(0, states, "power cuts")
        _gather(pool, [_Work(tuple(chunk)) for chunk in _chunks(first)], tally, of=states, teller=teller)
        left = states - tally.states
        draw = random.Random(f"{seed}/recoveries")
        chosen = sorted(draw.sample(first, min(len(first), max(1, left // _PER_RECOVERY))), key=lambda cut: cut.steps)
        recoveries = await record_recoveries(recording, chosen, folder, seed=seed, clock=clock)
        tally.recoveries = len(recoveries)
        works = []
        for number, recovery in enumerate(recoveries):
            share = left // len(recoveries) + (number < left % len(recoveries))
            again = states_of(recovery.steps, count=share, seed=seed)
            works += [_Work(tuple(chunk), recovery) for chunk in _chunks(again)]
        _gather(pool, works, tally, of=states, teller=teller)
        return tally


def _gather(pool: Executor, works: Iterable[_Work], tally: Tally, *, of: int, teller: Teller) -> None:
    for done in as_completed([pool.submit(_do, work) for work in works]):
        tally.add(done.result())
        teller.share(tally.states, of, "power cuts")


def _chunks(states: Sequence[State]) -> Iterator[Sequence[State]]:
    return (states[at : at + _CHUNK] for at in range(0, len(states), _CHUNK))


@contextmanager
def _scratch() -> Iterator[Path]:
    parent = _MEMORY if _MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="kanhu-power-", dir=parent) as folder:
        yield Path(folder)


@contextmanager
def _processes(recording: Recording, folder: Path, *, seed: int, jobs: int) -> Iterator[Executor]:
    file = folder / "recording"
    recording.save(file)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(file, folder, seed)) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)


# ------------------------------------------------------------------------------------ in each process


class _Process:
    """What one process of the pool keeps between two pieces of work."""

    def __init__(self, recording: Recording, folder: Path, seed: int) -> None:
        self._recording = recording
        self._folder = Path(tempfile.mkdtemp(dir=folder)) / "card"
        self._seed = seed
        self._player = start(recording.steps, recording.released_s)

    def do(self, work: _Work) -> Tally:
        """Each cut, opened and compared."""
        found = Tally()
        again, at_s = (None, 0.0) if work.recovery is None else self._recovering(work.recovery)
        for state in work.states:
            player = again or self._player_at(state.steps)
            player.play_to(state.steps)
            lay_out(state.card(player.card, seed=self._seed), self._folder)
            # no county says anything while a gateway recovers
            broken = survey(self._folder, player.promises, at_s=at_s or player.at_s, max_mib=MAX_MIB)
            found.states += 1
            found.in_recovery += again is not None
            if broken is not None:
                found.broken[broken] += 1
                inside = "" if work.recovery is None else f", inside the recovery from a cut {work.recovery.of}"
                found.examples.append(f"{broken.value}: {state}{inside}")
        return found

    def _player_at(self, steps: int) -> Player:
        """Of the recording, played no further than this."""
        if self._player.played > steps:
            self._player = start(self._recording.steps, self._recording.released_s)
        return self._player

    def _recovering(self, recovery: Recovery) -> tuple[Player, float]:
        """Of a recovery, on the card that its cut left; and the moment of that cut."""
        first = self._player_at(recovery.of.steps)
        first.play_to(recovery.of.steps)
        left = recovery.of.card(first.card, seed=self._seed)
        return Player(recovery.steps, Card(left), first.promises.copy()), first.at_s


_here: list[_Process] = []
"""The one of this process, once it has begun."""


def _begin(file: Path, folder: Path, seed: int) -> None:
    _here.append(_Process(Recording.load(file), folder, seed))


def _do(work: _Work) -> Tally:
    return _here[0].do(work)
