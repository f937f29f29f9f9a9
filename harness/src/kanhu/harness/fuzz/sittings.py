"""Every codec for the same time, over as many sittings as that takes.

Those that were never fuzzed come first, then those that had least. Each is fuzzed in pieces of a minute, and what a
piece did is accounted for when it ends: what is stopped in the middle of one loses that piece's account, and keeps the
frames it found.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kanhu.contract import Clock
from kanhu.harness.fuzz.account import Account, read_account, source_of, write_account
from kanhu.harness.fuzz.fuzzer import Fuzzed, fuzz_for

__all__ = ["PIECE_S", "Fuzz", "Sitting", "Tell", "sit"]

PIECE_S = 60
"""Starting the fuzzer and reading the corpus takes three of them."""
_LEAST_PIECE_S = 10  # a shorter one is spent on starting
_NS = 1_000_000_000

Fuzz = Callable[[str, int, int, Path], Awaitable[Fuzzed]]
"""Of this name, for so many seconds, with this seed, in this folder."""

Tell = Callable[[str | None, Mapping[str, Account]], None]
"""Told at the beginning, and after each piece with the name of its codec."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """What is asked of one."""

    seconds_each: int
    """Of each codec, over all sittings."""
    budget_s: float | None
    """Of this one; None is until all are done."""
    corpus: Path
    seed: int
    jobs: int

    async def fuzz(self, name: str, seconds: int, seed: int, folder: Path) -> Fuzzed:
        """By the fuzzer itself."""
        return await fuzz_for(name, seconds, corpus=self.corpus, folder=folder, seed=seed)


async def sit(
    names: Sequence[str],
    sitting: Sitting,
    *,
    clock: Clock,
    tell: Tell = lambda _name, _accounts: None,
    fuzz: Fuzz | None = None,
    source: Callable[[str], str] = source_of,
) -> dict[str, Account]:
    """Go on until each has had its time or the budget is spent; the account of each, in the order of the names.

    Raises:
        ProgramFailed: the fuzzer itself ended badly; what was done before is accounted for.
    """
    corpus = sitting.corpus
    corpus.mkdir(parents=True, exist_ok=True)
    accounts = {name: read_account(name, corpus=corpus, source=source(name)) for name in names}
    waiting = sorted(names, key=lambda name: accounts[name].seconds)
    ends_ns = None if sitting.budget_s is None else clock.mono_ns() + round(sitting.budget_s * _NS)

    def piece_s(account: Account) -> int:
        """Of the next piece; 0 where there is none."""
        left = sitting.seconds_each - account.seconds
        if left <= 0 or ends_ns is None:
            return max(0, min(left, PIECE_S))
        time_left = (ends_ns - clock.mono_ns()) // _NS
        return min(left, PIECE_S, time_left) if time_left >= min(left, _LEAST_PIECE_S) else 0

    async def work() -> None:
        while waiting:
            name = waiting.pop(0)
            while seconds := piece_s(account := accounts[name]):
                if account.source != source(name):  # somebody works on it meanwhile
                    accounts[name] = Account(source(name))
                    continue
                with tempfile.TemporaryDirectory(prefix="kanhu-fuzz-") as folder:
                    seed = sitting.seed + account.pieces
                    done = await (fuzz or sitting.fuzz)(name, seconds, seed, Path(folder))
                if account.source != source(name):
                    continue
                accounts[name] = _and(account, done, seconds)
                write_account(name, accounts[name], corpus=corpus)
                tell(name, accounts)

    tell(None, accounts)
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(sitting.jobs):
                group.create_task(work(), name=f"fuzzing {number}")
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return accounts


def _and(account: Account, done: Fuzzed, seconds: int) -> Account:
    return Account(
        account.source,
        seconds=account.seconds + seconds,
        pieces=account.pieces + 1,
        frames=account.frames + done.frames,
        edges=max(account.edges, done.edges),
        exceptions=account.exceptions + done.exceptions,
        kept=account.kept or done.kept,
    )
