"""`./run prove fuzz`: millions of frames at every codec, led by which lines they reach; only DecodeError may come out.

Each codec has a process of its own, some at a time. It goes out from the published frames, from those kept with
the code, and from what earlier runs on this machine found.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from kanhu.contract import SystemClock
from kanhu.harness.fuzz.account import Account, forget
from kanhu.harness.fuzz.corpus import KEPT_FRAMES, keep, kept_frames, kept_targets, shortest_reaching
from kanhu.harness.fuzz.fuzzer import Fuzzed, fuzz_frames
from kanhu.harness.fuzz.names import BROKEN, target_names
from kanhu.harness.fuzz.published import ROOT, published_frames
from kanhu.harness.fuzz.sittings import Sitting, sit
from kanhu.harness.fuzz.targets import find_targets
from kanhu.harness.prove.telling import telling
from kanhu.harness.report import Output, Report, Value, finish, read_limits
from kanhu.harness.stopping import until_told

__all__ = ["main"]

_EXAMPLES = """examples:
  ./run prove fuzz --json
  ./run prove fuzz --codec 'glucose*' --codec bthome.decode_bthome --frames 1000000
  ./run prove fuzz --seconds-each 300        five minutes of each codec; goes on where it was stopped
  ./run prove fuzz --seconds-each 300 --budget-minutes 30    half an hour of that
  ./run prove fuzz --seconds-each 60 --keep  what was found goes into tests/vectors/fuzz, as few frames as reach it
  ./run prove fuzz --broken                  a codec that is wrong on purpose is found, and it ends with 1

exit code:
  0    every limit of harness/limits.toml, section prove-fuzz, is kept
  1    one is broken; the frames that did it are printed
  2    wrong usage
  130  stopped by hand; the corpus stays, and with --seconds-each what each had
"""
_NAME = "prove-fuzz"
_FRAMES = 10_000_000
_CORPUS = ROOT / "run-data" / "fuzz"


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
    if (chosen.budget_minutes is not None or chosen.anew) and not chosen.seconds_each:
        parser.error("--budget-minutes, --anew: of --seconds-each, whose time is counted over all sittings")
    if chosen.jobs < 1:
        parser.error(f"--jobs {chosen.jobs}: at least one")
    figures: dict[str, Value] = {}
    if chosen.seconds_each:
        if chosen.anew or chosen.broken:
            for name in names:
                forget(name, corpus=chosen.corpus)
        accounts = until_told(_sit(chosen, names))
        found = [_fuzzed(name, account) for name, account in accounts.items()]
        figures = _of_time(accounts, chosen.seconds_each)
    else:
        found = until_told(_conduct(chosen, names))
    if chosen.keep:
        keep_found(names, corpus=chosen.corpus, all_targets=not chosen.codec)
    for one in found:
        if one.exceptions:
            print(f"{one.name}: {one.exceptions} exceptions, such as\n{one.kept}", file=sys.stderr)
    figures = {
        "codecs": len(found),
        "frames": sum(one.frames for one in found),
        "exceptions": sum(one.exceptions for one in found),
        "edges": sum(one.edges for one in found),
        "least_frames_of_a_codec": min(one.frames for one in found),
        **figures,
        "kept_frames": sum(1 for name in names for _ in kept_frames(name)),
    }
    versions = {package: metadata.version(package) for package in ("kanhu", "atheris")}
    report = Report(_NAME, figures, read_limits(_NAME), seed=chosen.seed, versions=versions)
    return finish(report, output=Output.TABLE_AND_JSON if chosen.json else Output.TABLE)


def _fuzzed(name: str, account: Account) -> Fuzzed:
    return Fuzzed(name, account.frames, account.edges, account.exceptions, account.kept)


def _of_time(accounts: Mapping[str, Account], seconds_each: int) -> dict[str, Value]:
    """How much of what was asked has been done, over all sittings; says so where some is left."""
    done = sum(account.seconds >= seconds_each for account in accounts.values())
    if done < len(accounts):
        print(
            f"{done} of {len(accounts)} codecs have had their {seconds_each} s; the same command goes on there",
            file=sys.stderr,
        )
    return {
        "seconds_each": seconds_each,
        "least_seconds_each": min(account.seconds for account in accounts.values()),
        "seconds": sum(account.seconds for account in accounts.values()),
        "targets_done": done,
    }


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
    parser.add_argument(
        "--seconds-each", type=int, help="in place of a number of frames: so long each, over all sittings together"
    )
    parser.add_argument("--budget-minutes", type=float, help="end this sitting after so long; the next one goes on")
    parser.add_argument("--anew", action="store_true", help="forget how long each was fuzzed before; the corpus stays")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="codecs at a time (default: one a core)")
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
        found = (file.read_bytes() for file in sorted((corpus / name).glob("*")))
        frames = [
            b"",
            *kept_frames(name, folder=folder),
            *found,
        ]  # the fuzzer always tries the empty one and stores it never
        keep(name, shortest_reaching(targets[name], frames, beside=published_frames(name)), folder=folder)
    for gone in set(kept_targets(folder)) - set(targets) if all_targets else ():
        keep(gone, (), folder=folder)


async def _conduct(chosen: argparse.Namespace, names: Sequence[str]) -> list[Fuzzed]:
    """So many frames of each."""
    each = -(-chosen.frames // len(names))  # rounded up: never less than asked for
    running = asyncio.Semaphore(chosen.jobs)
    done = 0
    with tempfile.TemporaryDirectory(prefix="kanhu-fuzz-") as folder, telling(total_s=0) as teller:
        teller.say(f"{len(names)} codecs, {each:,} frames each")
        teller.share(0, len(names), "codecs")

        async def fuzz(name: str) -> Fuzzed:
            nonlocal done
            async with running:
                found = await fuzz_frames(name, each, corpus=chosen.corpus, folder=Path(folder), seed=chosen.seed)
            done += 1
            teller.share(done, len(names), "codecs")
            if found.exceptions:
                teller.say(f"{name}: {found.exceptions} exceptions")
            return found

        tasks = [asyncio.create_task(fuzz(name), name=f"fuzz {name}") for name in names]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _sit(chosen: argparse.Namespace, names: Sequence[str]) -> dict[str, Account]:
    """So many seconds of each, over all sittings."""
    minutes = chosen.budget_minutes
    sitting = Sitting(
        seconds_each=chosen.seconds_each,
        budget_s=None if minutes is None else 60 * minutes,
        corpus=chosen.corpus,
        seed=chosen.seed,
        jobs=chosen.jobs,
    )
    with telling(total_s=0) as teller:
        whole_s = chosen.seconds_each * len(names)
        before_s = 0

        def tell(name: str | None, accounts: Mapping[str, Account]) -> None:
            nonlocal before_s
            now_s = sum(min(one.seconds, chosen.seconds_each) for one in accounts.values())
            if name is None:
                before_s = now_s
                teller.say(f"{len(names)} codecs, {whole_s} s, of which {now_s} s are done")
            elif accounts[name].exceptions:
                teller.say(f"{name}: {accounts[name].exceptions} exceptions")
            teller.share(now_s - before_s, whole_s - before_s, "seconds of codecs")

        return await sit(names, sitting, clock=SystemClock(), tell=tell)
