"""The embedded broker: keeps its port, dies with its parent, and a stale one is recognised and stopped."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiomqtt
import pytest

from kanhu.cloud.broker.child import BrokerChild, stale_pid
from kanhu.cloud.broker.settings import program, write_settings
from kanhu.contract import SystemClock
from tests.cloud.waiting import until

pytestmark = pytest.mark.broker

_PARENT = """\
import asyncio, sys
from pathlib import Path
from kanhu.cloud.broker.child import BrokerChild
from kanhu.contract import SystemClock

async def main():
    broker = BrokerChild(Path(sys.argv[1]), SystemClock())
    await broker.start()
    print(broker.port, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_port_is_kept_over_restarts(tmp_path: Path) -> None:
    ports = []
    for _ in range(2):
        broker = BrokerChild(tmp_path / "broker", SystemClock())
        await broker.start()
        ports.append(broker.port)
        await broker.stop()
    assert ports[0] == ports[1]


async def test_broker_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PARENT, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    assert int(await asyncio.wait_for(parent.stdout.readline(), 20))
    pid = stale_pid(tmp_path)
    assert pid is not None
    parent.kill()
    await parent.wait()
    await until(lambda: not _alive(pid))


async def test_a_stale_broker_of_this_folder_is_stopped_and_its_port_taken(tmp_path: Path) -> None:
    first = BrokerChild(tmp_path, SystemClock())
    await first.start()
    await first.stop()
    settings = write_settings(tmp_path, host="127.0.0.1", port=first.port)
    quiet = asyncio.subprocess.DEVNULL
    stale = await asyncio.create_subprocess_exec(program(), "-c", settings, stderr=quiet)
    try:
        await until(lambda: stale_pid(tmp_path) == stale.pid)
        second = BrokerChild(tmp_path, SystemClock())
        await second.start()
        await asyncio.wait_for(stale.wait(), 10)
        assert second.port == first.port
        await second.stop()
    finally:
        if stale.returncode is None:
            stale.kill()
            await stale.wait()


async def test_the_command_becomes_the_broker_itself(tmp_path: Path, free_port: int) -> None:
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kanhu.cloud.cli", "broker", "--port", str(free_port), "--data", str(tmp_path),
        stderr=quiet,
    )  # fmt: skip  # a command line reads as a line
    try:
        await until(lambda: stale_pid(tmp_path) == process.pid)
        async with aiomqtt.Client("127.0.0.1", free_port, identifier="anybody") as client:
            await client.publish("kanhu/v1/up/home-01/live", b"x", qos=1)
    finally:
        process.terminate()
        await process.wait()


def test_a_pid_file_of_another_program_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "nats.pid").write_text(str(os.getpid()), encoding="ascii")
    assert stale_pid(tmp_path) is None
    (tmp_path / "nats.pid").write_text("no number", encoding="ascii")
    assert stale_pid(tmp_path) is None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIG_DFL)
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"
