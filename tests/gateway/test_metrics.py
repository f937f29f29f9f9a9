"""What Prometheus reads: whole, well-formed, documented; and a door that nobody can hold open or talk over."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.contract import FakeClock, Lane, SystemClock
from kanhu.gateway import ConfigRefused, Outbox, OutboxFailed, load_config, metrics_door
from kanhu.gateway.card import CardMeter
from kanhu.gateway.metrics import METRICS, OutboxFigures, Value, exposition, figures
from kanhu.gateway.metrics_door import keep_metrics_door
from kanhu.gateway.run import run_gateway
from kanhu.gateway.updates.store import State
from tests.gateway.records import heart_rate, sos
from tests.gateway.sender import until

_MANUAL = Path(__file__).resolve().parents[2] / "docs" / "gateway.md"
_LINE = re.compile(r'[a-z_]+(\{[a-z]+="(?:[^"\\\n]|\\.)*"\})? \d+(\.\d+)?(e[+-]?\d+)?')
_GOOD = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9464\r\n\r\n"


def told(folder: Path, clock: FakeClock) -> dict[str, Value]:
    outbox = Outbox.open(folder / "outbox.db", clock=clock, max_bytes=1 << 22)
    outbox.accept([(Lane.LIVE, heart_rate(1)), (Lane.ALERT, sos(2))], refused=[("a", "short"), ("b", "short")])
    try:
        return figures(
            OutboxFigures.of(outbox),
            receipts=3,
            link_ends={"lost": 2},
            restarts={"sensing": 0},
            card=CardMeter(clock),
            updates=State(),
            folder=folder,
            clock=clock,
        )
    finally:
        outbox.close()


def test_every_metric_has_a_value_and_every_line_its_form(tmp_path: Path) -> None:
    clock = FakeClock()
    values = told(tmp_path, clock)
    assert set(values) == {metric.name for metric in METRICS}
    lines = exposition(values).splitlines()
    assert [line for line in lines if not line.startswith("#") and not _LINE.fullmatch(line)] == []
    assert 'kanhu_gateway_readings_refused_total{reason="short"} 2' in lines
    assert 'kanhu_gateway_link_ends_total{reason="lost"} 2' in lines
    assert "kanhu_gateway_records_owed 2" in lines
    assert "kanhu_gateway_receipts_total 3" in lines


def test_what_is_not_known_is_left_out_and_labels_are_escaped(tmp_path: Path) -> None:
    values = told(tmp_path, FakeClock())
    values["kanhu_gateway_card_written_bytes_total"] = None
    values["kanhu_gateway_link_ends_total"] = {'a"b\\c\nd': 1}
    text = exposition(values)
    assert "kanhu_gateway_card_written_bytes_total" not in text
    assert 'reason="a\\"b\\\\c\\nd"' in text


def test_names_say_kind_and_unit() -> None:
    for metric in METRICS:
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert re.fullmatch(r"(kanhu_gateway|process)_[a-z_]+", metric.name)


def undocumented(manual: str) -> list[str]:
    return [metric.name for metric in METRICS if f"| `{metric.name}` |" not in manual]


def test_the_manual_names_every_metric() -> None:
    manual = _MANUAL.read_text(encoding="utf-8")
    assert undocumented(manual) == []
    assert undocumented(manual.replace("`kanhu_gateway_records_owed`", "")) == ["kanhu_gateway_records_owed"]
    named = set(re.findall(r"\| `((?:kanhu_gateway|process)_\w+)` \|", manual))
    assert named == {metric.name for metric in METRICS}, "none is documented that is not told"


def test_metrics_are_off_unless_a_port_is_given(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    plain = f'gateway = "home-03"\ndata = "{tmp_path}"\ntimezone = "Asia/Shanghai"\n'
    file.write_text(plain, encoding="utf-8")
    assert load_config(file).metrics.port is None
    file.write_text(f"{plain}[metrics]\nport = 9464\n", encoding="utf-8")
    assert load_config(file).metrics.port == 9464
    file.write_text(f'{plain}[metrics]\nhost = "0.0.0.0"\n', encoding="utf-8")
    with pytest.raises(ConfigRefused):
        load_config(file)


async def _page() -> str:
    return "kanhu_gateway_records_owed 0\n"


@asynccontextmanager
async def door(port: int, page: Callable[[], Awaitable[str]] = _page) -> AsyncIterator[int]:
    keeping = asyncio.create_task(keep_metrics_door(port, page))
    try:
        async with asyncio.timeout(10):
            while not keeping.done():
                with suppress(ConnectionError):
                    await ask(port, _GOOD)
                    break
        yield port
        assert not keeping.done(), keeping.exception()
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


async def ask(port: int, request: bytes) -> bytes:
    """What comes back until the door closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        if not request.endswith(b"\r\n\r\n") and len(request) < 4096:
            writer.write_eof()
        return await reader.read()
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def _until_closed(reader: asyncio.StreamReader) -> bytes:
    with suppress(ConnectionError):
        return await reader.read()
    return b""


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (_GOOD, 200),
        (_GOOD.replace(b"Host: 127.0.0.1:9464", b"host: localhost"), 200),
        (_GOOD.replace(b"/metrics", b"/metrics?x=1"), 200),
        (_GOOD.replace(b"GET", b"POST"), 405),
        (_GOOD.replace(b"/metrics", b"/"), 404),
        (_GOOD.replace(b"/metrics", b"/../../etc/passwd"), 404),
        (_GOOD.replace(b"127.0.0.1:9464", b"rebound.example.org"), 400),
        (_GOOD.replace(b"Host: 127.0.0.1:9464\r\n", b""), 400),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431),
    ],
)
async def test_every_request_gets_its_answer(free_port: int, request_: bytes, code: int) -> None:
    async with door(free_port) as port:
        answer = await ask(port, request_)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % code)
    assert (b"kanhu_gateway" in body) == (code == 200)
    assert b"Content-Length: %d\r\n" % len(body) in head


