"""What a clinic calls its people stays on the clinic's box; and what its page costs the box."""

import asyncio
import json
import re
import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from kanhu.contract import Observation, SubjectKind, SystemClock, encode_record
from kanhu.contract.status import encode_status
from kanhu.gateway import Outbox
from tests.gateway.broker import Broker
from tests.gateway.county import County
from tests.gateway.sender import until
from tests.gateway.test_process import Oximeter, connected, oximeter, promises, write_settings

__all__ = ["oximeter"]

_PROGRAM = Path(sys.executable).with_name("kanhu-gateway")
_MOST_RESIDENT_MIB = 70  # with the page open and the library for Bluetooth loaded: harness/limits.toml, demo
LABEL, CARD = "秘名甲一床", "CARD-7-OF-THIS-CLINIC"


def with_page(settings: Path, *, port: int) -> Path:
    """The same gateway with a page, its oximeter shared by people who have labels."""
    text = settings.read_text(encoding="utf-8").replace('resident = "r-0003"\n[journal]', "[journal]")
    text = text.replace('id = "r-0003"\n', f'id = "r-0003"\nlabel = "{LABEL}"\ncard = "{CARD}"\n')
    cuff = '[[device]]\nid = "cuff-03"\nkind = "cuff-ble"\naddress = "F0:0D:00:00:00:03"\n'
    settings.write_text(f"{text}\n{cuff}[page]\nport = {port}\n", encoding="utf-8")
    return settings


def resident_mib(pid: int) -> float:
    """The most memory a process has held so far."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


async def scan(client: httpx.AsyncClient, code: str) -> str:
    """Choose somebody by a card, as the screen does; the page that follows."""
    token = re.search(r'name="token" value="([^"]+)"', (await client.get("/")).text)
    assert token is not None
    answer = await client.post("/scan", data={"token": token[1], "code": code})
    return answer.text


async def opens(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/")).status_code == HTTPStatus.OK
    except httpx.TransportError:
        return False


@pytest.mark.broker
async def test_a_label_and_a_card_are_in_no_record_no_heartbeat_no_log_and_no_file_of_the_box(
    tmp_path: Path, broker: Broker, free_ports: Callable[[], int], oximeter: Oximeter
) -> None:
    port = free_ports()
    settings = with_page(write_settings(tmp_path, port=broker.port, oximeter=oximeter), port=port)
    log = (tmp_path / "log").open("wb")
    command = (_PROGRAM, "run", "--log", "debug", "--config", settings)
    base = f"http://127.0.0.1:{port}"
    async with County(broker.port) as county, httpx.AsyncClient(base_url=base, follow_redirects=True) as client:
        process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)
        try:
            await connected(county)
            while not await opens(client):  # noqa: ASYNC110  # the gateway is another process
                await asyncio.sleep(0.05)
            oximeter.send_window(spo2=96)
            await until(lambda: len(county.stored) == 1)
            assert LABEL in await scan(client, CARD)
            oximeter.send_window(spo2=97)
            await until(lambda: len(county.stored) == 2)
            assert CARD not in await scan(client, f"{CARD}-OF-NOBODY")
            beats = len(county.statuses)
            await until(lambda: len(county.statuses) > beats + 1)
            assert resident_mib(process.pid) < _MOST_RESIDENT_MIB
        finally:
            process.terminate()
            assert await process.wait() == 0
            log.close()
    subjects = [record.subject for _, record in sorted(county.stored.items()) if isinstance(record, Observation)]
    assert [subject.kind for subject in subjects] == [SubjectKind.UNIDENTIFIED, SubjectKind.RESIDENT]
    assert subjects[1].id == "r-0003", "the person who was scanned"
    outbox = Outbox.look(tmp_path / "data" / "outbox.db", clock=SystemClock(), max_bytes=1 << 28)
    assert outbox.notes()["nobody:nobody_chosen"] == 1
    outbox.close()
    sent = [encode_record(record) for record in county.stored.values()]
    sent += [encode_status(status) for status, _ in county.statuses]
    kept = {path.name: path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()}
    assert {"outbox.db", "accepted.ndjson", "today.json"} <= set(kept)
    looked_at = [*sent, *kept.values(), (tmp_path / "log").read_bytes()]
    for secret in (LABEL, CARD):
        forms = (secret.encode(), json.dumps(secret)[1:-1].encode(), secret.encode("utf-16-le"))
        assert not [form for form in forms if any(form in data for data in looked_at)]
    assert len(promises(tmp_path)) == 2
