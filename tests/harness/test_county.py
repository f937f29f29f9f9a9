"""`./run county`: stages in their own processes, a page that stands alone, and a second start that goes on."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kanhu.firmware_sim.truth import HappeningKind
from kanhu.harness.county.bar import left_words
from kanhu.harness.county.page import Making, page
from kanhu.harness.county.settings import Judgement, default_folder, kept_seconds
from kanhu.harness.county.stages import Heard, run_stage
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.scoring.comparing import compare_outcomes
from kanhu.harness.scoring.figures import Scored, score
from tests.cloud.waiting import until
from tests.harness.hand_made import County, alert, happening, pack_without, told

_COUNTY = [sys.executable, "-P", "-m", "kanhu.harness.county"]


def _some() -> Scored:
    county = County(
        [
            happening(HappeningKind.DESATURATION, 600),
            happening(HappeningKind.HYPOGLYCAEMIA, 900, readings={"glucose_capillary": 2}),
            happening(HappeningKind.CALL, 1500, lasts=0.1),
        ],
        tags={"v001-r01": ("hypertension",)},
    )
    return score(
        county.judged(
            alert("SPO2-LOW", told(610, claimed=615), closed=700),
            alert("SOS", told(1510, own=1500.1, priority="high")),
            alert("BP-SEVERE", told(3000), subject="v001-r02"),
            pack=pack_without("GLU-LOW", "CGM-LOW"),
        )
    )


def _making(seconds: float) -> Making:
    return Making("./run county", {"cores": 2}, {"record": seconds})


class _Page(HTMLParser):
    """Collects what a page asks the world for, and whether its elements are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.tags: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.asked += [value or "" for name, value in attrs if name in {"src", "href", "srcset", "action"}]
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone_without_scripts_and_is_well_formed() -> None:
    text = page(_some(), _making(1.0), comparison=compare_outcomes(_some(), _some()))
    seen = _Page()
    seen.feed(text)
    assert (seen.asked, seen.open) == ([], [])
    assert not {"script", "iframe", "link", "img"} & seen.tags
    assert not re.search(r"url\(|@import|https?:", text)


def test_the_page_says_in_words_what_happened_and_names_each_missed_event_with_why() -> None:
    text = page(_some(), _making(1.0))
    assert "2 people in 1 village were watched for 5 days" in text
    assert "The system told of 2, 1 of them too late, and missed 1." in text
    assert "no rule for it" in text
    assert "glucose, capillary whole blood 2 (2)" in text


def test_the_page_keeps_silent_gateways_apart_and_what_sounds_from_what_is_listed() -> None:
    silent = happening(HappeningKind.GATEWAY_SILENT, 600, subject="", lasts=20, readings={})
    listed = alert("WATCH-LOST", told(603, priority="technical"), subject="v001-g01")
    text = page(score(County([silent]).judged(listed)), _making(1.0))
    assert "there were 0 emergencies and changes" in text
    assert "gateways were silent 1 time for 4 min or longer. The system told of 1 and missed 0 of these" in text
    assert (
        "Alerts sounded 0 times (high and medium ones), 0.0 a day in the whole county; 1 line went into lists" in text
    )
    assert "No news from the gateway (WATCH-LOST)" in text


def test_the_group_served_worst_is_named() -> None:
    calls = [happening(HappeningKind.CALL, 100 * number, lasts=0.1) for number in range(1, 11)]
    others = [happening(HappeningKind.CALL, 100 * number, lasts=0.1, subject="v001-r02") for number in range(1, 11)]
    heard = [alert("SOS", told(100 * number + 0.5, priority="high"), subject="v001-r02", closed=100 * number + 50)
             for number in range(1, 11)]  # fmt: skip
    text = page(score(County([*calls, *others]).judged(*heard)), _making(1.0))
    assert "Groups of people: from 0 of 10 (65 to 74 years 65–74 岁) to 10 of 10 (75 to 84 years 75–84 岁)" in text


def test_two_pages_of_one_outcome_differ_only_in_the_block_of_machine_and_times() -> None:
    first, second = page(_some(), _making(1.0)), page(_some(), _making(2.0))
    assert first != second
    block = re.compile(r"<section id='making'.*?</section>", re.DOTALL)
    assert block.sub("", first) == block.sub("", second)