async def test_a_guest_that_says_nothing_is_shown_out_and_a_fifth_is_not_let_in(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_door, "_PATIENCE_S", 1.0)
    async with door(free_port) as port:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
        await asyncio.sleep(0.1)  # until the door has seen them
        with suppress(ConnectionError):
            assert await ask(port, _GOOD) == b""
        assert [await _until_closed(reader) for reader, _ in silent] == [b""] * 4
        assert b" 200 " in await ask(port, _GOOD)
        for _, writer in silent:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def test_a_card_that_gives_an_error_is_told_and_the_door_stays(free_port: int) -> None:
    async def failing() -> str:
        raise OutboxFailed("the card")

    async with door(free_port, failing) as port:
        assert b" 503 " in await ask(port, _GOOD)
        assert b" 503 " in await ask(port, _GOOD)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_leave_the_door_standing(request_: bytes) -> None:
    async def told_anything() -> bytes:
        reader = asyncio.StreamReader(limit=4096)
        reader.feed_data(request_ + b"\r\n\r\n")
        reader.feed_eof()
        return await metrics_door._answer(reader, _page)

    assert asyncio.run(told_anything()).startswith(b"HTTP/1.1 ")


async def test_a_running_gateway_answers_and_a_port_that_is_taken_stops_nothing_else(
    tmp_path: Path, free_ports: Callable[[], int], caplog: pytest.LogCaptureFixture
) -> None:
    port = free_ports()
    taken = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)
    file = tmp_path / "gateway.toml"
    file.write_text(
        f'gateway = "home-03"\ndata = "data"\ntimezone = "Asia/Shanghai"\n[broker]\nport = {free_ports()}\n'
        f"[metrics]\nport = {port}\n",
        encoding="utf-8",
    )
    running = asyncio.create_task(run_gateway(load_config(file), clock=SystemClock()))
    try:
        await until(lambda: "metrics failed" in caplog.text)
        taken.close()
        await taken.wait_closed()
        page = b""
        async with asyncio.timeout(20):
            while b" 200 " not in page:
                with suppress(ConnectionError):
                    page = await ask(port, _GOOD)
                await asyncio.sleep(0.05)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(running, 20)
    text = page.decode()
    assert 'kanhu_gateway_task_restarts_total{task="uplink"} 0' in text
    assert re.search(r'kanhu_gateway_task_restarts_total\{task="metrics"\} [1-9]', text)
    assert 'kanhu_gateway_link_ends_total{reason="unreachable"}' in text
    assert re.search(r"process_resident_memory_bytes \d{7,}", text)
    with pytest.raises(ConnectionError):
        await ask(port, _GOOD)


def test_the_card_meter_tells_the_last_day(tmp_path: Path) -> None:
    clock, file = FakeClock(), tmp_path / "io"
    file.write_text("rchar: 7\nwrite_bytes: 1000\ncancelled_write_bytes: 3\n", encoding="ascii")
    meter = CardMeter(clock, file=file)
    notes: dict[str, int] = {}
    for hour in range(1, 31):
        clock.advance(3600)
        file.write_text(f"write_bytes: {1000 + 50 * hour}\n", encoding="ascii")
        notes = meter.hourly()
        assert meter.hourly() == {}, "a note is a write: once an hour"
    assert meter.written() == 2500
    assert meter.last_day() == (24 * 50, 24 * 3600)
    assert notes == {"card_written_day": 1200, "card_written_span_s": 86_400}


@pytest.mark.parametrize("text", [None, "", "write_bytes: many\n", "read_bytes: 4\n"])
def test_a_kernel_that_counts_nothing_is_no_zero(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "io"
    if text is not None:
        file.write_text(text, encoding="ascii")
    meter = CardMeter(FakeClock(), file=file)
    assert (meter.written(), meter.last_day(), meter.hourly()) == (None, None, {})
