"""How long a gateway waits before it tries again: long for readings, never long for an alert."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable

import pytest

from kanhu.contract import Lane
from kanhu.gateway.errors import IdentityUnusable
from kanhu.gateway.uplink import SessionEnd, Uplink
from tests.gateway.records import heart_rate, sos
from tests.gateway.sender import Sender, until

MakeSender = Callable[..., Sender]
_LONG_S = 600.0


class PausesAsLongForAnAlert(Uplink):
    """The broken variant: an alert waits as long as a reading."""

    async def _pause(self, longest_s: float) -> None:
        await asyncio.sleep(longest_s)


@pytest.fixture
def nobody_listens() -> int:
    """A port that refuses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("kind", [Uplink, PausesAsLongForAnAlert])
async def test_an_alert_that_comes_in_a_long_pause_is_tried_within_four_seconds(
    nobody_listens: int, sender: MakeSender, kind: type[Uplink], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kanhu.gateway.uplink._FIRST_BACK_OFF_S", _LONG_S)
    gateway = sender(nobody_listens, kind=kind, reconnect_max_s=_LONG_S)
    await gateway.accept([heart_rate(1)])
    gateway.start()
    await until(lambda: gateway.uplink.ends[SessionEnd.UNREACHABLE] >= 1)
    await gateway.accept([sos(2)], lane=Lane.ALERT)
    began = time.monotonic()
    if kind is Uplink:
        await until(lambda: gateway.uplink.ends[SessionEnd.UNREACHABLE] >= 2, within_s=4.5)
    else:
        with pytest.raises(AssertionError):
            await until(lambda: gateway.uplink.ends[SessionEnd.UNREACHABLE] >= 2, within_s=4.5)
    assert time.monotonic() - began < 6


async def test_an_alert_that_is_owed_keeps_every_pause_short(
    nobody_listens: int, sender: MakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kanhu.gateway.uplink._FIRST_BACK_OFF_S", _LONG_S)
    monkeypatch.setattr("kanhu.gateway.uplink._ALERT_PAUSE_S", 0.2)
    gateway = sender(nobody_listens, reconnect_max_s=_LONG_S)
    await gateway.accept([sos(1)], lane=Lane.ALERT)
    gateway.start()
    await until(lambda: gateway.uplink.ends[SessionEnd.UNREACHABLE] >= 5, within_s=5)


async def test_readings_alone_wait_out_the_whole_pause(
    nobody_listens: int, sender: MakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kanhu.gateway.uplink._FIRST_BACK_OFF_S", _LONG_S)
    monkeypatch.setattr("kanhu.gateway.uplink._ALERT_PAUSE_S", 0.05)
    gateway = sender(nobody_listens, reconnect_max_s=_LONG_S)
    await gateway.accept([heart_rate(1)])
    gateway.start()
    await until(lambda: gateway.uplink.ends[SessionEnd.UNREACHABLE] >= 1)
    await gateway.accept([heart_rate(2)])
    await asyncio.sleep(0.5)  # ten alert pauses
    assert gateway.uplink.ends[SessionEnd.UNREACHABLE] == 1


async def test_a_gateway_that_was_never_enrolled_keeps_its_readings_and_says_why(
    nobody_listens: int, sender: MakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never_enrolled() -> ssl.SSLContext:
        raise IdentityUnusable("this gateway was never enrolled", remedy="Run kanhu-gateway enrol")

    gateway = sender(nobody_listens)
    monkeypatch.setattr(gateway.uplink, "_tls", never_enrolled)
    gateway.start()
    await gateway.accept([heart_rate(1)])
    await until(lambda: gateway.uplink.ends[SessionEnd.NO_IDENTITY] >= 2)
    assert (await gateway.owed()).total == 1
