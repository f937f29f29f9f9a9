"""The service as a process: a reading and a call for help travel from a broker to a signed-in browser."""

import asyncio
import json
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import httpx
import pytest

from kanhu.contract import Down, SystemClock, decode_receipt, down_topic
from tests.cloud.town import envelope, finding, heartbeat, oximetry

pytestmark = pytest.mark.broker

_SITE = """\
[[place]]
id = "yunling"
kind = "county"
zh = "云岭县"
en = "Yunling County"
[[gateway]]
id = "home-01"
kind = "home"
place = "yunling"
[[resident]]
id = "r-0001"
gateway = "home-01"
place = "yunling"
name = "张德福"
tags = ["lives_alone"]
[[contact]]
resident = "r-0001"
order = 1
name = "张小明"
relation_zh = "儿子"
relation_en = "son"
phone = "100 0000 0001"
"""


async def _command(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kanhu.cloud.cli", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip  # a command line reads as a line
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, out.decode()
    return out.decode()


@asynccontextmanager
async def _serving(config: Path, url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kanhu.cloud.cli", "serve", "--config", str(config),
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip  # a command line reads as a line
    try:
        async with asyncio.timeout(30), httpx.AsyncClient() as client:
            while True:
                try:
                    if (await client.get(f"{url}/api/v1/health")).status_code == httpx.codes.OK:
                        break
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _prepare(folder: Path, port: int) -> Path:
    config, site, password = folder / "cloud.toml", folder / "site.toml", folder / "password"
    config.write_text(f'data = "{folder}/data"\n[http]\nport = {port}\n', encoding="utf-8")
    site.write_text(_SITE, encoding="utf-8")
    password.write_text("a long password\n", encoding="utf-8")
    await _command("site", "load", str(site), "--config", str(config))
    await _command(
        "user", "add", "li.jing", "--display", "李静", "--role", "county", "--place", "yunling",
        "--password-file", str(password), "--config", str(config),
    )  # fmt: skip  # a command line reads as a line
    return config


async def test_from_the_broker_to_the_browser_and_through_a_kill(tmp_path: Path, free_ports: Callable[[], int]) -> None:
    port = free_ports()
    url = f"http://127.0.0.1:{port}"
    config = await _prepare(tmp_path, port)
    now_ms = SystemClock().wall_ms()
    call = finding(now_ms)
    async with _serving(config, url) as service, httpx.AsyncClient(base_url=url) as browser:
        answer = await browser.post("/api/v1/session", json={"user": "li.jing", "password": "a long password"})
        assert answer.status_code == 200
        broker_port = int((tmp_path / "data" / "broker" / "port").read_text(encoding="ascii"))
        async with browser.stream("GET", "/events", timeout=30) as stream:
            lines = stream.aiter_lines()
            async with aiomqtt.Client("127.0.0.1", broker_port, identifier="home-01") as gateway:
                await gateway.subscribe(down_topic("home-01", Down.RECEIPT))
                beat = heartbeat("home-01", now_ms)
                while not await _connected(browser):  # noqa: ASYNC110  # another process sets no event
                    await asyncio.sleep(0.05)
                await gateway.publish(beat.topic, beat.body, qos=1)
                letter = envelope((1, oximetry(now_ms, 97)), (2, call), lane="alert")
                await gateway.publish(letter.topic, letter.body, qos=1)
                receipt = await _receipt_of(gateway, 2)
                assert receipt == 2
            change = await asyncio.wait_for(_alert(lines), 10)
        assert change == {"id": call.alert_id, "revision": 1, "priority": "high"}, "never a name or a vital"
        await _a_second_service_leaves_the_first_alone(config, port=free_ports())
        assert service.returncode is None
        assert await _connected(browser)
        service.kill()
        await service.wait()
    async with _serving(config, url) as service, httpx.AsyncClient(base_url=url, cookies=browser.cookies) as browser:
        board = (await browser.get("/api/v1/board")).json()
        assert [(row["id"], row["person"]["name"]) for row in board["rows"]] == [(call.alert_id, "张德福")]
        page = (await browser.get(f"/api/v1/alerts/{call.alert_id}")).json()
        assert page["contacts"][0]["relation"] == {"zh": "儿子", "en": "son"}
        assert int((tmp_path / "data" / "broker" / "port").read_text(encoding="ascii")) == broker_port
        replay = browser.stream("GET", "/events", headers={"Last-Event-ID": "0"}, timeout=30)
        async with replay as stream:
            assert (await asyncio.wait_for(_alert(stream.aiter_lines()), 10))["id"] == call.alert_id
        async with browser.stream("GET", "/events", headers={"Last-Event-ID": "999"}, timeout=30) as stream:
            assert await asyncio.wait_for(_named(stream.aiter_lines(), "reset"), 10) == {"revision": 1}
        service.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(service.wait(), 20) == 0
    dump = tmp_path / "ledger.ndjson"
    await _command("ledger", "dump", "--out", str(dump), "--config", str(config))
    stored = [json.loads(line) for line in dump.read_text(encoding="utf-8").splitlines()]
    assert [(line["seq"], line["kind"]) for line in stored] == [(1, "reading"), (2, "finding")]
    assert "fine    ledger" in await _command("doctor", "--config", str(config))


async def _a_second_service_leaves_the_first_alone(config: Path, *, port: int) -> None:
    """Another port and the same folder: it must not take the first one's broker and messages."""
    other = _with_port(config, port)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kanhu.cloud.cli", "serve", "--config", str(other), stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip  # a command line reads as a line
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert "another kanhu-cloud serves this folder" in said.decode()
    assert "Traceback" not in said.decode()


def _with_port(config: Path, port: int) -> Path:
    other = config.with_name("other.toml")
    other.write_text(re.sub(r"port = \d+", f"port = {port}", config.read_text(encoding="utf-8")), encoding="utf-8")
    return other


async def _connected(browser: httpx.AsyncClient) -> bool:
    """Whether it is, by the page for staff; whoever has not signed in is told the same."""
    state = (await browser.get("/api/v1/system")).json()["broker"]
    async with httpx.AsyncClient(base_url=browser.base_url) as stranger:
        known = (await stranger.get("/api/v1/health")).json()["broker"]
    return bool(state == known == "connected")


async def _receipt_of(gateway: aiomqtt.Client, seq: int) -> int:
    async with asyncio.timeout(20):
        async for message in gateway.messages:
            contiguous = decode_receipt(message.payload).contiguous
            if contiguous >= seq:
                return contiguous
    raise AssertionError


async def _alert(lines: AsyncIterator[str]) -> dict[str, object]:
    return await _named(lines, "alert")


async def _named(lines: AsyncIterator[str], event: str) -> dict[str, object]:
    name = ""
    async for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: ") and name == event:
            return dict(json.loads(line.removeprefix("data: ")))
    raise AssertionError