def test_words_from_a_recording_cannot_become_markup() -> None:
    county = County([happening(HappeningKind.DESATURATION, 600, subject="<script>alert(1)</script>")])
    text = page(score(county.judged(alert("<b>RULE", told(100)))), _making(1.0))
    assert "<script" not in text
    assert "<b>RULE" not in text


@pytest.mark.parametrize("word", ["atrial fibrillation", "has fallen", "crisis"])
def test_the_page_makes_no_diagnosis(word: str) -> None:
    county = County([happening(kind, 600 + 100 * number) for number, kind in enumerate(HappeningKind)])
    assert word not in page(score(county.judged()), _making(1.0)).lower()


def test_an_empty_outcome_has_a_page_too() -> None:
    assert "Nothing was missed" in page(score(County().judged()), _making(1.0))


def test_progress_is_read_from_both_programs() -> None:
    heard = Heard()
    assert heard.share('{"village": "v001", "done": 5, "of": 20}') == 0.25
    heard = Heard()
    assert heard.share('{"village": "v002", "done": 5, "of": 10, "whole": 1, "villages": 4}') == 0.375
    assert heard.share('{"village": "v002", "done": 10, "of": 10, "whole": 2, "villages": 4}') == 0.5
    assert heard.share("INFO something else") is None
    assert heard.share('{"done": 1, "of": 0}') is None
    assert heard.share("[" * 100_000) is None


def test_time_left_is_said_once_there_is_enough_to_go_by() -> None:
    assert left_words(10.0, 0.01, 0.99) == "time left not known yet"
    assert left_words(60.0, 0.25, 0.75) == "3:00 left"


def test_a_program_that_fails_is_quoted() -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('the disk is full; free some space')"]
    with pytest.raises(ProgramFailed, match="free some space"):
        run_stage("judge", command, listener=lambda _share: None)


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(ProgramFailed, match="no-such-judge"):
        run_stage("judge", ["no-such-judge"], listener=lambda _share: None)


def test_another_pack_has_another_outcome_and_other_settings_another_folder(tmp_path: Path) -> None:
    pack = tmp_path / "pack.toml"
    pack.write_text('version = "1"\n', encoding="utf-8")
    outcomes = {Judgement(each, None).outcome(tmp_path) for each in (None, pack)}
    outcomes.add(Judgement(None, "other-judge").outcome(tmp_path))
    assert len(outcomes) == 3
    folders = {default_folder(people=10, days=days, seed=seed) for days in (1, 2) for seed in (1, 2)}
    assert len(folders) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--people", "0"], "--people 0 is not between"),
        (["--days", "400"], "--days 400 is not between"),
        (["--pack", "missing.toml"], "missing.toml"),
        (["--report", "missing/report.html"], "there is no such folder"),
        (["--report", "."], "is a folder"),
        (["--judge", "judge 'without end"], "No closing quotation"),
        (["--judge", ""], "there is no such program"),
        (["--judge", "no-such-judge --fast"], "there is no such program"),
    ],
)
def test_wrong_values_are_refused_before_anything_starts(tmp_path: Path, words: list[str], said: str) -> None:
    done = _run(tmp_path, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "kept").exists()


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A small county, run once."""
    folder = tmp_path_factory.mktemp("county")
    return folder, _run(folder, "--people", "12", "--days", "1", "--report", "county.html", "--json")


def test_a_small_county_ends_with_its_figures(county: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = county
    assert done.returncode in {0, 1}, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    figures = said["figures"]
    assert (said["name"], figures["people"], figures["person_days"]) == ("county", 12, 12)
    assert (figures["lost"], figures["duplicated"]) == (0, 0)
    assert figures["events"] == figures["found"] + figures["late"] + figures["missed"]
    assert said["ok"] is (done.returncode == 0)
    assert (folder / "county.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_second_start_records_and_judges_nothing_anew(
    county: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, done = county
    before = _stamps(folder / "kept")
    again = _run(folder, "--people", "12", "--days", "1", "--report", "again.html", "--json")
    assert _stamps(folder / "kept") == before
    first, second = (json.loads(each.stdout.splitlines()[-1])["figures"] for each in (done, again))
    assert {name: value for name, value in first.items() if not name.startswith("seconds")} == {
        name: value for name, value in second.items() if not name.startswith("seconds")
    }


def test_an_outcome_compared_with_itself_is_equal(
    county: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    kept = county[0] / "kept"
    outcome = min(kept.glob("outcome-*.ndjson"))
    words = ["compare", str(outcome), str(outcome), "--recording", str(kept / "recording"), "--json"]
    done = subprocess.run([*_COUNTY, *words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["figures"]["verdict"] == "equal"


def test_the_exit_code_is_that_of_the_figures_where_nobody_reads_them(
    county: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    kept = county[0] / "kept"
    outcome = str(min(kept.glob("outcome-*.ndjson")))
    words = ["compare", outcome, outcome, "--recording", str(kept / "recording"), "--json"]
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        done = subprocess.run(
            [*_COUNTY, *words], stdout=nobody, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
    assert (done.returncode, done.stderr) == (0, "")


_OTHER_JUDGE = """
import argparse, json, pathlib, sys
parser = argparse.ArgumentParser()
for name in ("--recording", "--out", "--jobs"):
    parser.add_argument(name, required=True)
