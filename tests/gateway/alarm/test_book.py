"""The alarms in the outbox file: with their finding or not at all, through kills, old files and a full card."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from kanhu.contract import FakeClock, Lane, SystemClock, Times
from kanhu.gateway import Outbox, OutboxFailed
from kanhu.gateway.alarm.book import Alarm, Channel
from tests.gateway.alarm.ways import actions_of
from tests.gateway.records import heart_rate, sos

_PROGRAM = str(Path(sys.executable).with_name("kanhu-gateway"))


def open_at(file: Path) -> Outbox:
    return Outbox.open(file, clock=FakeClock(), max_bytes=1 << 22)


def test_a_finding_and_its_alarm_are_stored_together_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = open_at(tmp_path / "outbox.db")

    def broken(*_: object) -> bool:
        outbox.alarms.write([Alarm("alert-1", 1, sos(1))])
        raise OutboxFailed("the card gave out in between")

    monkeypatch.setattr(outbox.alarms, "take", broken)
    with pytest.raises(OutboxFailed):
        outbox.accept([(Lane.ALERT, sos(1))])
    assert outbox.owed().total == 0
    assert outbox.alarms.read("alert-1") is None
    monkeypatch.undo()
    outbox.accept([(Lane.LIVE, heart_rate(1)), (Lane.ALERT, sos(1))])
    assert (outbox.owed().total, outbox.alarms.open) == (2, 1)
    outbox.close()


def test_a_file_of_before_there_were_alarms_is_looked_at_and_opened(tmp_path: Path) -> None:
    file = tmp_path / "outbox.db"
    outbox = open_at(file)
    outbox._database.execute("DROP TABLE alarm")
    outbox.close()
    looked = Outbox.look(file, clock=FakeClock(), max_bytes=1 << 22)
    assert looked.alarms.open == 0
    looked.close()
    outbox = open_at(file)
    outbox.accept([(Lane.ALERT, sos(1))])
    assert outbox.alarms.open == 1
    outbox.close()


def test_so_many_alarms_that_nobody_could_tell_them_take_no_more_room(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db")
    outbox.accept([(Lane.ALERT, sos(number)) for number in range(200)])
    assert outbox.owed().alerts == 200
    assert outbox.alarms.open == 64
    outbox.close()


def test_old_alarms_are_forgotten_and_those_in_which_nothing_was_begun_at_once(tmp_path: Path) -> None:
    outbox = open_at(tmp_path / "outbox.db")
    ended = [
        msgspec.structs.replace(Alarm(f"alert-{number}", number, sos(number)), ended="receipted", channels=begun)
        for number in range(1, 60)
        for begun in ({"voice": Channel(running=True)} if number % 2 else {},)
    ]
    outbox.record_alarms(ended)
    kept = [alarm.alert for alarm in ended if outbox.alarms.read(alarm.alert) is not None]
    assert kept == [f"alert-{number}" for number in range(29, 60, 2)]
    outbox.close()


@pytest.mark.timeout(60)
async def test_a_gateway_killed_while_it_speaks_speaks_once_more_and_says_so(tmp_path: Path, free_port: int) -> None:
    """A real process, SIGKILL in the middle of the sentence; the finding is older than its time."""
    clock = SystemClock()
    data = tmp_path / "data"
    data.mkdir()
    outbox = Outbox.open(data / "outbox.db", clock=clock, max_bytes=1 << 22)
    at = Times(clock.wall_ms(), max(0, clock.mono_ns() - 10 * 1_000_000_000), clock.boot, clock.state())
    outbox.accept([(Lane.ALERT, msgspec.structs.replace(sos(1), times=at))])
    outbox.close()
    said = tmp_path / "said"
    player = [sys.executable, "-c", f"open({str(said)!r}, 'a').write('x')"]
    hanging = [sys.executable, "-c", f"import time; open({str(said)!r}, 'a').write('x'); time.sleep(50)"]
    (data / "own" / "zh").mkdir(parents=True)
    (data / "own" / "zh" / "call.wav").write_bytes(b"RIFF")

    def start(command: list[str]) -> subprocess.Popen[bytes]:
        file = tmp_path / "gateway.toml"
        file.write_text(
            f'gateway = "home-03"\ndata = "data"\ntimezone = "Asia/Shanghai"\n[broker]\nport = {free_port}\n'
            f'[alarm]\nreceipt_s = 5\nrecordings = "own"\nplayer = {command!r}\n',
            encoding="utf-8",
        )
        return subprocess.Popen([_PROGRAM, "run", "--config", file], stderr=subprocess.DEVNULL)

    async def spoken(times: int) -> None:
        deadline = time.monotonic() + 25
        while not said.exists() or len(said.read_text(encoding="ascii")) < times:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)

    process = start(hanging)
    await spoken(1)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process = start(player)
    await spoken(2)
    await asyncio.sleep(2.5)  # two looks of the keeper: nothing more comes
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    assert said.read_text(encoding="ascii") == "xx"
    outbox = Outbox.open(data / "outbox.db", clock=clock, max_bytes=1 << 22)
    findings = [record for _, record in outbox.batch(Lane.ALERT)]
    actions = [action.partition(" +")[0] for action in actions_of(findings)]  # type: ignore[arg-type]  # findings only
    outbox.close()
    assert actions == ["voice unknown", "voice done:recorded"]
