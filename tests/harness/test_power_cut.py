"""`./run prove power-cut` in a small size: no cut costs the product anything, and the proof is able to fail."""

import asyncio
import json
import os
import re
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kanhu.contract import SystemClock
from kanhu.harness.faults import CannotBeHad
from kanhu.harness.prove import power_cut
from kanhu.harness.prove.__main__ import main as prove
from kanhu.harness.prove.power.trace import finished, traced
from tests.debian import DebianPackages

_BROKEN = ("lost", "wrong_bytes", "corrupt", "reused")
_COMMAND = (sys.executable, "-P", "-m", "kanhu.harness.prove", "power-cut", "--short", "--json", "--states", "200")


@dataclass(frozen=True)
class Ended:
    """A run of the command."""

    code: int
    said: dict[str, Any]
    told: str


async def run(*more: str) -> Ended:
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, *more, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, told = await process.communicate()
    assert process.returncode is not None
    assert said, told.decode()
    return Ended(process.returncode, json.loads(said.splitlines()[-1]), told.decode())


@pytest.fixture
def tracing(tmp_path: Path, debian_package: DebianPackages) -> None:
    debian_package("strace")
    try:
        traced(tmp_path)
    except CannotBeHad as missing:
        pytest.skip(str(missing))


def tracer_of(process: int) -> int:
    found = re.search(r"^TracerPid:\s+(\d+)$", Path(f"/proc/{process}/status").read_text("ascii"), re.MULTILINE)
    return int(found[1]) if found else 0


@pytest.mark.usefixtures("tracing")
async def test_the_end_of_a_process_whose_group_is_ended_is_written_down(tmp_path: Path) -> None:
    out = tmp_path / "trace"
    process = await asyncio.create_subprocess_exec(*traced(out), "sleep", "60", start_new_session=True)
    async with asyncio.timeout(10):
        while (tracer := tracer_of(process.pid)) == 0:  # noqa: ASYNC110  # it is another process that changes it
            await asyncio.sleep(0.01)
    assert os.getpgid(tracer) != os.getpgid(process.pid) == process.pid
    os.killpg(process.pid, signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    await asyncio.wait_for(finished(out, process.pid, SystemClock()), 10)


@pytest.mark.usefixtures("tracing")
@pytest.mark.timeout(300)  # the command itself says after two minutes what it waited for in vain
async def test_no_cut_costs_a_promise_and_who_does_not_wait_for_the_disk_loses_some(tmp_path: Path) -> None:
    kept = tmp_path / "gateway.rec"
    sound, broken = await asyncio.gather(run("--keep", str(kept)), run("--broken", "normal"))
    assert (sound.code, sound.said["ok"]) == (0, True), sound.said
    assert {name: sound.said["figures"][name] for name in _BROKEN} == dict.fromkeys(_BROKEN, 0)
    assert (sound.said["figures"]["states"], sound.said["figures"]["in_recovery"]) == (200, 40)
    assert sound.said["figures"]["promises"] >= 140
    assert (broken.code, broken.said["ok"]) == (1, False)
    assert broken.said["figures"]["lost"] > 20
    assert broken.said["figures"]["corrupt"] == 0
    again = await run("--recording", str(kept), "--seed", "2", "--jobs", "1")
    assert (again.code, again.said["figures"]["promises"]) == (0, sound.said["figures"]["promises"])


def test_without_strace_it_says_so_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert prove(["power-cut", "--short"]) == 3
    assert "apt-get install strace" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--states", "1"], "50 to"),
        (["--jobs", "0"], "1 to 64"),
        (["--broken", "puback"], "normal"),
        (["--recording", "some.rec", "--broken", "normal"], "does not go with --recording"),
        (["--keep", "/nowhere/some.rec"], "folder does not exist"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_starts(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as refused:
        power_cut.main(words)
    assert refused.value.code == 2
    assert said in capsys.readouterr().err


def test_a_recording_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "some.rec").write_bytes(b"no recording")
    assert prove(["power-cut", "--recording", str(tmp_path / "some.rec")]) == 1
    assert "some.rec" in capsys.readouterr().err
