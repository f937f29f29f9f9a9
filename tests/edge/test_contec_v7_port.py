"""A newer Contec oximeter on a real pseudo-terminal: asked while it is silent, kept awake while it talks."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from kanhu.contract import SystemClock
from kanhu.edge.devices import DeviceConfig
from kanhu.edge.kinds import oximeter_contec_v7
from kanhu.edge.sensing import run_devices
from kanhu.firmware_sim.wire.contec_v7 import ContecV7Live, v7_command, v7_live, v7_stored
from tests.edge.readings import RememberingSink, until
from tests.edge.test_serial_port import Plug

_ASK, _AWAKE = v7_command(0xA1), v7_command(0xAF)
_LIVE = v7_live(ContecV7Live(spo2_percent=93, pulse_bpm=66))


@pytest.fixture
def plug(tmp_path: Path) -> Iterator[Plug]:
    made = Plug(tmp_path / "oximeter")
    yield made
    made.end()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = oximeter_contec_v7.KIND
    settings = kind.settings._replace(every_s=0.1)
    monkeypatch.setattr(oximeter_contec_v7, "KIND", replace(kind, settings=settings, pause_s=0.6))


def written(plug: Plug) -> bytes:
    os.set_blocking(plug.master, False)
    with suppress(BlockingIOError, OSError):
        return os.read(plug.master, 4096)
    return b""


async def test_it_is_asked_until_it_talks_kept_awake_while_it_does_and_asked_again_when_it_fell_silent(
    plug: Plug,
) -> None:
    sink = RememberingSink()
    device = DeviceConfig(id="ox-5", kind="oximeter-contec-v7", port=str(plug.path), subject="r-0005")
    reading = asyncio.create_task(run_devices([device], sink, clock=SystemClock(), radio=None))
    heard = bytearray()

    def has(words: bytes) -> bool:
        heard.extend(written(plug))
        return words in heard

    await until(lambda: has(_ASK + _ASK))
    assert _AWAKE not in heard
    for _ in range(6):
        await plug.send(_LIVE * 60 + v7_stored([(97, 70)]) + _LIVE[:4])
        await plug.send(_LIVE * 50)
    assert has(_AWAKE)
    heard.clear()
    await until(lambda: has(_AWAKE + _ASK) or has(_ASK + _ASK))
    await until(lambda: sink.readings == 2)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert [(str(one.value("spo2")), str(one.value("pulse_oximeter"))) for one in sink.accepted] == [("93", "66")]
    assert [reason for _, reason in sink.refused] == ["window_incomplete"]
    seen = sink.latest("ox-5")
    assert seen is not None
    assert seen.bad_bytes == 6 * 4
