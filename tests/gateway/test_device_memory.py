"""What is known of devices stands in the outbox: there after a restart, and no device stops where it cannot be kept."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kanhu.contract import FakeClock
from kanhu.gateway.committer import Committer
from kanhu.gateway.device_memory import DeviceMemory
from kanhu.gateway.errors import OutboxFull
from kanhu.gateway.outbox import Outbox


@pytest.fixture
async def committer(tmp_path: Path) -> AsyncIterator[Committer]:
    made = Committer(Outbox.open(tmp_path / "outbox.db", clock=FakeClock(), max_bytes=1 << 22))
    yield made
    await made.close()


async def test_what_is_kept_of_a_device_is_known_again_and_nothing_else_is(committer: Committer) -> None:
    await DeviceMemory(committer).keep("door-1", {"counter": 7})
    await DeviceMemory(committer).keep("door-1", {"counter": 2**32 - 1})
    await DeviceMemory(committer).keep("door:2", {"counter": 1, "sequence": 3})
    await committer.call(lambda outbox: outbox.remember({"connected:door-1": 1, "kept_puzzle": 1}))
    found = await DeviceMemory(committer).recall()
    assert found == {"door-1": {"counter": 2**32 - 1}, "door:2": {"counter": 1, "sequence": 3}}


async def test_a_card_that_takes_nothing_stops_no_device(
    committer: Committer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(outbox: Outbox, notes: object) -> None:
        raise OutboxFull("no space")

    monkeypatch.setattr(Outbox, "remember", full)
    with caplog.at_level(logging.ERROR):
        await DeviceMemory(committer).keep("door-1", {"counter": 7})
    assert "door-1: not remembered" in caplog.text