parser.add_argument("--progress", action="store_true")
options = parser.parse_args()
manifest = json.loads((pathlib.Path(options.recording) / "manifest.json").read_text())
stored = manifest["readings"] - 3
account = {"type": "counts", "village": manifest["villages"][0], "readings": manifest["readings"], "stored": stored,
           "duplicated": 0, "refused": 0, "decisions": {}, "stages": {}}
pathlib.Path(options.out).write_text(json.dumps(account) + "\\n")
print(json.dumps({"done": 1, "of": 1}), file=sys.stderr)
"""


def test_another_judge_is_scored_alike_and_what_it_lost_is_seen(
    county: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, _ = county
    (folder / "judge.py").write_text(_OTHER_JUDGE, encoding="utf-8")
    words = ["--people", "12", "--days", "1", "--judge", f"{sys.executable} judge.py", "--json"]
    done = _run(folder, *words)
    assert done.returncode == 1, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])["figures"]
    assert (figures["lost"], figures["alerts"]) == (3, 0)
    assert figures["missed"] == figures["events"]


def test_a_judge_that_writes_nothing_is_not_scored_by_what_it_wrote_before(
    county: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, _ = county
    words = ["--people", "12", "--days", "1", "--judge", f"{sys.executable} sometimes.py"]
    (folder / "sometimes.py").write_text(_OTHER_JUDGE, encoding="utf-8")
    assert _run(folder, *words).returncode == 1
    (folder / "sometimes.py").write_text("import os; os.write(2, b'\\xff\\n')", encoding="utf-8")
    done = _run(folder, *words)
    assert done.returncode == 1
    assert "judge the recording again" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_written_is_told_and_damaged_times_are_forgotten(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file", encoding="utf-8")
    done = _run(tmp_path, "--people", "12", "--days", "1")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "name a folder that can be written" in done.stderr
    for said in ('{"record": [1]}', '{"record": NaN}', "[1]", "[" * 100_000):
        (tmp_path / "times.json").write_text(said, encoding="utf-8")
        assert kept_seconds(tmp_path, "record") == 0.0


def test_an_interrupted_county_says_how_to_go_on_and_leaves_no_process_behind(tmp_path: Path) -> None:
    words = ["--people", "400", "--days", "60", "--folder", "kept"]
    with subprocess.Popen([*_COUNTY, *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        try:
            asyncio.run(until((tmp_path / "kept" / "recording").is_dir))
            children = _children(process.pid)
            assert children
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "goes on from here" in said
    assert not [child for child in children if _runs(child)]


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_COUNTY, *words, "--folder", "kept"], cwd=folder, capture_output=True, text=True, check=False, timeout=100
    )


def _stamps(folder: Path) -> dict[str, int]:
    made = [*folder.rglob("readings.bin"), *folder.glob("outcome-*.ndjson")]
    assert made
    return {str(path): path.stat().st_mtime_ns for path in made}


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in listed.split()]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
