"""`./run prove offline` in a small size: the product keeps its promise, and the proof is able to fail."""

import asyncio
import json
import sys
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from kanhu.harness.prove import offline
from kanhu.harness.prove.absence import DAY_WINDOWS, windows

_COMMAND = (
    sys.executable, "-P", "-m", "kanhu.harness.prove", "offline", "--days", "0.2", "--kbits", "9.6", "--json",
)  # fmt: skip  # a command line reads as a line
_DAY_MS = 86_400_000


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
    assert said, told.decode()
    return Ended(process.returncode, json.loads(said.splitlines()[-1]), told.decode())


@pytest.mark.timeout(400)  # two counties, two links, twice
@pytest.mark.broker
async def test_after_five_hours_without_a_county_all_arrives_once_and_only_with_one_queue_do_alerts_wait() -> None:
    sound, broken = await asyncio.gather(_run(), _run("--broken", "one-queue"))
    figures = sound.said["figures"]
    assert (sound.code, sound.said["ok"]) == (0, True), sound.said
    assert figures["records"] == 1728
    assert (figures["lost"], figures["duplicated"], figures["wrong_bytes"], figures["owed"]) == (0, 0, 0, 0)
    assert figures["slow_bound_s"] > 7, "the slow link was the limit"
    assert (broken.code, broken.said["ok"]) == (1, False)
    assert broken.said["figures"]["alert_slow_s"] > 5
    assert broken.said["figures"]["lost"] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--days", "0"], "more than 0"),
        (["--days", "nan"], "more than 0"),
        (["--days", "366"], "at most 365"),
        (["--kbits", "0.5"], "1 to 100000"),
        (["--broken", "puback"], "invalid choice"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_starts(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        offline.main(words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_of_fewer_days_fewer_records_are_asked() -> None:
    assert offline._limits(30)["records"].bound == 30 * DAY_WINDOWS
    assert offline._limits(1)["records"].bound == DAY_WINDOWS
    assert offline._limits(1)["drained_s"] == offline._limits(30)["drained_s"]


def test_an_invented_day_is_a_window_in_ten_seconds_and_alarms_nobody() -> None:
    readings = list(windows("r-1", count=DAY_WINDOWS, until_ms=1_790_000_000_000, seed=1))
    arrivals = [reading.times.arrival_ms for reading in readings]
    assert all(9_900 < later - earlier < 10_100 for earlier, later in pairwise(arrivals))
    assert abs(arrivals[-1] - arrivals[0] - _DAY_MS) < 11_000
    spo2 = [reading.series("spo2")[0] for reading in readings]
    assert 940 <= min(spo2) <= 950, "tenths of a percent, above every limit"
    assert len(set(spo2)) > 3
    assert readings == list(windows("r-1", count=DAY_WINDOWS, until_ms=1_790_000_000_000, seed=1))
