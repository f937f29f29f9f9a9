"""`./run prove fuzz`: millions of frames at every codec, led by which lines they reach; only DecodeError may come out.

Each codec has a process of its own, one a core at a time. It goes out from the published frames, from those kept with
the code, and from what earlier runs on this machine found.
"""

import argparse
import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from kanhu.harness.errors import ProgramFailed
from kanhu.harness.fuzz.corpus import KEPT_FRAMES, keep, kept_frames, kept_targets, shortest_reaching
from kanhu.harness.fuzz.names import BROKEN, target_names
from kanhu.harness.fuzz.published import ROOT, published_frames
from kanhu.harness.fuzz.targets import find_targets
from kanhu.harness.fuzz.watch import COUNTED, KEPT
from kanhu.harness.prove.telling import Teller, telling
from kanhu.harness.report import Output, Report, Value, finish, read_limits
from kanhu.harness.stopping import until_told

__all__ = ["main"]

_EXAMPLES = """examples:
  ./run prove fuzz --json
  ./run prove fuzz --codec 'glucose*' --codec bthome.decode_bthome --frames 1000000
  ./run prove fuzz --seconds-each 300        five minutes of each codec, as the nightly run does
  ./run prove fuzz --seconds-each 60 --keep  what was found goes into tests/vectors/fuzz, as few frames as reach it
  ./run prove fuzz --broken                  a codec that is wrong on purpose is found, and it ends with 1

exit code:
  0    every limit of harness/limits.toml, section prove-fuzz, is kept
  1    one is broken; the frames that did it are printed
  2    wrong usage
  130  stopped by hand; the corpus stays
"""
_NAME = "prove-fuzz"
_FRAMES = 10_000_000
_LONGEST_BYTES = 600  # above the longest value of an attribute
_CORPUS = ROOT / "run-data" / "fuzz"
_EXECUTED = re.compile(r"^stat::number_of_executed_units:\s*(\d+)", re.MULTILINE)
_COVERED = re.compile(r"cov: (\d+)")
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class _Fuzzed:
    """What one codec was put through."""

    name: str
    frames: int
    edges: int
    exceptions: int
    kept: str


def main(arguments: Sequence[str]) -> int:
    """Run the proof; 0 where every limit is kept."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    names = [BROKEN] if chosen.broken else target_names(chosen.codec or ["*"])
    if not names:
        parser.error(f"no codec is called {', '.join(chosen.codec)}; they are named as module.function")
    if chosen.frames < len(names):
        parser.error(f"--frames {chosen.frames}: at least one for each of {len(names)} codecs")
    if chosen.broken and chosen.keep:
        parser.error("--keep: the frames of a codec that is wrong on purpose are not kept")
    found = until_told(_conduct(chosen, names))
    if chosen.keep:
        keep_found(names, corpus=chosen.corpus, all_targets=not chosen.codec)
    for one in found:
        if one.exceptions:
            print(f"{one.name}: {one.exceptions} exceptions, such as\n{one.kept}", file=sys.stderr)
    figures: dict[str, Value] = {
        "codecs": len(found),
        "frames": sum(one.frames for one in found),
        "exceptions": sum(one.exceptions for one in found),
        "edges": sum(one.edges for one in found),
        "least_frames_of_a_codec": min(one.frames for one in found),
        "kept_frames": sum(1 for name in names for _ in kept_frames(name)),
    }
    versions = {package: metadata.version(package) for package in ("kanhu", "atheris")}
    report = Report(_NAME, figures, read_limits(_NAME), seed=chosen.seed, versions=versions)
    return finish(report, output=Output.TABLE_AND_JSON if chosen.json else Output.TABLE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run prove fuzz",
        description="Coverage-guided fuzzing of every codec and framer.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--codec", action="append", metavar="NAME", help="only these; * is anything; repeatable")
    parser.add_argument(
        "--frames", type=int, default=_FRAMES, help=f"of all codecs together (default {_FRAMES:,})".replace(",", " ")
    )
    parser.add_argument("--seconds-each", type=int, help="in place of a number of frames: so long each")
    parser.add_argument("--corpus", type=Path, default=_CORPUS, help="where frames are found (default run-data/fuzz)")
    parser.add_argument("--keep", action="store_true", help="write the few that reach all of it to tests/vectors/fuzz")
    parser.add_argument("--seed", type=int, default=1, help="of what is drawn (default 1)")
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--broken", action="store_true", help="a codec that is wrong on purpose: it has to go red")
    return parser


def keep_found(names: Sequence[str], *, corpus: Path, all_targets: bool, folder: Path = KEPT_FRAMES) -> None:
    """Keep of what was found the few frames that reach it; where every target ran, those of gone ones are removed."""
    targets = find_targets()
    for name in names:
        found = (file.read_bytes() for file in sorted((corpus / name).iterdir()))
        frames = [
            b"",
            *kept_frames(name, folder=folder),
            *found,
        ]  # the fuzzer always tries the empty one and stores it never
        keep(name, shortest_reaching(targets[name], frames, beside=published_frames(name)), folder=folder)
    for gone in set(kept_targets(folder)) - set(targets) if all_targets else ():
        keep(gone, (), folder=folder)


async def _conduct(chosen: argparse.Namespace, names: Sequence[str]) -> list[_Fuzzed]:
    total_s = (chosen.seconds_each or 0) * len(names)
    each = -(-chosen.frames // len(names))  # rounded up: never less than asked for
    running = asyncio.Semaphore(os.cpu_count() or 1)
    done = 0
    with tempfile.TemporaryDirectory(prefix="kanhu-fuzz-") as folder, telling(total_s=total_s) as teller:
        teller.say(f"{len(names)} codecs, {each:,} frames each" if not total_s else f"{len(names)} codecs, {total_s} s")
        teller.share(0, len(names), "codecs")

        async def fuzz(name: str) -> _Fuzzed:
            nonlocal done
            async with running:
                found = await _fuzz(name, Path(folder), chosen, each)
            done += 1
            _tell(teller, found, done, len(names))
            return found

        tasks = [asyncio.create_task(fuzz(name), name=f"fuzz {name}") for name in names]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def _tell(teller: Teller, found: _Fuzzed, done: int, of: int) -> None:
    teller.share(done, of, "codecs")
    if found.exceptions:
        teller.say(f"{found.name}: {found.exceptions} exceptions")


async def _fuzz(name: str, folder: Path, chosen: argparse.Namespace, frames: int) -> _Fuzzed:
    own, corpus, seeds = folder / name, chosen.corpus / name, folder / f"{name}.seeds"
    for each in (own, corpus, seeds):
        each.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate((*published_frames(name), *kept_frames(name))):
        (seeds / f"seed-{number}").write_bytes(frame)
    limit = [f"-max_total_time={chosen.seconds_each}"] if chosen.seconds_each else [f"-runs={frames}"]
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "kanhu.harness.fuzz.child", name, str(own), *limit, f"-seed={chosen.seed}",
        f"-max_len={_LONGEST_BYTES}", "-print_final_stats=1", f"-artifact_prefix={own}/", str(corpus), str(seeds),
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
    return _Fuzzed(
        name,
        frames=int(executed[1]),
        edges=max((int(edges) for edges in _COVERED.findall(said)), default=0),
        exceptions=int(counted.read_text(encoding="utf-8")) if counted.exists() else 0,
        kept="\n".join(kept.read_text(encoding="utf-8").splitlines()[:_SHOWN]) if kept.exists() else "",
    )
