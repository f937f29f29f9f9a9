"""One line broken in a copy of the judge is caught by the comparison, with its reason; an untouched copy is equal.

The copy runs from its own folder by PYTHONPATH, on one small recording with truth beside it.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from kanhu.contract.recording import MANIFEST_FILE, TRUTH_FILE, Reaction, VillagePlan
from kanhu.firmware_sim.recording.village_writer import DONE_FILE, Done
from kanhu.firmware_sim.truth import Extremes, Happening, HappeningKind, Person, Truth, write_truth
from kanhu.harness.county.conduct import scored_outcome
from kanhu.harness.scoring.comparing import Comparison, Difference, Verdict, compare_outcomes
from kanhu.harness.scoring.figures import Scored
from kanhu.vitals import core_pack
from tests.architecture.layout import ROOT
from tests.cloud.recorded import DAY_MS, HOUR_MS, MINUTE_MS, START_MS, Village, record

_JUDGE = """
import sys
import kanhu.cloud, kanhu.vitals
here = sys.argv.pop(1)
for package in (kanhu.cloud, kanhu.vitals):
    if not package.__file__.startswith(here):
        sys.exit(f"{package.__file__} is not the copy")
from kanhu.cloud.cli import main
sys.exit(main())
"""
_VILLAGE = "v001"


@dataclass(frozen=True)
class Planted:
    """One line of the judge, and what is put in its place."""

    file: str
    find: str
    put: str
    caught_as: Difference


_PLANTED = {
    "threshold moved": Planted(
        "vitals/src/kanhu/vitals/packs/core.toml",
        'at_or_above = "180"',
        'at_or_above = "190"',
        Difference.EVENTS_LOST,
    ),
    "timer lost": Planted(
        "cloud/src/kanhu/cloud/alerting/deadlines.py",
        "_KINDS = (TimerKind.RECHECK, TimerKind.ANNUNCIATE, TimerKind.ESCALATE)",
        "_KINDS: tuple[TimerKind, ...] = ()",
        Difference.UNOWNED_MORE,
    ),
    "dedupe off": Planted(
        "vitals/src/kanhu/vitals/rules/episode.py",
        "    if last is not None and within(last.started, now, rule.dedupe_s):",
        "    if last is not None and within(last.started, now, 0):",
        Difference.DUPLICATES_MORE,
    ),
    "quality gate skipped": Planted(
        "cloud/src/kanhu/cloud/replay/virtual_gateway.py",
        "        assessed = self._gate.assess(recorded.observation)",
        "        assessed = recorded.observation",
        Difference.FALSE_MORE,
    ),
}


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A call that nobody answers for an hour, a call of five presses, a true high pressure, a cuff that is stuck."""
    folder = tmp_path_factory.mktemp("planted") / "recording"
    morning_ms = START_MS + 9 * HOUR_MS
    plan = VillagePlan(
        _VILLAGE, absences=((morning_ms - HOUR_MS, morning_ms + HOUR_MS),), reactions=(Reaction(30, 3 * 3600),)
    )
    village = Village(plan=plan, homes=4)
    truth: list[Truth] = [_person(village, number) for number in range(1, 5)]

    village.press(morning_ms)
    truth.append(_happening(village, HappeningKind.CALL, morning_ms, morning_ms + 1000, number=1, metric="help_button"))

    afternoon_ms = START_MS + 14 * HOUR_MS
    for minute in range(0, 10, 2):
        village.press(afternoon_ms + minute * MINUTE_MS, number=2)
    over_ms = afternoon_ms + 9 * MINUTE_MS
    truth.append(_happening(village, HappeningKind.CALL, afternoon_ms, over_ms, number=2, metric="help_button"))

    evening_ms = START_MS + 17 * HOUR_MS
    for minute, systolic in ((0, 185), (2, 183), (60, 135)):
        village.pressure(evening_ms + minute * MINUTE_MS, systolic, 95, number=3)
    over_ms = evening_ms + HOUR_MS // 2
    truth.append(_happening(village, HappeningKind.HYPERTENSIVE, evening_ms, over_ms, number=3, metric="bp"))
    truth.append(_extremes(village, systolic=(134, 186), number=3))

    for minute in (0, 20, 22):  # a cuff that repeats itself: the third equal reading is what only the gate can see
        village.pressure(evening_ms + minute * MINUTE_MS, 192, 96, number=4)
    truth.append(_extremes(village, systolic=(128, 136), number=4))

    record(folder, village)
    with (folder / _VILLAGE / TRUTH_FILE).open("wb") as out:
        write_truth(out, truth)
    files = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (folder / _VILLAGE).iterdir()}
    readings = json.loads((folder / MANIFEST_FILE).read_bytes())["readings"]
    done = Done(village=_VILLAGE, settings="by hand", people=4, readings=readings, files=files)
    (folder / _VILLAGE / DONE_FILE).write_bytes(msgspec.json.encode(done))
    return folder


