"""`./run prove disk-full` in a small size: a full disk costs what the gaps name, and the proof is able to fail."""

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kanhu.harness.faults import CannotBeHad, Disk
from kanhu.harness.prove import disk_full
from kanhu.harness.prove.__main__ import main as prove

_COMMAND = (
    sys.executable, "-P", "-m", "kanhu.harness.prove", "disk-full", "--json", "--cycles", "1", "--medium", "memory",
)  # fmt: skip  # a command line reads as a line
_LIMITED = ("--mib", "16", "--max-mib", "1")  # the setting decides how much fits


@dataclass(frozen=True)
class Ended:
    """A run of the command."""

    code: int
    figures: dict[str, Any]


async def run(*more: str) -> Ended:
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, *more, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, told = await process.communicate()
    assert process.returncode is not None
    assert said, told.decode()
    return Ended(process.returncode, json.loads(said.splitlines()[-1])["figures"])


@pytest.fixture
async def _disks(tmp_path: Path) -> None:
    try:
        async with Disk(tmp_path / "disk", mib=2):
            pass
    except CannotBeHad as missing:
        pytest.skip(str(missing))


@pytest.mark.usefixtures("_disks")
async def test_what_a_full_disk_cost_is_named_and_who_drops_in_silence_is_found_out() -> None:
    sound, silent = await asyncio.gather(run(*_LIMITED), run(*_LIMITED, "--broken", "unnamed"))
    assert sound.code == 0, sound.figures
    assert sound.figures["missing"] == sound.figures["named"] > 1000
    assert (sound.figures["unexplained"], sound.figures["alerts_missing"], sound.figures["jammed"]) == (0, 0, 0)
    assert silent.code == 1
    assert (silent.figures["unexplained"], silent.figures["named"]) == (silent.figures["missing"], 0)


@pytest.mark.usefixtures("_disks")
async def test_an_outbox_that_may_take_the_whole_disk_jams() -> None:
    jammed = await run("--mib", "2", "--broken", "uncapped", "--patience", "2")
    assert (jammed.code, jammed.figures["jammed"], jammed.figures["cycles"]) == (1, 1, 0)


def test_without_a_way_to_make_the_disk_it_says_so_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert prove(["disk-full", "--cycles", "1"]) == 3
    assert "mkfs.ext4 (e2fsprogs)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--cycles", "0"], "1 to 100"),
        (["--mib", "1"], "2 to 1024"),
        (["--max-mib", "0"], "1 to 1024"),
        (["--patience", "nan"], "1 to 600"),
        (["--broken", "normal"], "uncapped"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_starts(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as refused:
        disk_full.main(words)
    assert refused.value.code == 2
    assert said in capsys.readouterr().err
