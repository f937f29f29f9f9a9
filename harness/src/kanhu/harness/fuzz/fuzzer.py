"""One run of the fuzzer over one codec, in a process of its own."""

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kanhu.harness.errors import ProgramFailed
from kanhu.harness.fuzz.corpus import kept_frames
from kanhu.harness.fuzz.published import published_frames
from kanhu.harness.fuzz.watch import COUNTED, KEPT

__all__ = ["Fuzzed", "fuzz_for", "fuzz_frames"]

_LONGEST_BYTES = 600  # above the longest value of an attribute
_EXECUTED = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)
_COVERED = re.compile(r"cov: (\d+)")
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """What one codec was put through."""

    name: str
    frames: int
    edges: int
    exceptions: int
    kept: str


async def fuzz_frames(name: str, frames: int, *, corpus: Path, folder: Path, seed: int) -> Fuzzed:
    """So many frames; what reaches new lines goes into the corpus, what else there is to tell into the folder.

    Raises:
        ProgramFailed: the fuzzer itself ended badly.
    """
    return await _fuzz(name, [f"-runs={frames}"], corpus=corpus, folder=folder, seed=seed)


async def fuzz_for(name: str, seconds: int, *, corpus: Path, folder: Path, seed: int) -> Fuzzed:
    """So long, the reading of the corpus included.

    Raises:
        ProgramFailed: the fuzzer itself ended badly.
    """
    return await _fuzz(name, [f"-max_total_time={seconds}"], corpus=corpus, folder=folder, seed=seed)


async def _fuzz(name: str, limit: Sequence[str], *, corpus: Path, folder: Path, seed: int) -> Fuzzed:
    own, found, seeds = folder / name, corpus / name, folder / f"{name}.seeds"
    for each in (own, found, seeds):
        each.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate((*published_frames(name), *kept_frames(name))):
        (seeds / f"seed-{number}").write_bytes(frame)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "kanhu.harness.fuzz.child", name, str(own), *limit, f"-seed={seed}",
        f"-max_len={_LONGEST_BYTES}", "-print_final_stats=1", f"-artifact_prefix={own}/", str(found), str(seeds),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip  # words by rows
    try:
        said = (await child.communicate())[1].decode(errors="replace")
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    executed = _EXECUTED.search(said)
    if child.returncode or executed is None:
        raise ProgramFailed(f"the fuzzer of {name}", said[-4000:])
    counted, kept = own / COUNTED, own / KEPT
    return Fuzzed(
        name,
        frames=int(executed[1]),
        edges=max((int(edges) for edges in _COVERED.findall(said)), default=0),
        exceptions=int(counted.read_text(encoding="utf-8")) if counted.exists() else 0,
        kept="\n".join(kept.read_text(encoding="utf-8").splitlines()[:_SHOWN]) if kept.exists() else "",
    )
