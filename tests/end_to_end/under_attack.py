"""A broker, a county and one gateway as real processes, and what can be seen of them from outside.

Not here: who attacks them, and with what.
"""

import asyncio
import json
import os
import re
import secrets
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import httpx

from kanhu.harness.ports import free_port
from kanhu.harness.village import settings
from kanhu.harness.village.county import County
from kanhu.harness.village.processes import Processes, environment
from kanhu.harness.village.script import Device, Home, Person

SITE = Path(__file__).with_name("bad_input_site.toml")
GATEWAY = "home-01"
DEVICES = (
    Device("cuff-01", "cuff", "r-0001"),
    Device("strap-01", "strap", "r-0001"),
    Device("button-01", "button", "r-0001"),
    Device("oximeter-01", "oximeter", "r-0001"),
)
SERVICES = ("broker", "cloud", GATEWAY)

HEARTBEAT_S = 1
_UP_S = 30
_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB$", re.MULTILINE)
_ACCEPTED = re.compile(r"(\d+) readings accepted")
_REFUSED = re.compile(r"([a-z_]+) (\d+)(?:,|;|$)")
_BAD_BYTES = re.compile(r"(\d+) bad bytes")


@dataclass(frozen=True, slots=True)
class DeviceOnDoctor:
    """What the gateway's doctor says of one device."""

    accepted: int
    refused: Counter[str]
    bad_bytes: int


