import asyncio
import sys
from pathlib import Path

import pytest

from kanhu.harness.errors import ProgramFailed
from kanhu.harness.village.processes import ProcessDied, Processes, environment

FOR_EVER = (sys.executable, "-c", "import time\nwhile True: time.sleep(1)")
_DEAF_PROGRAM = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
while True:
    time.sleep(1)
"""
DEAF = (sys.executable, "-c", _DEAF_PROGRAM)


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(tmp_path, environment())


async def test_nothing_is_left_behind(processes: Processes) -> None:
    children = [await processes.start(name, FOR_EVER) for name in ("one", "two")]
    await processes.stop_all()
    assert all(child.process.returncode is not None for child in children)


async def test_a_process_that_ends_by_itself_is_named_with_its_last_words(processes: Processes) -> None:
    child = await processes.start("broken", (sys.executable, "-c", "print('no such port'); raise SystemExit(3)"))
    await child.process.wait()
    with pytest.raises(ProcessDied, match=r"broken ended with status 3(.|\n)*no such port"):
        processes.check()


async def test_a_process_killed_on_purpose_is_no_failure_and_starts_again(processes: Processes) -> None:
    await processes.start("broker", FOR_EVER)
    await processes.kill("broker")
    processes.check()
    again = await processes.restart("broker")
    processes.check()
    assert again.starts == 2
    await processes.stop_all()


async def test_a_process_deaf_to_the_stop_signal_is_killed(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kanhu.harness.village.processes._STOP_PATIENCE_S", 0.2)
    child = await processes.start("deaf", DEAF)
    while not child.log.read_text(encoding="utf-8"):  # noqa: ASYNC110  # a process has no event to wait for
        await asyncio.sleep(0.02)
    await processes.stop("deaf")
    assert child.process.returncode == -9


async def test_peak_memory_is_noted(processes: Processes) -> None:
    await processes.start("one", FOR_EVER)
    async with asyncio.timeout(20):
        while processes.peak_kib.get("one", 0) <= 1000:  # a program just loaded is still small
            await asyncio.sleep(0.02)
            processes.check()
    await processes.stop_all()
    assert 1000 < processes.peak_kib["one"] < 1_000_000


_WITH_A_CHILD = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("way", ["stop", "kill"])
async def test_what_a_process_started_itself_ends_with_it(processes: Processes, way: str) -> None:
    child = await processes.start("forks", (sys.executable, "-c", _WITH_A_CHILD))
    while not (said := child.log.read_text(encoding="utf-8")).endswith("\n"):  # noqa: ASYNC110  # no event to wait for
        await asyncio.sleep(0.02)
    await (processes.stop("forks") if way == "stop" else processes.kill("forks"))
    async with asyncio.timeout(10):
        while _runs(int(said)):  # noqa: ASYNC110  # it is nobody's child any more
            await asyncio.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


async def test_a_program_that_cannot_be_started_is_named(processes: Processes) -> None:
    with pytest.raises(ProgramFailed, match="no-such-gateway: No such file"):
        await processes.start("gateway", ("no-such-gateway",))
