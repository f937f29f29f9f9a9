"""A link that loses real packets: TCP goes on across it, and the share that is lost is the one asked for."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from kanhu.harness.conform.lossy_link import COUNTY_ADDRESS, LossyLink
from kanhu.harness.faults.errors import CannotBeHad
from kanhu.harness.ports import free_port


@pytest.fixture
async def link() -> AsyncIterator[LossyLink]:
    """An open link to an echo on loopback; skipped by name where this machine has none."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(data)
        writer.close()

    port = free_port()
    server = await asyncio.start_server(echo, "127.0.0.1", port)
    try:
        async with LossyLink(port, "seed") as made:
            yield made
    except CannotBeHad as error:
        pytest.skip(str(error))
    finally:
        server.close()


async def test_bytes_cross_a_link_that_loses_packets(link: LossyLink) -> None:
    program = (
        "import socket, sys\n"
        f"link = socket.create_connection(({COUNTY_ADDRESS!r}, {link.county_port}), timeout=20)\n"
        "for number in range(40):\n"
        "    word = b'reading %4d' % number\n"
        "    link.sendall(word)\n"
        "    assert link.recv(100) == word\n"
    )
    link.share = 0.1
    process = await asyncio.create_subprocess_exec(*link.prefix, "python3", "-c", program)
    assert await asyncio.wait_for(process.wait(), 60) == 0
    assert 0 < link.lost < link.packets


async def test_a_gateway_inside_sees_no_other_network(link: LossyLink) -> None:
    program = "import socket; socket.create_connection(('127.0.0.1', 22), timeout=2)"
    process = await asyncio.create_subprocess_exec(
        *link.prefix, "python3", "-c", program, stderr=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() != 0


async def test_readings_reach_a_program_inside_and_come_out_of_it(link: LossyLink) -> None:
    outside = free_port()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", outside)
    await link.offer_inside(outside)
    program = (
        "import socket\n"
        f"link = socket.create_connection(('127.0.0.1', {outside}), timeout=10)\n"
        "link.sendall(b'hello\\n')\n"
        "assert link.recv(100) == b'hello\\n'\n"
    )
    process = await asyncio.create_subprocess_exec(*link.prefix, "python3", "-c", program)
    assert await asyncio.wait_for(process.wait(), 20) == 0
    server.close()