@dataclass(slots=True)
class Town:
    """The processes and their files."""

    folder: Path
    processes: Processes
    county: County
    broker_port: int

    @property
    def cloud_toml(self) -> Path:
        """Settings of the county."""
        return self.folder / "cloud" / "cloud.toml"

    @property
    def gateway_toml(self) -> Path:
        """Settings of the gateway."""
        return self.folder / GATEWAY / "gateway.toml"

    @property
    def journal(self) -> Path:
        """What the gateway promised."""
        return self.folder / GATEWAY / "accepted.ndjson"

    def pids(self) -> dict[str, int]:
        """Who runs."""
        return {name: self.processes.children[name].process.pid for name in SERVICES}

    def resident_kib(self) -> dict[str, int]:
        """Memory in use by each process."""
        found = {}
        for name, pid in self.pids().items():
            resident = _RESIDENT.search(Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
            assert resident is not None, name
            found[name] = int(resident[1])
        return found

    def cpu_s(self) -> dict[str, float]:
        """CPU time each process has used so far."""
        ticks = os.sysconf("SC_CLK_TCK")
        used = {}
        for name, pid in self.pids().items():
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            used[name] = (int(fields[11]) + int(fields[12])) / ticks
        return used

    def log(self, name: str) -> str:
        """What a process wrote for people."""
        return self.processes.children[name].log.read_text(encoding="utf-8")

    async def doctor(self) -> dict[str, DeviceOnDoctor]:
        """Devices as the gateway's doctor sees them."""
        said = json.loads(await self.tool("kanhu-gateway", "doctor", "--json", config=self.gateway_toml))
        return {
            check["name"].removeprefix("device "): _device(check["found"])
            for check in said["checks"]
            if check["name"].startswith("device ")
        }

    async def tool(self, name: str, *arguments: str, config: Path) -> str:
        """Run a command beside the services; returns what it wrote."""
        process = await asyncio.create_subprocess_exec(
            program(name), *arguments, "--config", str(config),
            stdout=asyncio.subprocess.PIPE, env=dict(self.processes.environment),
        )  # fmt: skip  # one flag with its value reads best
        said, _ = await process.communicate()
        return said.decode()

    async def status(self) -> dict[str, Any]:
        """The gateway's last heartbeat, as any MQTT client sees it."""
        async with (
            asyncio.timeout(10),
            aiomqtt.Client("127.0.0.1", self.broker_port, identifier="technician") as client,
        ):
            await client.subscribe(f"kanhu/v1/up/{GATEWAY}/status")
            async for message in client.messages:
                status: dict[str, Any] = json.loads(message.payload)
                return status
        raise AssertionError("no status")

    async def page(self, path: str) -> str:
        """A page as staff see it in a browser."""
        async with httpx.AsyncClient(base_url=self.county.base_url, timeout=10) as browser:
            who = {"user": self.county.user, "password": self.county.password}
            (await browser.post("/api/v1/session", json=who)).raise_for_status()
            return (await browser.get(path)).raise_for_status().text

    async def until_refused(self, refused: Mapping[str, int]) -> None:
        """Until the county has put aside all of these messages."""
        async with asyncio.timeout(60):
            while (await self.county.read("/api/v1/system"))["quarantine"] != refused:
                self.processes.check()
                await asyncio.sleep(0.05)

    async def nothing_owed(self) -> None:
        """Until the gateway says that the county has everything."""
        await asyncio.sleep(2 * HEARTBEAT_S)  # an older heartbeat proves nothing
        async with asyncio.timeout(40):
            while True:
                self.processes.check()
                rows = {row["id"]: row for row in await self.county.gateways()}
                if rows[GATEWAY]["owed"] == 0 and rows[GATEWAY]["state"] == "online":
                    return
                await asyncio.sleep(0.3)


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    """Broker and county up, one member of staff; the gateway is started by `start_gateway`."""
    logs = folder / "logs"
    logs.mkdir()
    http_port, broker_port = free_port(), free_port()
    processes = Processes(logs, environment())
    county = County(f"http://127.0.0.1:{http_port}", "li.jing", secrets.token_urlsafe(9))
    built = Town(folder, processes, county, broker_port)
    try:
        settings.write_cloud(folder / "cloud", http_port=http_port, broker_port=broker_port)
        await processes.start(
            "broker",
            (program("kanhu-cloud"), "broker", "--port", str(broker_port), "--data", str(folder / "broker")),
        )
        password = folder / "password"
        password.write_text(county.password, encoding="utf-8")
        await built.tool("kanhu-cloud", "site", "load", str(SITE), config=built.cloud_toml)
        await built.tool(
            "kanhu-cloud", "user", "add", "li.jing", "--role", "county", "--place", "yunling",
            "--password-file", str(password), config=built.cloud_toml,
        )  # fmt: skip  # one flag with its value reads best
        await processes.start("cloud", (program("kanhu-cloud"), "serve", "--config", str(built.cloud_toml)))
        async with asyncio.timeout(_UP_S):
            while not await county.is_up():
                processes.check()
                await asyncio.sleep(0.1)
        yield built
    finally:
        await county.close()
        await processes.stop_all()


async def start_gateway(built: Town, links: dict[str, Any]) -> None:
    """Start the gateway and wait until the county has heard it."""
    home = Home(GATEWAY, DEVICES, (Person("r-0001", ("lives_alone",)),))
    pace = settings.Pace(heartbeat_s=HEARTBEAT_S)
    settings.write_gateway(built.folder / GATEWAY, home, links, broker_port=built.broker_port, pace=pace)
    await built.processes.start(GATEWAY, (program("kanhu-gateway"), "run", "--config", str(built.gateway_toml)))
    async with asyncio.timeout(_UP_S):
        while {row["id"]: row["state"] for row in await built.county.gateways()}[GATEWAY] != "online":
            built.processes.check()
            await asyncio.sleep(0.1)


def program(name: str) -> str:
    """Path of an installed command."""
    return str(Path(sys.executable).with_name(name))


def _device(found: str) -> DeviceOnDoctor:
    accepted = _ACCEPTED.search(found)
    bad_bytes = _BAD_BYTES.search(found)
    _, _, refused = found.partition("refused: ")
    return DeviceOnDoctor(
        accepted=int(accepted[1]) if accepted else 0,
        refused=Counter({reason: int(count) for reason, count in _REFUSED.findall(refused)}),
        bad_bytes=int(bad_bytes[1]) if bad_bytes else 0,
    )
