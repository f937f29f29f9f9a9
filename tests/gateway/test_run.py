"""The process from inside: what only happens to a card that dies under it."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from kanhu.contract import SystemClock
from kanhu.gateway import GatewayConfig, Outbox, load_config, run
from kanhu.gateway._figures import Owed
from kanhu.gateway.disk import damaged_files
from tests.gateway.records import broken_page
from tests.gateway.sender import until


def settings(folder: Path, *, port: int) -> GatewayConfig:
    file = folder / "gateway.toml"
    file.write_text(
        f'gateway = "home-03"\ndata = "data"\ntimezone = "Asia/Shanghai"\n[broker]\nport = {port}\n', encoding="utf-8"
    )
    return load_config(file)


@pytest.mark.parametrize("whole", [False, True])
async def test_a_file_that_breaks_in_use_is_looked_through_and_the_watch_goes_on(
    tmp_path: Path, free_port: int, monkeypatch: pytest.MonkeyPatch, *, whole: bool
) -> None:
    monkeypatch.setattr(run, "_DAMAGE_PAUSE_S", 0.01)
    monkeypatch.setattr(Outbox, "is_whole", lambda _: whole)
    reads = 0
    epochs: list[str] = []
    owed = Outbox.owed

    def breaks_once(outbox: Outbox) -> Owed:
        nonlocal reads
        reads += 1
        epochs.append(outbox.epoch)
        if reads == 1:
            raise broken_page()
        return owed(outbox)

    monkeypatch.setattr(Outbox, "owed", breaks_once)
    config = settings(tmp_path, port=free_port)
    running = asyncio.create_task(run.run_gateway(config, clock=SystemClock()))
    await until(lambda: reads > 1)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(running, 20)
    assert (epochs[0] == epochs[1]) == whole
    assert len(damaged_files(config.folder)) == (0 if whole else 1)
