"""Asks every clause and says which hold."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import aiomqtt

from kanhu.harness.conform.bench import Bench
from kanhu.harness.conform.clauses import CLAUSES, ENROLLED, Clause, Needs
from kanhu.harness.conform.virtual_gateway import ClauseBroken

__all__ = ["Answer", "Verdict", "ask_all"]


class Verdict(StrEnum):
    """What became of a clause."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Answer:
    """One clause and its verdict; `detail` says what was seen, or what is missing to ask it."""

    clause: Clause
    verdict: Verdict
    detail: str = ""


async def ask_all(
    bench: Bench, *, clauses: Sequence[Clause] = CLAUSES, tell: Callable[[Answer], None] = lambda _: None
) -> list[Answer]:
    """Ask one after the other: a county is told apart from its neighbours by nothing but what it answers.

    Raises:
        ClauseBroken: nobody answers at all.
    """
    await bench.listens(ENROLLED[0])
    answers = []
    for clause in clauses:
        answer = await asyncio.create_task(_ask(bench, clause), name=clause.name)
        answers.append(answer)
        tell(answer)
    return answers


async def _ask(bench: Bench, clause: Clause) -> Answer:
    missing = _missing(bench, clause.needs)
    if missing:
        return Answer(clause, Verdict.NOT_ASKED, missing)
    try:
        await clause.ask(bench)
    except ClauseBroken as error:
        return Answer(clause, Verdict.BROKEN, str(error))
    except (aiomqtt.MqttError, OSError) as error:
        return Answer(clause, Verdict.BROKEN, f"the connection to the broker was lost: {error}")
    return Answer(clause, Verdict.KEPT)


def _missing(bench: Bench, needs: Needs) -> str:
    if Needs.LEDGER in needs and bench.ledger is None:
        return "needs --ledger"
    if Needs.RESTART in needs and bench.power is None:
        return "needs --kill and --start"
    return ""
