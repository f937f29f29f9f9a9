"""The whole process with an analyser: the resident whom its record names, and what was acknowledged before a kill."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from kanhu.contract import Observation, SubjectKind, SystemClock
from kanhu.firmware_sim.serial_line import SerialLine
from kanhu.firmware_sim.wire.astm_link import Analyser, astm_frames
from kanhu.firmware_sim.wire.astm_records import SentResult, astm_message
from kanhu.gateway import Outbox
from tests.gateway.sender import until
from tests.gateway.test_process import promises, running

_DEADLINE_S = 20.0


@pytest.fixture
def line(tmp_path: Path) -> Iterator[SerialLine]:
    made = SerialLine(tmp_path / "analyser")
    yield made
    made.close()


def write_settings(folder: Path, *, port: int, line: SerialLine) -> Path:
    file = folder / "gateway.toml"
    file.write_text(
        f"""
gateway = "clinic-01"
data = "data"
timezone = "Asia/Shanghai"
[broker]
port = {port}
[[resident]]
id = "r-0003"
[[resident]]
id = "r-0004"
[[device]]
id = "analyser-01"
kind = "analyser-astm"
port = "{line.name}"
[journal]
path = "accepted.ndjson"
""",
        encoding="utf-8",
    )
    return file


def message(value: str, *, minute: int, patient_id: str = "r-0003") -> list[bytes]:
    result = SentResult("GLU", value, "mmol/L", completed=f"202611270800{minute:02d}", loinc="15074-8")
    return astm_message([result], specimen=f"S{minute}", patient_id=patient_id)


async def send(line: SerialLine, records: list[bytes]) -> None:
    """Until the last frame is acknowledged."""
    sender = Analyser(astm_frames(records))
    words = sender.begin()
    while not sender.ended:
        line.write(words)
        heard = b""
        async with asyncio.timeout(_DEADLINE_S):
            while not heard:
                await asyncio.sleep(0.01)
                heard = line.read()
        words = sender.hear(heard[-1:])
    assert not sender.gave_up


async def test_what_was_acknowledged_is_on_the_card_after_a_kill_and_what_is_sent_again_is_there_once(
    tmp_path: Path, free_port: int, line: SerialLine
) -> None:
    settings = write_settings(tmp_path, port=free_port, line=line)
    first, second = message("5.5", minute=1), message("6.5", minute=2, patient_id="r-0005")
    for acknowledged in (1, 2):
        with running(settings) as process:
            await until(line.is_open)
            await send(line, first)
            if acknowledged == 2:
                await send(line, second)
            process.kill()
        assert len(promises(tmp_path)) == acknowledged
    with closing(Outbox.open(tmp_path / "data" / "outbox.db", clock=SystemClock(), max_bytes=1 << 26)) as outbox:
        committed = [record for _, record in outbox.fetch([1, 2]) if isinstance(record, Observation)]
    assert [(str(one.value("glucose_capillary")), one.subject.kind) for one in committed] == [
        ("5.5", SubjectKind.RESIDENT), ("6.5", SubjectKind.UNIDENTIFIED),
    ]  # fmt: skip  # by rows
    assert committed[0].subject.id == "r-0003"