@pytest.fixture(scope="session")
def judged(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Planted | None], Scored]:
    """Judges the recording with a copy of this version's sources, one line of them changed or none."""

    def judge(planted: Planted | None) -> Scored:
        scratch = tmp_path_factory.mktemp("copy")
        for part in ("vitals", "cloud"):
            shutil.copytree(ROOT / part / "src", scratch / part / "src")
        if planted is not None:
            _plant(scratch, planted)
        outcome = scratch / "outcome.ndjson"
        paths = [str(scratch / part / "src") for part in ("vitals", "cloud")]
        done = subprocess.run(
            [sys.executable, "-P", "-c", _JUDGE, str(scratch), "replay", "--recording", str(recording), "--out",
             str(outcome)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return scored_outcome(recording, outcome, pack=core_pack())

    return judge


@pytest.fixture(scope="session")
def untouched(judged: Callable[[Planted | None], Scored]) -> Scored:
    return judged(None)


def test_the_untouched_judge_tells_of_every_event_and_of_nothing_else(untouched: Scored) -> None:
    figures = untouched.figures()
    assert (figures["events"], figures["missed"], figures["late"]) == (3, 0, 0)
    assert (figures["false_high"], figures["false_medium"], figures["duplicates"], figures["unowned"]) == (0, 0, 0, 0)


def test_an_untouched_copy_is_equal(untouched: Scored, judged: Callable[[Planted | None], Scored]) -> None:
    assert compare_outcomes(untouched, judged(None)).verdict is Verdict.EQUAL


@pytest.mark.parametrize("planted", _PLANTED.values(), ids=[name.replace(" ", "-") for name in _PLANTED])
def test_a_planted_regression_is_caught_with_its_reason(
    untouched: Scored, judged: Callable[[Planted | None], Scored], planted: Planted
) -> None:
    comparison: Comparison = compare_outcomes(untouched, judged(planted))
    assert comparison.verdict is Verdict.WORSE
    assert planted.caught_as in comparison.worse


def _plant(scratch: Path, planted: Planted) -> None:
    path = scratch / planted.file
    text = path.read_text(encoding="utf-8")
    assert text.count(planted.find) == 1, f"{planted.file} no longer holds the line once; choose it anew"
    path.write_text(text.replace(planted.find, planted.put), encoding="utf-8")


def _person(village: Village, number: int) -> Person:
    return Person(
        village=_VILLAGE, gateway=village.gateway(number), subject=village.resident(number), age_years=78, sex="female"
    )


def _happening(
    village: Village, kind: HappeningKind, onset_ms: int, end_ms: int, *, number: int, metric: str
) -> Happening:
    return Happening(
        id=f"{kind.value}-{number}",
        kind=kind,
        village=_VILLAGE,
        gateway=village.gateway(number),
        subject=village.resident(number),
        onset_ms=onset_ms,
        end_ms=end_ms,
        readings={metric: 2},
        good={metric: 2},
        first_good_ms={metric: onset_ms},
    )


def _extremes(village: Village, *, systolic: tuple[float, float], number: int) -> Extremes:
    values = {"systolic": systolic, "diastolic": (70.0, 96.0)}
    subject = village.resident(number)
    return Extremes(village=_VILLAGE, subject=subject, from_ms=START_MS, to_ms=START_MS + DAY_MS, values=values)
