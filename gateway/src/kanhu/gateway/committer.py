"""One thread for the outbox: the event loop never waits for a card, and waiting readings share one commit.

A commit costs a card the same whether it holds one reading or fifty. So a reading that comes alone is committed at
once, those that follow soon after wait for one another until a pause has passed; an alert waits for nobody, and nobody
waits for the count of what was refused. Whoever hands over one reading after the other, each after the answer to the
one before, as a device does that empties its memory, has no company to wait for: a pause in whose second half nobody
came is followed by many commits without one.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from kanhu.contract import Finding, Lane, Record
from kanhu.gateway.errors import OutboxDamaged, OutboxError, OutboxFailed
from kanhu.gateway.outbox import Outbox

COMMIT_PAUSE_S = 0.2
"""From one commit to the next where no alert waits: five a second at most, and nobody sees a fifth of a second.

Half as long cost 3.4 % of a core under the load of `./run bench gateway`, this 2.9 %: what costs is waking up.
"""
_WITHOUT_PAUSE = 200
"""Commits after a pause that brought nobody: stored readings leave their device at full speed (project choice)."""

_Answer = TypeVar("_Answer")


@dataclass(slots=True)
class _Submission:
    records: Sequence[tuple[Lane, Record]]
    states: Mapping[str, bytes]
    refused: Sequence[tuple[str, str]]
    done: asyncio.Future[list[int]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    lacks_states: bool = False
    """Some of its states were left out."""

    def without(self, subjects: AbstractSet[str]) -> "_Submission":
        """The same, without the state of these subjects."""
        if subjects.isdisjoint(self.states):
            return self
        states = {subject: state for subject, state in self.states.items() if subject not in subjects}
        return replace(self, states=states, lacks_states=True)

    def is_in_vain(self) -> bool:
        """Whether it is there for its states, and not all of them may be kept now."""
        return self.lacks_states and not self.records

    def hurries(self) -> bool:
        """Whether somebody may need help, or nothing is to be accepted: a count holds up no reading behind it."""
        return not self.records or any(lane is Lane.ALERT for lane, _ in self.records)

    def ahead(self) -> AbstractSet[str]:
        """Whose state says that something was raised which, if this fails, no file knows of."""
        return self.states.keys() if any(isinstance(record, Finding) for _, record in self.records) else frozenset()


class Committer:
    """Async doors to an outbox, all served by one thread in order of arrival."""

    def __init__(self, outbox: Outbox, *, pause_s: float = 0.0) -> None:
        """Take the outbox over; nobody else may call it until `close`."""
        self._outbox = outbox
        self._pause_s = pause_s
        self._next_commit_s = 0.0  # of the event loop's clock
        self._came_s = 0.0  # the last submission, by the same clock
        self._without_pause = 0
        self._hurry = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox")
        self._waiting: list[_Submission] = []
        self._committing: asyncio.Task[None] | None = None
        self._ahead: set[str] = (
            set()
        )  # a finding of theirs failed: no later state of theirs may be kept as if it had not
        self.damaged = asyncio.Event()
        """Set once the file turned out to be damaged: whoever runs the gateway has to open it anew."""

    @property
    def epoch(self) -> str:
        """The outbox's epoch."""
        return self._outbox.epoch

    @property
    def last_seq(self) -> int:
        """The last number given out."""
        return self._outbox.last_seq

    @property
    def alarms_open(self) -> int:
        """How many alarms wait for a receipt or are being told."""
        return self._outbox.alarms.open

    async def accept(
        self, records: Sequence[tuple[Lane, Record]], *, states: Mapping[str, bytes] | None = None
    ) -> list[int]:
        """Commit together with whoever else waits; returns once the records are on the card.

        Raises:
            OutboxFull, OutboxFailed: nothing of this call was stored; of one without records, not all of its states,
                where a finding before them was not.
        """
        return await self._submit(_Submission(records, states or {}, ()))

    async def refuse(self, device: str, *, reason: str, count: int = 1) -> None:
        """Commit the count of refused readings."""
        await self._submit(_Submission((), {}, ((device, reason),) * count))

    async def states(self) -> dict[str, bytes]:
        """Detector states as committed; whoever asks goes on from these, and from these only."""
        self._ahead.clear()
        return await self.call(Outbox.states)

    def caught_up(self) -> None:
        """Whatever failed is in the county or in the file by now: states may be kept again."""
        self._ahead.clear()

    async def call(self, function: Callable[[Outbox], _Answer]) -> _Answer:
        """Run one function with the outbox in its thread.

        Raises:
            OutboxError: the file could not be read or written.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, function, self._outbox)
        except sqlite3.Error as error:
            named = self._outbox.named(error)
            self._notice(named)
            raise named from error
        except OutboxError as error:
            self._notice(error)
            raise

    def _notice(self, answer: object) -> None:
        if isinstance(answer, OutboxDamaged):
            self.damaged.set()

    async def close(self) -> None:
        """Finish what waits, close the outbox, end the thread."""
        while self._committing is not None:
            self._hurry.set()
            await asyncio.wait({self._committing})
        await self.call(Outbox.close)
        self._thread.shutdown()

    async def _submit(self, submission: _Submission) -> list[int]:
        self._waiting.append(submission)
        self._came_s = asyncio.get_running_loop().time()
        if submission.hurries():
            self._hurry.set()
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_waiting(), name="commit")
        # A caller that is cancelled meanwhile does not undo the commit.
        return await asyncio.shield(submission.done)

    async def _pause(self) -> None:
        """Let the next commit be due, or an alert come."""
        loop = asyncio.get_running_loop()
        left_s = self._next_commit_s - loop.time()
        if self._without_pause:
            self._without_pause -= 1
        elif left_s > 0:
            try:
                async with asyncio.timeout(left_s):
                    await self._hurry.wait()
            except TimeoutError:
                if loop.time() - self._came_s > self._pause_s / 2:
                    self._without_pause = _WITHOUT_PAUSE
        self._hurry.clear()
        self._next_commit_s = loop.time() + self._pause_s

    async def _commit_waiting(self) -> None:
        try:
            while self._waiting:
                await self._pause()
                group, self._waiting = [one.without(self._ahead) for one in self._waiting], []
                answers: Sequence[list[int] | BaseException] = ()
                try:
                    answers = await self.call(partial(_commit, group=group))
                except BaseException as error:
                    answers = [error] * len(group)  # whatever it was, nobody waits for ever
                    raise
                finally:
                    for submission, answer in zip(group, answers, strict=True):
                        self._notice(answer)
                        if isinstance(answer, BaseException):
                            self._ahead |= submission.ahead()
                        _answer(submission.done, answer)
        finally:
            self._committing = None
            if self._waiting:  # who came while that failed is served all the same
                self._committing = asyncio.create_task(self._commit_waiting(), name="commit")


def _commit(outbox: Outbox, group: Sequence[_Submission]) -> list[list[int] | OutboxError]:
    """One transaction for all; where that fails each for itself, so that one too many does not fail an alert."""
    states: dict[str, bytes] = {}
    for submission in group:
        states.update(submission.states)
    try:
        seqs = outbox.accept(
            [entry for submission in group for entry in submission.records],
            states=states,
            refused=[refusal for submission in group for refusal in submission.refused],
        )
    except OutboxError as error:
        if len(group) == 1:
            return [error]
        return _commit_each(outbox, group)
    answers: list[list[int] | OutboxError] = []
    for submission in group:
        count = len(submission.records)
        in_vain = OutboxFailed("a state goes beyond a finding that is not stored yet")
        answers.append(in_vain if submission.is_in_vain() else seqs[:count])
        seqs = seqs[count:]
    return answers


def _commit_each(outbox: Outbox, group: Sequence[_Submission]) -> list[list[int] | OutboxError]:
    answers: list[list[int] | OutboxError] = []
    ahead: set[str] = set()
    for submission in group:
        (answer,) = _commit(outbox, [submission.without(ahead)])
        if isinstance(answer, OutboxError):
            ahead |= submission.ahead()
        answers.append(answer)
    return answers


def _answer(done: asyncio.Future[list[int]], answer: list[int] | BaseException) -> None:
    if done.done():
        return
    if isinstance(answer, BaseException):
        done.set_exception(answer)
    else:
        done.set_result(answer)
