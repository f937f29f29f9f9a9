"""What was agreed runs beside the devices, speaks with the voice of the alarm, and the doctor tells of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from kanhu.contract import Observation
from kanhu.edge.devices import Sink
from kanhu.gateway import OutboxFailed
from kanhu.gateway.alarm.fitted import build_keeper, house_of
from kanhu.gateway.alarm.keeper import AlarmKeeper
from kanhu.gateway.alarm.settings import AlarmConfig
from kanhu.gateway.check import Level
from kanhu.gateway.config import GatewayConfig
from kanhu.gateway.daily.fitted import build_daily
from kanhu.gateway.daily.told import daily_checks
from kanhu.vitals import core_pack
from tests.gateway.daily_people import Home


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    home = Home(tmp_path, times=("08:00",), start="2026-03-02 07:59")
    yield home
    await home.end()


def config(home: Home, alarm: AlarmConfig) -> GatewayConfig:
    return GatewayConfig(
        gateway="home-03", data=str(home.folder), timezone="Asia/Shanghai", resident=(home.resident,), alarm=alarm
    )


async def test_reminders_are_played_from_their_recordings_by_the_voice_of_the_alarm(home: Home) -> None:
    folder = home.folder / "said" / "zh"
    folder.mkdir(parents=True)
    (folder / "well_check.wav").write_text("sign")
    (folder / "medicine.wav").write_text("dose")
    played = home.folder / "played"
    player = ("sh", "-c", f"cat {{file}} >> {played}")
    settings = config(home, AlarmConfig(player=player, recordings="said", speech=()))
    alarm = build_keeper(
        settings.alarm,
        home.committer,
        house=house_of(settings, core_pack()),
        clock=home.clock,
        announce=lambda _: None,
        confirmed=lambda _: False,
    )
    keeper = build_daily(
        settings, home.committer, alarm, pack=core_pack(), timekeeper=home.timekeeper, clock=home.clock
    )
    home.clock.advance(60)
    await keeper.look(home.intake)
    assert played.read_text() == "signdose"
    assert [check.level for check in daily_checks(settings, home.outbox)] == [Level.OK]
    (check,) = daily_checks(settings, home.outbox)
    assert check.found == "r-0003: asked 1 times (2026-03-02), a dose is due"
    (folder / "well_check.wav").unlink()  # and the speech program is switched off
    home.clock.advance(900)
    await keeper.look(home.intake)
    (check,) = daily_checks(settings, home.outbox)
    assert (check.level, check.found[:28]) == (Level.ATTENTION, "1 reminders were not said; r")


async def test_devices_end_as_they_would_alone(home: Home) -> None:
    async def over(sink: Sink) -> None:
        assert sink is home.intake

    async def broken(sink: Sink) -> None:
        del sink
        raise OSError("no radio")

    await home.keeper.beside(over, home.intake)
    with pytest.raises(OSError, match="no radio"):
        await home.keeper.beside(broken, home.intake)


async def test_devices_are_cancelled_with_whoever_waits_for_them(home: Home) -> None:
    ended = asyncio.Event()

    async def forever(sink: Sink) -> None:
        del sink
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(home.keeper.beside(forever, home.intake))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended.is_set()


async def test_conclusion_that_was_not_stored_restarts_the_judge_and_a_fault_of_its_own_does_not(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forever(sink: Sink) -> None:
        del sink
        await asyncio.Event().wait()

    async def refuse(observation: Observation) -> None:
        raise OutboxFailed(observation.metric)

    await home.until("2026-03-02 08:29")
    devices = asyncio.create_task(home.keeper.beside(forever, home.intake))
    await asyncio.sleep(0)
    monkeypatch.setattr(home.keeper, "_now", lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        await home.keeper.look(home.intake)
    await asyncio.sleep(0)
    assert not devices.done()
    monkeypatch.undo()
    monkeypatch.setattr(home.intake, "accept", refuse)
    home.clock.advance(60)
    with pytest.raises(OutboxFailed):
        await home.keeper.look(home.intake)
    with pytest.raises(OutboxFailed):
        await devices


async def test_stop_that_comes_while_devices_are_ended_after_a_fault_is_a_stop(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending, ended = asyncio.Event(), asyncio.Event()

    async def slow(sink: Sink) -> None:
        del sink
        try:
            await asyncio.Event().wait()
        finally:
            ending.set()
            await ended.wait()

    async def refuse(observation: Observation) -> None:
        raise OutboxFailed(observation.metric)

    await home.until("2026-03-02 08:29")
    devices = asyncio.create_task(home.keeper.beside(slow, home.intake))
    await asyncio.sleep(0)
    monkeypatch.setattr(home.intake, "accept", refuse)
    home.clock.advance(60)
    with pytest.raises(OutboxFailed):
        await home.keeper.look(home.intake)
    await ending.wait()
    devices.cancel()
    with pytest.raises(asyncio.CancelledError):
        await devices
    ended.set()


async def test_gateway_without_agreements_only_reads_its_devices(home: Home) -> None:
    settings = GatewayConfig(gateway="home-03", data=str(home.folder), timezone="Asia/Shanghai")
    assert list(daily_checks(settings, home.outbox)) == []


async def test_pack_that_does_not_know_the_sign_stops_no_gateway(home: Home, caplog: pytest.LogCaptureFixture) -> None:
    pack = msgspec.structs.replace(core_pack(), rules=core_pack().rules[:1])
    settings = config(home, AlarmConfig())
    alarm = AlarmKeeper(home.committer, (), receipt_s=60, clock=home.clock, announce=lambda _: None)
    build_daily(settings, home.committer, alarm, pack=pack, timekeeper=home.timekeeper, clock=home.clock)
    assert "no alert follows" in caplog.text
