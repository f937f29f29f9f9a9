"""`./run prove chaos` in a small size: the product keeps its promise, and the proof is able to fail."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kanhu.harness.prove import chaos
from kanhu.harness.prove.nightly import summed
from kanhu.harness.prove.town import Size
from kanhu.harness.report import Verdict

_SCHEDULE = Path(__file__).with_name("chaos.toml")
_COMMAND = (
    sys.executable, "-P", "-m", "kanhu.harness.prove", "chaos", "--schedule", str(_SCHEDULE), "--gateways", "2",
    "--rate", "200", "--json",
)  # fmt: skip  # a command line reads as a line


@dataclass(frozen=True)
class Ended:
    """A run of the command."""

    code: int
    said: dict[str, Any]
    told: str


async def _run(*more: str) -> Ended:
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, *more, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, told = await process.communicate()
    assert process.returncode is not None
    assert said, told.decode()  # it ended before it had figures, and says why
    return Ended(process.returncode, json.loads(said.splitlines()[-1]), told.decode())


@pytest.mark.broker
async def test_under_the_same_faults_the_product_loses_nothing_and_who_trusts_a_puback_does() -> None:
    sound, broken = await asyncio.gather(_run("--pairs"), _run("--broken", "puback"))
    figures = sound.said["figures"]
    assert (sound.code, sound.said["ok"]) == (0, True), sound.told
    assert (figures["lost"], figures["duplicated"], figures["wrong_bytes"], figures["owed"]) == (0, 0, 0, 0)
    assert (figures["faults"], figures["kills"]) == (6, 3)
    assert figures["accepted"] > 100
    assert (broken.code, broken.said["ok"]) == (1, False)
    assert broken.said["figures"]["lost"] > 0
    assert "--broken puback --shrink" in broken.told


def test_a_night_is_the_sum_of_its_runs_and_its_slowest_drain() -> None:
    first = {"faults": 150, "lost": 0, "drain_s": 1.5, "late_ms_p95": 900}
    second = {"faults": 160, "lost": 1, "drain_s": 0.5}
    assert summed([first, second]) == {"faults": 310, "lost": 1, "drain_s": 1.5, "late_ms_p95": 900}


def test_in_pairs_every_other_gateway_measures_the_people_of_the_one_before() -> None:
    assert [Size(5, pairs=True).home_of(f"gw-{number}") for number in range(1, 6)] == [
        "gw-1",
        "gw-1",
        "gw-3",
        "gw-3",
        "gw-5",
    ]
    assert Size(2).home_of("gw-2") == "gw-2"


def test_a_run_of_given_faults_in_which_nothing_was_promised_is_not_ok() -> None:
    limits = chaos._limits(3, drawn=False)
    assert limits["accepted"].judge(0) is Verdict.BROKEN
    assert limits["accepted"].judge(1) is Verdict.KEPT
    assert "faults" not in limits


@pytest.mark.parametrize(("seconds", "faults", "accepted"), [(100, 150, 30000), (10, 15, 3000), (500, 150, 30000)])
def test_a_shorter_run_has_to_reach_its_share(seconds: float, faults: int, accepted: int) -> None:
    limits = chaos._limits(seconds, drawn=True)
    assert (limits["faults"].bound, limits["accepted"].bound) == (faults, accepted)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--seconds", "1"], "at least 3"),
        (["--seconds", "nan"], "at least 3"),
        (["--seconds", "1e9"], "which is a day"),
        (["--rate", "1e300"], "at most 10000"),
        (["--out", "."], "is a folder"),
        (["--gateways", "0"], "1 to 20"),
        (["--rate", "0"], "more than 0"),
        (["--schedule", "nowhere.toml"], "cannot be read"),
        (["--nightly", "--shrink"], "neither --schedule nor --shrink"),
        (["--schedule", str(_SCHEDULE), "--gateways", "1"], "gateway gw-2: is not under test here"),
        (["--schedule", str(_SCHEDULE), "--seconds", "2"], "at least 3.7"),
        (["--out", "/nowhere/small.json"], "folder does not exist"),
        (["--broken", "normal"], "puback"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_starts(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as refused:
        chaos.main(words)
    assert refused.value.code == 2
    assert said in capsys.readouterr().err
