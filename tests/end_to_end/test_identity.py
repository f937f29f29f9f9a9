"""From the administrator's invitation to a heartbeat in the county, by a box whose clock nobody ever set."""

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from kanhu.harness.faults.clock import FakedClock
from kanhu.harness.prove.gatehouse_rig import Rig, rig
from tests.debian import DebianPackages

_DAY_MS = 86_400_000
pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


async def _gateway(config: Path, clock: FakedClock, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kanhu.gateway.cli", *words, "--config", str(config),
        env={**os.environ, **clock.environment}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip  # a command line reads as a line


async def _shows(county: Rig, query: str) -> bool:
    ends = time.monotonic() + 90  # a first heartbeat that came before the county listened is followed by one after 60 s
    while time.monotonic() < ends:
        if county.rows(query):
            return True
        await asyncio.sleep(0.1)
    return False


async def test_a_gateway_that_starts_in_1970_enrols_connects_is_heard_renews_and_runs_out(
    tmp_path: Path, debian_package: DebianPackages
) -> None:
    debian_package("libfaketime")
    clock = FakedClock(tmp_path / "clock")
    clock.set_1970()
    (tmp_path / "county").mkdir()
    async with rig(tmp_path / "county", "embedded", broken=None) as county:
        config = tmp_path / "gateway.toml"
        config.write_text(
            f'gateway = "home-01"\ndata = "box"\ntimezone = "Asia/Shanghai"\n[broker]\nhost = "localhost"\n'
            f"port = {county.broker_port}\ntls = true\n",
            encoding="utf-8",
        )
        text = await county.command("gateway", "invite", "home-01")
        enrolling = await _gateway(config, clock, "enrol", "--token", text)
        said, _ = await enrolling.communicate()
        assert enrolling.returncode == 0, said.decode()
        assert "more than a day off" in said.decode()
        county.write("UPDATE certificate SET until_ms = until_ms - ?", 100 * _DAY_MS)
        running = await _gateway(config, clock, "run")
        try:
            assert await _shows(county, "SELECT 1 FROM gateway WHERE id = 'home-01' AND status IS NOT NULL")
            assert await _shows(county, "SELECT 1 FROM certificate WHERE renewed_ms IS NOT NULL"), "it renews itself"
            assert await _shows(county, "SELECT 1 FROM alert WHERE rule = 'CAME-BACK' AND is_open = 1"), (
                "late, so asked"
            )
            county.write("UPDATE certificate SET until_ms = ? WHERE ran_out_ms > 0", 1)
            ended = "SELECT 1 FROM audit WHERE act = 'end session' AND object = 'home-01'"
            assert await _shows(county, ended), "a provisional certificate that ran out ends the open session too"
        finally:
            running.terminate()
            said, _ = await running.communicate()
        assert running.returncode == 0, said.decode()
