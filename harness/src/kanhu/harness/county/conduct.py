"""A whole run: record, judge, score; each part is kept, so that a second start goes on where the first stopped."""

import time
from dataclasses import dataclass
from pathlib import Path

from kanhu.harness.county.bar import Stages, watched
from kanhu.harness.county.settings import Judgement, Wish, keep_seconds, kept_seconds
from kanhu.harness.county.stages import program, run_stage
from kanhu.harness.scoring.comparing import Comparison, compare_outcomes
from kanhu.harness.scoring.episodes import compare_with_truth
from kanhu.harness.scoring.expectations import read_expectations
from kanhu.harness.scoring.figures import Scored, score
from kanhu.harness.scoring.recorded import check_outcome, read_known, read_outcome_file
from kanhu.vitals import RulePack, core_pack, load_pack

__all__ = ["Result", "conduct", "pack_of", "scored_outcome"]

_WEIGHTS = {"record": 15.0, "judge": 83.0, "the other": 83.0, "score": 2.0}


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it."""

    scored: Scored
    comparison: Comparison | None
    seconds: dict[str, float]
    """Of each stage, all starts together."""


def conduct(wish: Wish) -> Result:
    """Run every stage that is not done yet.

    Raises:
        HarnessError: a program failed, or what it left cannot be scored.
    """
    wish.folder.mkdir(parents=True, exist_ok=True)
    names = ["record", "judge", *(["the other"] if isinstance(wish.against, Judgement) else []), "score"]
    with watched([(name, _WEIGHTS[name]) for name in names]) as stages:
        recorder = [program("kanhu-sim"), "record", "--people", str(wish.people), "--days", str(wish.days)]
        recorder += ["--seed", str(wish.seed), "--out", str(wish.recording), "--jobs", str(wish.jobs), "--progress"]
        seconds = {"record": _run(wish, "record", stages, recorder)}
        outcome, seconds["replay"] = _judge(wish, "judge", wish.judged, stages)
        other: Path | None = None
        if isinstance(wish.against, Judgement):
            other, seconds["replay_other"] = _judge(wish, "the other", wish.against, stages)
        elif wish.against is not None:
            other = wish.against
        began_s = time.monotonic()
        hear = stages.begin("score")
        hear(0.0)
        other_pack = pack_of(wish.against.pack) if isinstance(wish.against, Judgement) else None
        scored, comparison = _score(wish, outcome, other, other_pack)
        seconds["score"] = time.monotonic() - began_s
    return Result(scored, comparison, seconds)


def scored_outcome(recording: Path, outcome: Path, *, pack: RulePack, reference: RulePack | None = None) -> Scored:
    """Score one outcome of a recording.

    Raises:
        HarnessError: one of them cannot be read.
    """
    known, judged = read_known(recording), read_outcome_file(outcome)
    check_outcome(judged, known, path=outcome)
    return score(compare_with_truth(known, judged, expectations=read_expectations(), pack=pack, reference=reference))


def pack_of(path: Path | None) -> RulePack:
    """The rules of a file, or the shipped ones."""
    return core_pack() if path is None else load_pack(path.read_bytes())


def _score(
    wish: Wish, outcome: Path, other: Path | None, other_pack: RulePack | None
) -> tuple[Scored, Comparison | None]:
    pack = pack_of(wish.judged.pack)
    if other is None:
        return scored_outcome(wish.recording, outcome, pack=pack), None
    # Both are held to the limits of the other: moving a limit does not make a false alert true.
    reference = other_pack or pack
    after = scored_outcome(wish.recording, outcome, pack=pack, reference=reference)
    before = scored_outcome(wish.recording, other, pack=reference, reference=reference)
    return after, compare_outcomes(before, after)


def _judge(wish: Wish, name: str, judgement: Judgement, stages: Stages) -> tuple[Path, float]:
    out = judgement.outcome(wish.folder)
    if out.exists() and judgement.command is None:  # a file of this name is whole: it appears at once, at the end
        stages.begin(name)(1.0)
        return out, kept_seconds(wish.folder, out.name)
    out.unlink(missing_ok=True)  # of an earlier start; a judge that writes nothing must not be scored by it
    words = judgement.words(wish.recording, out, jobs=wish.jobs)
    return out, _run(wish, name, stages, words, key=out.name)


def _run(wish: Wish, name: str, stages: Stages, words: list[str], *, key: str = "record") -> float:
    began_s = time.monotonic()
    try:
        run_stage(name, words, listener=stages.begin(name))
    finally:
        taken_s = keep_seconds(wish.folder, key, time.monotonic() - began_s)
    return taken_s
