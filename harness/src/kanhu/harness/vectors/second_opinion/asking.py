"""One library asked in its own process: questions in, as many answers out."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from kanhu.harness.apart import clean_environment
from kanhu.harness.errors import ProgramFailed

__all__ = ["answers_of"]

_LAST_WORDS = 400  # characters of what a library's process printed


async def answers_of(
    command: Sequence[str], questions: Sequence[object], *, doing: str, longest_s: float
) -> list[dict[str, Any]]:
    """What `command` answers; its process ends with the answer. `doing` is for errors.

    Raises:
        ProgramFailed: it ended badly, was too slow, or answered something else.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=clean_environment(),
    )  # fmt: skip  # words by rows
    try:
        async with asyncio.timeout(longest_s):
            told, said = await process.communicate(json.dumps(questions).encode())
    except TimeoutError:
        raise ProgramFailed(doing, f"no answer after {longest_s} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise ProgramFailed(doing, said.decode(errors="replace")[-_LAST_WORDS:])
    try:
        answers: list[dict[str, Any]] = json.loads(told)
    except ValueError as error:
        raise ProgramFailed(doing, f"its answer is no JSON: {error}") from error
    if len(answers) != len(questions):
        raise ProgramFailed(doing, f"{len(answers)} answers to {len(questions)} frames")
    return answers
