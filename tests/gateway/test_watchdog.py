"""The beats that keep systemd calm: they come while the gateway lives, and stay away when any part of it hangs."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from kanhu.contract import FakeClock, SystemClock
from kanhu.gateway.committer import Committer
from kanhu.gateway.outbox import Outbox
from kanhu.gateway.supervisor import Supervisor
from kanhu.gateway.watchdog import ServiceManager, beat

_PROGRAM = Path(sys.executable).with_name("kanhu-gateway")
_PATIENCE_S = 1.0


class Listener:
    """systemd's end of the socket."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.settimeout(30)

    def word(self) -> str:
        return self._socket.recv(4096).decode()

    def silent_for(self, seconds: float) -> bool:
        """Whether nothing comes, after what is already here."""
        self._socket.settimeout(0)
        try:
            while self._socket.recv(4096):
                pass
        except BlockingIOError:
            self._socket.settimeout(seconds)
        try:
            self._socket.recv(4096)
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(30)
        return False

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Listener]:
    listener = Listener(str(tmp_path / "notify"))
    yield listener
    listener.close()


@pytest.fixture
def manager(tmp_path: Path) -> ServiceManager:
    return ServiceManager(str(tmp_path / "notify"), _PATIENCE_S)


@pytest.fixture
async def committer(tmp_path: Path) -> AsyncIterator[Committer]:
    committer = Committer(Outbox.open(tmp_path / "outbox.db", clock=FakeClock(), max_bytes=1 << 22))
    yield committer
    await committer.close()


def test_a_gateway_says_ready_lives_and_stops_and_a_frozen_one_is_silent(tmp_path: Path, systemd: Listener) -> None:
    settings = tmp_path / "gateway.toml"
    settings.write_text('gateway = "home-03"\ndata = "data"\ntimezone = "Asia/Shanghai"\n[broker]\nport = 9\n')
    told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": f"{_PATIENCE_S * 1e6:.0f}"}
    with (tmp_path / "log").open("wb") as log:
        command = [str(_PROGRAM), "run", "--config", str(settings)]
        process = subprocess.Popen(command, env={**os.environ, **told}, stdout=log, stderr=log)
    try:
        assert [systemd.word() for _ in range(3)] == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        assert systemd.silent_for(2 * _PATIENCE_S)
        process.send_signal(signal.SIGCONT)
        assert systemd.word() == "WATCHDOG=1"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert any(systemd.word() == "STOPPING=1" for _ in range(50))
    finally:
        process.kill()
        process.wait()


async def test_a_card_that_does_not_answer_stops_the_beats(
    systemd: Listener, manager: ServiceManager, committer: Committer
) -> None:
    clock = SystemClock()
    beating = asyncio.create_task(beat(manager, committer, Supervisor(clock), clock=clock))
    assert [await asyncio.to_thread(systemd.word) for _ in range(2)] == ["READY=1", "WATCHDOG=1"]
    card = threading.Event()
    blocked = asyncio.create_task(committer.call(lambda _outbox: card.wait()))
    await asyncio.sleep(0)
    assert await asyncio.to_thread(systemd.silent_for, _PATIENCE_S)
    card.set()
    await blocked
    assert await asyncio.to_thread(systemd.word) == "WATCHDOG=1"
    beating.cancel()
    await asyncio.wait({beating})


class _Sleepless(FakeClock):
    """A clock on which no pause ever ends."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.waiting.set()
        await asyncio.Event().wait()


async def test_a_restart_that_never_comes_stops_the_beats(
    systemd: Listener, manager: ServiceManager, committer: Committer, caplog: pytest.LogCaptureFixture
) -> None:
    clock = _Sleepless()
    supervisor = Supervisor(clock)

    async def fails() -> None:
        raise LookupError("again")

    kept = asyncio.create_task(supervisor.keep("sensing", fails))
    await clock.waiting.wait()
    beating = asyncio.create_task(beat(manager, committer, supervisor, clock=SystemClock()))
    assert [await asyncio.to_thread(systemd.word) for _ in range(2)] == ["READY=1", "WATCHDOG=1"]
    clock.advance(60)
    assert await asyncio.to_thread(systemd.word) == "WATCHDOG=1", "a pause was going on, or had just ended"
    clock.advance(1)
    assert await asyncio.to_thread(systemd.silent_for, _PATIENCE_S)
    assert "sensing should have been started again long ago" in caplog.text
    for task in (beating, kept):
        task.cancel()
        await asyncio.wait({task})


async def test_work_that_fails_again_and_again_is_not_stuck() -> None:
    clock = FakeClock()
    supervisor = Supervisor(clock)

    async def fails() -> None:
        raise LookupError("again")

    kept = asyncio.create_task(supervisor.keep("uplink", fails))
    for _ in range(500):
        for _ in range(5):
            await asyncio.sleep(0)
        assert supervisor.stuck() == []
        clock.advance(1)
    assert supervisor.restarts["uplink"] > 10
    kept.cancel()
    await asyncio.wait({kept})


async def test_without_patience_it_says_ready_and_no_more(
    tmp_path: Path, systemd: Listener, committer: Committer
) -> None:
    clock = SystemClock()
    manager = ServiceManager(str(tmp_path / "notify"))
    beating = asyncio.create_task(beat(manager, committer, Supervisor(clock), clock=clock))
    assert await asyncio.to_thread(systemd.word) == "READY=1"
    assert await asyncio.to_thread(systemd.silent_for, 0.3)
    beating.cancel()
    await asyncio.wait({beating})


def test_an_abstract_address_is_reached() -> None:
    name = f"kanhu-test-{os.getpid()}"
    listener = Listener(f"\0{name}")
    ServiceManager(f"@{name}").tell("READY=1")
    assert listener.word() == "READY=1"
    listener.close()


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ServiceManager()),
        ({"NOTIFY_SOCKET": ""}, ServiceManager()),
        ({"NOTIFY_SOCKET": "/run/systemd/notify"}, ServiceManager("/run/systemd/notify")),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "120000000"}, ServiceManager("/n", 120.0)),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "1"}, ServiceManager("/n")),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "soon"}, ServiceManager("/n")),
        ({"NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "0"}, ServiceManager("/n")),
    ],
)
def test_what_systemd_hands_over_is_read(environment: dict[str, str], expected: ServiceManager) -> None:
    assert ServiceManager.named_in(environment) == expected


def test_who_is_started_by_hand_tells_nobody() -> None:
    ServiceManager().tell("READY=1")


def test_a_manager_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        ServiceManager(str(tmp_path / "gone")).tell("WATCHDOG=1")
