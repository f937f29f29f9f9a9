"""A release in the real process: fetched, tried, kept or taken back; and back at once where the process is killed."""

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kanhu.contract import Receipt, Status, SystemClock
from kanhu.contract.receipt import RECEIPT_VERSION
from kanhu.contract.remote import ReleaseReason
from kanhu.contract.status import ReleaseStatus
from kanhu.gateway.run import run_gateway
from kanhu.gateway.updates.keeper import Updates
from kanhu.gateway.updates.start import start
from kanhu.gateway.updates.store import Round, State, Store, tried
from tests.end_to_end.signing_county import SigningCounty, served
from tests.gateway.broker import Broker
from tests.gateway.county import County
from tests.gateway.sender import until
from tests.gateway.updates.card import settings, staged

_PROGRAM = Path(sys.executable).with_name("kanhu-gateway")
_FASTER = 40


class HurriedClock(SystemClock):
    """The real one, with minutes that pass in seconds."""

    def mono_ns(self) -> int:
        return super().mono_ns() * _FASTER

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / _FASTER)


@pytest.fixture(autouse=True)
def no_alarm_outlives_a_test() -> Iterator[None]:
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)


class TellingCounty(County):
    """One that answers heartbeats with the time, as the real one does."""

    async def answer(self, status: Status) -> None:
        receipt = Receipt(
            RECEIPT_VERSION, status.gateway, status.epoch, 0, (), (),
            county_ms=SystemClock().wall_ms(), heard_ns=status.mono_ns,
        )  # fmt: skip  # one record
        await self.send(receipt)

    @property
    def newest(self) -> Status | None:
        return self.statuses[-1][0] if self.statuses else None


async def test_a_release_without_the_county_is_taken_back_and_remembered(tmp_path: Path) -> None:
    clock, config = HurriedClock(), settings(tmp_path)
    store = Store(config.folder)
    store.keep(tried(State(), staged(config), county=True, failing=()))
    updates = Updates(config, start(config, clock=clock), clock=clock)
    assert updates.config.heartbeat_s == 30
    async with asyncio.timeout(60):
        await run_gateway(updates.config, clock=clock, updates=updates)
    assert updates.start_anew
    state = store.state()
    assert (state.running, state.trial, state.refused[0].reason) == (None, None, ReleaseReason.COUNTY)
    assert start(config, clock=clock).fitted.config == config


async def test_a_gateway_that_is_well_keeps_its_release(tmp_path: Path) -> None:
    clock, config = HurriedClock(), settings(tmp_path)
    store, release = Store(config.folder), staged(config)
    store.keep(tried(State(), release, county=False, failing=()))
    updates = Updates(config, start(config, clock=clock), clock=clock)
    running = asyncio.create_task(run_gateway(updates.config, clock=clock, updates=updates))
    await until(lambda: store.state().running)
    assert store.state() == State(running=release)
    await until(lambda: signal.getitimer(signal.ITIMER_REAL)[0] == 0)
    signal.raise_signal(signal.SIGTERM)
    await asyncio.wait_for(running, 20)
    assert not updates.start_anew


@contextmanager
def running(file: Path) -> Iterator[subprocess.Popen[bytes]]:
    with file.with_name("log").open("ab") as log:
        process = subprocess.Popen([_PROGRAM, "run", "--config", file], stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.broker
async def test_from_the_countys_signature_to_the_old_settings_after_a_kill(tmp_path: Path, broker: Broker) -> None:
    signing = SigningCounty(tmp_path / "county")
    signing.now = SystemClock().now()
    signing.publish({"gateway/home-03/settings.toml": "heartbeat_s = 10\n"})
    with served(signing.public) as server:
        updates = f'heartbeat_s = 0.3\n[updates]\nroot = "root.json"\nurl = "{server.url}"\n'
        config = settings(tmp_path, port=broker.port, updates="")
        file = tmp_path / "gateway.toml"
        file.write_text(updates.partition("\n")[0] + "\n" + file.read_text() + updates.partition("\n")[2])
        shutil.copy(signing.first_root, config.folder / "root.json")
        store = Store(config.folder)
        async with TellingCounty(broker.port) as county:
            with running(file) as process:
                await until(lambda: county.newest)
                await told_the_time(county)
                process.send_signal(signal.SIGHUP)
                await until(lambda: county.newest is not None and county.newest.heartbeat_s == 10)
                assert process.poll() is None, "it starts anew in the same process where nobody else would do so"
                state = store.state()
                assert (state.round, state.seen) == (Round.STAGED, 1)
                assert state.trial is not None
                assert state.trial.county
                assert county.newest is not None
                assert county.newest.release == ReleaseStatus(1)
                process.kill()
                process.wait()
            county.statuses.clear()
            with running(file):
                await until(lambda: county.newest is not None and county.newest.heartbeat_s == 0.3)
            state = store.state()
            assert (state.running, state.trial, state.refused[0].reason) == (None, None, ReleaseReason.DIED)
            assert county.newest is not None
            assert county.newest.release == ReleaseStatus(0, 1, "died")


async def told_the_time(county: TellingCounty) -> None:
    """Answer heartbeats until the gateway tells that it knows the time."""

    def knows() -> bool:
        return bool(county.newest and county.newest.boots and county.newest.boots[-1].mark)

    while not knows():
        seen = len(county.statuses)
        assert county.newest is not None
        await county.answer(county.newest)
        await until(lambda seen=seen: len(county.statuses) > seen or knows())  # type: ignore[misc]  # mypy cannot infer a lambda's default
