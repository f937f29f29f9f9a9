"""Runs the short programs that make a sound or switch a light, with a time limit and without a shell."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from subprocess import DEVNULL, PIPE

_KILL_S = 2.0


async def run_command(command: Sequence[str], *, within_s: float, text: str = "") -> str:
    """Run it with `text` on its standard input; answers with a named failure, or nothing where all went well."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE if text else DEVNULL, stdout=DEVNULL, stderr=DEVNULL
        )
    except (OSError, ValueError):  # ValueError: a zero byte in a setting
        return "program_missing"
    try:
        async with asyncio.timeout(within_s):
            await process.communicate(text.encode() if text else None)
    except TimeoutError:
        return "program_hung"
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            with suppress(TimeoutError):
                async with asyncio.timeout(_KILL_S):
                    await process.wait()
    return "" if process.returncode == 0 else "program_failed"
