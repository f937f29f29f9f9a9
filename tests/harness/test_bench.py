"""`./run bench`: its tasks, what it says to a wrong word, and a short run of each gateway of ours."""

import asyncio
import json
import re
import sys

import pytest

from kanhu.harness.bench import gateway
from kanhu.harness.bench.__main__ import TASKS, main
from kanhu.harness.report import read_limits
from tests.architecture.layout import ROOT


def test_the_door_and_the_table_know_the_same_tasks() -> None:
    listed = re.search(r"^_BENCHED = \((.+)\)$", (ROOT / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed is not None
    assert {name.strip(' "') for name in listed.group(1).split(",") if name.strip(' "')} == set(TASKS)


@pytest.mark.parametrize(("words", "code"), [(["--help"], 0), ([], 2), (["nothing"], 2)])
def test_help_lists_every_task_and_an_unknown_one_is_refused(
    capsys: pytest.CaptureFixture[str], words: list[str], code: int
) -> None:
    assert main(words) == code
    said = capsys.readouterr()
    assert all(name in said.out + said.err for name in TASKS)


@pytest.mark.parametrize(("words", "said"), [(["--minutes", "0"], "0.1 to"), (["--rate", "0"], "1 to 1000")])
def test_what_cannot_be_is_refused_before_anything_starts(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        gateway.main(words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.timeout(300)  # starts simulator, two brokers, two gateways
@pytest.mark.broker
async def test_both_gateways_are_measured_and_every_limit_has_its_figure() -> None:
    command = (sys.executable, "-P", "-m", "kanhu.harness.bench", "gateway", "--minutes", "0.1", "--alone", "--json")
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, told = await process.communicate()
    assert said, told.decode()
    result = json.loads(said.splitlines()[-1])
    figures = result["figures"]
    assert process.returncode == (0 if result["ok"] else 1)
    assert set(read_limits("bench-gateway")) <= set(figures)
    for prefix in ("", "ble_", "page_"):
        assert figures[f"{prefix}accepted"] > 100
        assert figures[f"{prefix}offered"] - figures[f"{prefix}accepted"] < 50, "what was under way at the end"
        assert 20 < figures[f"{prefix}rss_mb"] <= figures[f"{prefix}peak_mb"] < 150
        assert 0 < figures[f"{prefix}cpu_percent"] < 100
        assert 0 < figures[f"{prefix}cold_start_s"] < 60
    assert figures["ble_rss_mb"] > figures["rss_mb"], "the radio was there"
    assert figures["page_rss_mb"] > figures["ble_rss_mb"], "and so was the page"
