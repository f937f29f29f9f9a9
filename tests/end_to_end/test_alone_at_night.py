"""A call for help with the link down: heard at home, written to others, and one alert once the link is back."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kanhu.contract import Observation, Part, Subject, SubjectKind, SystemClock, Times
from kanhu.edge.devices import Sink
from kanhu.firmware_sim.modem.conversation import Fault
from kanhu.firmware_sim.modem.line import ModemLine
from kanhu.gateway import GatewayConfig, Outbox, load_config
from kanhu.gateway.run import run_gateway
from tests.end_to_end.under_attack import GATEWAY, Town, town
from tests.gateway.broker import Link

DOCTOR, FAMILY = "+8613912345678", "13900000002"
RECEIPT_S = 5
WITHIN_S = 60.0
SPEAK = [sys.executable, "-c", "import pathlib, sys; pathlib.Path(sys.argv[3]).write_bytes(sys.stdin.buffer.read())"]
PLAY = [sys.executable, "-c", "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])", "{file}"]


@pytest.mark.broker
@pytest.mark.timeout(180)
async def test_a_call_that_cannot_leave_is_heard_at_home_and_becomes_one_alert_later(tmp_path: Path) -> None:
    modem = ModemLine(tmp_path / "modem", clock=SystemClock())
    modem.faults.add(Fault.GARBAGE)
    async with town(tmp_path) as built:
        link = Link(built.broker_port)
        await link.open()
        try:
            config = load_config(_settings(tmp_path, port=link.port))
            button = Button()
            gateway = asyncio.create_task(run_gateway(config, clock=SystemClock(), source=button.serve))
            try:
                await _until(lambda: _is_online(built), "the county hears the gateway")
                link.fall_silent()
                link.cut()
                pressed_ns = await button.press()
                await _until(lambda: _sms(modem, 2), "both messages are with the network")
                assert (_told_ns(modem) - pressed_ns) / 1e9 - RECEIPT_S < WITHIN_S
                assert {message["to"] for message in modem.messages()} == {DOCTOR, FAMILY}
                for message in modem.messages():
                    assert "按下求助按钮" in str(message["text"])
                assert "东头" in next(str(message["text"]) for message in modem.messages() if message["to"] == DOCTOR)
                await _until(lambda: _is_written(tmp_path / "said.wav"), "the voice was played")
                said = (tmp_path / "said.wav").read_text(encoding="utf-8")
                assert said.startswith("按下求助按钮。现在联系不上县里。正在给村医和家人发短信。")
                assert (tmp_path / "light").read_text(encoding="ascii") == "1\n"
                assert await _alerts(built) == []

                await _until(lambda: _both_delivered(config), "both telephones have it")
                link.recover()
                await _until(lambda: _acted(built, "delivered to the telephone"), "the county knows what was done")
                (row,) = await _alerts(built)
                assert (row["rule"], row["priority"], row["count"], row["handling"]) == ("SOS", "high", 1, "new")
                assert row["acted"]["en"] == (
                    "gateway acted by itself: voice at home, light at home, message to the village doctor, "
                    "message to the family"
                )
                await _until(lambda: _light_is_off(tmp_path), "the light goes out with the receipt")
                sent = len(modem.messages())
                await asyncio.sleep(2)  # a look of the keeper and one more
                assert len(modem.messages()) == sent == 2
            finally:
                os.kill(os.getpid(), signal.SIGTERM)
                await asyncio.wait_for(gateway, 30)
        finally:
            await link.close()
            modem.close()
    _assert_no_number_is_kept(tmp_path)


class Button:
    """A help button that is pressed when told."""

    def __init__(self) -> None:
        self._sink: asyncio.Future[Sink] = asyncio.get_running_loop().create_future()

    async def serve(self, sink: Sink) -> None:
        """Hand presses to the gateway until cancelled."""
        if not self._sink.done():
            self._sink.set_result(sink)
        await asyncio.Event().wait()

    async def press(self) -> int:
        """One press; returns when, in monotonic nanoseconds."""
        clock = SystemClock()
        times = Times(clock.wall_ms(), clock.mono_ns(), clock.boot, clock.state())
        subject = Subject(SubjectKind.RESIDENT, "r-0001")
        sink = await self._sink
        await sink.accept(Observation("help_button", (Part("help_button", (1,)),), subject, "button-01", times))
        return times.mono_ns


def _settings(folder: Path, *, port: int) -> Path:
    contacts = folder / "contacts.toml"
    contacts.write_text(
        f'[[contact]]\nrole = "village_doctor"\nnumber = "{DOCTOR}"\nhome = "东头"\n'
        f'[[contact]]\nrole = "family"\nresident = "r-0001"\nnumber = "{FAMILY}"\n',
        encoding="utf-8",
    )
    contacts.chmod(0o600)
    file = folder / "gateway.toml"
    file.write_text(
        f"""gateway = "{GATEWAY}"
data = "data"
timezone = "Asia/Shanghai"
heartbeat_s = 1
[broker]
port = {port}
keepalive_s = 5
[uplink]
receipt_timeout_s = 3
reconnect_max_s = 1
[alarm]
receipt_s = {RECEIPT_S}
player = {[*PLAY, str(folder / "said.wav")]!r}
speech = {SPEAK!r}
light_file = "{folder / "light"}"
modem_port = "{folder / "modem"}"
contacts = "{contacts}"
[[resident]]
id = "r-0001"
tags = ["lives_alone"]
""",
        encoding="utf-8",
    )
    return file


async def _until(seen: Callable[[], Any], what: str) -> None:
    async with asyncio.timeout(WITHIN_S):
        while True:
            answer = seen()
            if await answer if asyncio.iscoroutine(answer) else answer:
                return
            await asyncio.sleep(0.1)
    raise AssertionError(what)


async def _is_online(built: Town) -> bool:
    states = {row["id"]: str(row["state"]) for row in await built.county.gateways()}
    return states[GATEWAY] == "online"


async def _alerts(built: Town) -> list[dict[str, Any]]:
    board = await built.county.read("/api/v1/board")
    return [row for row in board["rows"] if row["rule"] == "SOS"]


async def _acted(built: Town, words: str) -> bool:
    for row in await _alerts(built):
        page = await built.county.read(f"/api/v1/alerts/{row['id']}")
        if any(event["kind"] == "acted" and words in event["text"]["en"] for event in page["events"]):
            return True
    return False


def _both_delivered(config: GatewayConfig) -> bool:
    outbox = Outbox.look(config.outbox_file, clock=SystemClock(), max_bytes=1 << 28)
    try:
        counted = {name for _, name in outbox.counters()}
    finally:
        outbox.close()
    return {"alarm:sms:village_doctor.delivered", "alarm:sms:family.delivered"} <= counted


def _sms(modem: ModemLine, count: int) -> bool:
    return len(modem.messages()) >= count


def _is_written(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


def _told_ns(modem: ModemLine) -> int:
    return max(int(str(message["mono_ns"])) for message in modem.messages())


def _light_is_off(folder: Path) -> bool:
    return (folder / "light").read_text(encoding="ascii") == "0\n"


def _assert_no_number_is_kept(folder: Path) -> None:
    """Neither the outbox nor the ledger nor any log has a number; the file of contacts alone has."""
    secrets = {DOCTOR.encode(), DOCTOR[3:].encode(), FAMILY.encode()}
    kept = {
        file.name
        for file in folder.rglob("*")
        if file.is_file() and any(secret in file.read_bytes() for secret in secrets)
    }
    assert kept == {"contacts.toml"}
