"""The relay: what each fault of a link looks like from both ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from time import monotonic

import pytest

from kanhu.harness.faults import Kind, LinkProxy

_SOON_S = 0.25  # long enough for loopback, short enough to wait for what must not come


class Far:
    """Echoes what it hears, and keeps it."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.connections = 0
        self.ended = 0

    async def open(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                self.heard += data
                writer.write(data)
                await writer.drain()
        self.ended += 1
        writer.close()


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    echo = Far()
    await echo.open()
    yield echo
    await echo.close()


@pytest.fixture
async def link(far: Far) -> AsyncIterator[LinkProxy]:
    async with LinkProxy(to_port=far._server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


async def _near(link: LinkProxy) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", link.port)


async def _hears(reader: asyncio.StreamReader, count: int) -> bytes:
    async with asyncio.timeout(5):
        return await reader.readexactly(count)


async def _hears_nothing(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(_SOON_S):
            return await reader.read(1) is None
    except TimeoutError:
        return True


async def test_a_whole_link_carries_both_ways_and_counts(link: LinkProxy) -> None:
    reader, writer = await _near(link)
    writer.write(b"hello")
    assert await _hears(reader, 5) == b"hello"
    assert (link.connections, link.bytes_up, link.bytes_down) == (1, 5, 5)
    writer.close()


async def test_a_refusing_link_resets_what_stands_and_comes_back_on_its_port(link: LinkProxy) -> None:
    reader, writer = await _near(link)
    writer.write(b"a")
    await _hears(reader, 1)
    refusing = await link.impose(Kind.REFUSE)
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    with pytest.raises(ConnectionRefusedError):
        await _near(link)
    await link.lift(refusing)
    reader, writer = await _near(link)
    writer.write(b"b")
    assert await _hears(reader, 1) == b"b"
    writer.close()


async def test_a_silent_link_keeps_connections_and_delivers_afterwards(link: LinkProxy, far: Far) -> None:
    reader, writer = await _near(link)
    silent = await link.impose(Kind.SILENT)
    writer.write(b"later")
    assert await _hears_nothing(reader)
    assert far.heard == b""
    await link.lift(silent)
    assert await _hears(reader, 5) == b"later"
    writer.close()


async def test_who_gave_up_on_a_silent_link_never_reaches_the_other_side(link: LinkProxy, far: Far) -> None:
    silent = await link.impose(Kind.SILENT)
    _, writer = await _near(link)
    writer.write(b"hello")
    writer.close()
    await writer.wait_closed()
    await link.lift(silent)
    await asyncio.sleep(_SOON_S)
    assert far.connections == 0


async def test_on_a_one_way_link_the_county_hears_and_is_not_heard(link: LinkProxy, far: Far) -> None:
    reader, writer = await _near(link)
    one_way = await link.impose(Kind.ONE_WAY_UP)
    writer.write(b"up")
    assert await _hears_nothing(reader)
    assert far.heard == b"up"
    await link.lift(one_way)
    assert await _hears(reader, 2) == b"up"
    writer.close()


async def test_two_silences_end_with_the_later_one(link: LinkProxy) -> None:
    reader, writer = await _near(link)
    first, second = await link.impose(Kind.SILENT), await link.impose(Kind.ONE_WAY_UP)
    writer.write(b"x")
    await link.lift(first)
    assert await _hears_nothing(reader)
    await link.lift(second)
    assert await _hears(reader, 1) == b"x"
    writer.close()


async def test_a_torn_packet_arrives_in_part_and_the_connection_is_reset(link: LinkProxy, far: Far) -> None:
    reader, writer = await _near(link)
    torn = await link.impose(Kind.TORN)
    writer.write(b"0123456789")
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    await link.lift(torn)
    assert far.heard == b"01234"


async def test_a_slow_link_needs_its_time(link: LinkProxy) -> None:
    reader, writer = await _near(link)
    await link.impose(Kind.RATE, amount=20_000)
    began_s = monotonic()
    writer.write(bytes(6000))
    await _hears(reader, 6000)
    assert monotonic() - began_s >= 0.28
    writer.close()


async def test_a_lossy_link_stalls_and_loses_nothing(link: LinkProxy) -> None:
    reader, writer = await _near(link)
    lossy = await link.impose(Kind.LOSS, amount=1.0)
    writer.write(bytes(3000))
    assert await _hears_nothing(reader)
    await link.lift(lossy)
    assert await _hears(reader, 3000) == bytes(3000)
    writer.close()


async def test_a_link_that_resets_does_so_to_each_new_connection(link: LinkProxy, far: Far) -> None:
    await link.impose(Kind.RESET)
    for _ in range(2):
        reader, writer = await _near(link)
        writer.write(b"hello")
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
    assert far.heard == b""
