"""A link that loses packets: two network name spaces, a tunnel device in each, and a wire that drops at random.

Both ends are the kernel's own TCP, so it retransmits, backs off and gives up as it does in the field; the wire is this
process, which moves packets from one tunnel to the other and forgets some. Needs root and /dev/net/tun, and no packet
scheduler, no firewall and no program. A gateway lives in one name space; what it reaches in the other is carried on
to a port of loopback, and the port at which it listens for readings is reached from loopback likewise.
"""

import asyncio
import ctypes
import fcntl
import os
import random
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Self, TypeVar

from kanhu.harness.faults.errors import CannotBeHad

__all__ = ["COUNTY_ADDRESS", "LossyLink"]

COUNTY_ADDRESS = "10.77.0.1"
_GATEWAY_ADDRESS = "10.77.0.2"
_NETMASK = "255.255.255.252"
_LOOPBACK = "lo"
_DEVICE = "kanhu0"
_PORT = 1883

_CLONE_NEWNET = 0x40000000  # sched.h
_TUNSETIFF = 0x400454CA  # linux/if_tun.h
_IFF_TUN_NO_PI = 0x0001 | 0x1000
_SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK = 0x8914, 0x8916, 0x891C  # linux/sockios.h
_IFF_UP_RUNNING = 0x1 | 0x40
_PACKET_BYTES = 65_536
_CHUNK_BYTES = 16_384

_libc = ctypes.CDLL(None, use_errno=True)
_Answer = TypeVar("_Answer")
_Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@dataclass(slots=True)
class _Space:
    """One name space, held open by a file descriptor, and the tunnel in it."""

    handle: int
    tunnel: int


@dataclass(slots=True)
class LossyLink:
    """Open while entered; `share` of the packets, either way, is lost while it is above 0."""

    to_port: int
    seed: str
    share: float = 0.0
    packets: int = 0
    """Carried or lost while there was a share to lose."""
    lost: int = 0
    _spaces: list[_Space] = field(default_factory=list)
    _servers: list[asyncio.Server] = field(default_factory=list)
    _carrying: set[asyncio.Task[None]] = field(default_factory=set)
    _draw: random.Random = field(default_factory=random.Random)

    async def __aenter__(self) -> Self:
        """Make both ends.

        Raises:
            CannotBeHad: this machine or this user cannot.
        """
        self._draw = random.Random(f"{self.seed}/packets")
        try:
            for address in (COUNTY_ADDRESS, _GATEWAY_ADDRESS):
                self._spaces.append(_in_thread(partial(_make_space, address)))
        except OSError as error:
            await self.__aexit__()
            raise CannotBeHad(
                "packet loss by name spaces", f"needs root and /dev/net/tun ({error.strerror})"
            ) from error
        county, gateway = self._spaces
        loop = asyncio.get_running_loop()
        loop.add_reader(county.tunnel, self._move, county.tunnel, gateway.tunnel)
        loop.add_reader(gateway.tunnel, self._move, gateway.tunnel, county.tunnel)
        listener = _inside(county, lambda: _listener(COUNTY_ADDRESS, _PORT))
        carry = self._carrier(partial(_connect_here, self.to_port))
        self._servers.append(await asyncio.start_server(carry, sock=listener))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Take both ends away; the kernel removes what was in them once their processes have ended."""
        loop = asyncio.get_running_loop()
        for server in self._servers:
            server.close()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying)
        for space in self._spaces:
            loop.remove_reader(space.tunnel)
            os.close(space.tunnel)
            os.close(space.handle)
        self._servers.clear()
        self._spaces.clear()

    @property
    def county_port(self) -> int:
        """Port of the county as the gateway sees it, at COUNTY_ADDRESS."""
        return _PORT

    @property
    def prefix(self) -> tuple[str, ...]:
        """What to put before a command so that it runs at the gateway's end."""
        return ("nsenter", f"--net=/proc/{os.getpid()}/fd/{self._spaces[1].handle}")

    async def offer_inside(self, port: int) -> None:
        """Let a program at the gateway's end reach a port of loopback here under the same number."""
        listener = _inside(self._spaces[1], lambda: _listener("127.0.0.1", port))
        self._servers.append(await asyncio.start_server(self._carrier(partial(_connect_here, port)), sock=listener))

    async def offer_outside(self, port: int) -> None:
        """Let programs here reach a port at the gateway's end under the same number of loopback."""
        space = self._spaces[1]

        async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
            made = _inside(space, socket.socket)
            made.setblocking(False)
            try:
                await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
            except OSError:
                made.close()
                raise
            return await asyncio.open_connection(sock=made)

        self._servers.append(await asyncio.start_server(self._carrier(connect), "127.0.0.1", port))

    def _carrier(self, connect: _Connect) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        """Serve a connection by carrying it on to another."""

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is not None:
                self._carrying.add(task)
                task.add_done_callback(self._carrying.discard)
            with suppress(OSError, asyncio.CancelledError):  # cancelled only where the link is taken away
                await _carry(reader, writer, connect)
            writer.close()

        return carry

    def _move(self, source: int, target: int) -> None:
        with suppress(OSError):  # the other end is gone, or its queue is full: a lost packet as well
            packet = os.read(source, _PACKET_BYTES)
            if self.share:
                self.packets += 1
                if self._draw.random() < self.share:
                    self.lost += 1
                    return
            os.write(target, packet)


def _in_thread(work: Callable[[], _Answer]) -> _Answer:
    """Do something in a thread of its own: a name space belongs to a thread, and this one must keep its own."""
    answers: list[_Answer] = []
    problems: list[OSError] = []

    def run() -> None:
        try:
            answers.append(work())
        except OSError as error:
            problems.append(error)

    thread = threading.Thread(target=run, name="name space")
    thread.start()
    thread.join()
    if problems:
        raise problems[0]
    return answers[0]


def _inside(space: _Space, work: Callable[[], _Answer]) -> _Answer:
    """Make a socket that belongs to a name space."""

    def entered() -> _Answer:
        _checked(_libc.setns(space.handle, _CLONE_NEWNET))
        return work()

    return _in_thread(entered)


def _make_space(address: str) -> _Space:
    _checked(_libc.unshare(_CLONE_NEWNET))
    handle = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)
    try:
        tunnel = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        os.close(handle)
        raise
    fcntl.ioctl(tunnel, _TUNSETIFF, struct.pack("16sH22x", _DEVICE.encode(), _IFF_TUN_NO_PI))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        _set_address(control, _SIOCSIFADDR, address)
        _set_address(control, _SIOCSIFNETMASK, _NETMASK)
        for name in (_DEVICE, _LOOPBACK):
            fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH22x", name.encode(), _IFF_UP_RUNNING))
    return _Space(handle, tunnel)


def _set_address(control: socket.socket, number: int, address: str) -> None:
    packed = struct.pack("16sHH4s16x", _DEVICE.encode(), socket.AF_INET, 0, socket.inet_aton(address))
    fcntl.ioctl(control, number, packed)


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _listener(host: str, port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((host, port))
    made.listen()
    made.setblocking(False)
    return made


async def _connect_here(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connect: _Connect) -> None:
    far_reader, far_writer = await connect()
    pumps = [
        asyncio.create_task(_pump(reader, far_writer), name="carry there"),
        asyncio.create_task(_pump(far_reader, writer), name="carry back"),
    ]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        far_writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
