"""Read a serial device through pyserial, and open it again whenever it is gone.

    closed --opened--> quiet --bytes--> streaming --pause--> quiet
       ^                 |                  |
       +----back-off-----+--unplugged-------+

What the receiver answers is written before more is read. A port that takes nothing of it is closed, opened again, and
the device repeats what was not answered.

Bytes are read in batches: the first one wakes the loop, which then lets the kernel gather for a fifth of a second, so
that a stream of 60 packets a second costs five wake-ups. A port is asked for no modem line, and none is needed: a
pseudo-terminal refuses them, and pyserial lets that pass.
"""

import asyncio
import logging
import os
import termios
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import serial
from serial.tools import list_ports

from kanhu.contract import Clock
from kanhu.edge.ending import to_the_end
from kanhu.edge.errors import LinkLost, LinkReason
from kanhu.edge.transports.back_off import BackOff
from kanhu.edge.ways import SerialReceiver, SerialSettings

USB = "usb:"
"""A port is named by what follows, the serial number of its USB adapter."""

_log = logging.getLogger(__name__)

# Adds at most this to the age of a reading of ten seconds; 60 bytes at 4800 baud, far below the kernel's 4096.
GATHER_S = 0.2
_READ_BYTES = 4096
# A replugged adapter may keep the old descriptor silent for ever; so often its path is compared with what is open.
_CHECK_S = 30.0
WRITE_S = 5.0
"""A port that takes nothing for so long is stuck; project choice: at 9600 baud a second is a thousand bytes."""
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 10.0


async def read_serial(
    path: str, receiver: SerialReceiver, *, settings: SerialSettings, pauses_s: Sequence[float], clock: Clock
) -> NoReturn:
    """Read one port until cancelled; the receiver is told of a silence after each of these waits, one by one."""
    back_off = BackOff(first_s=_FIRST_WAIT_S, longest_s=_LONGEST_WAIT_S)
    while True:
        try:
            port = _open(_path(path), settings)
            talk = _Talk(port, settings, clock)
            try:
                receiver.opened()
                await _read_open(port, receiver, pauses_s=pauses_s, back_off=back_off, talk=talk, clock=clock)
            except asyncio.CancelledError:
                with suppress(LinkLost):
                    await receiver.received(_read(port.fileno()))  # what arrived is received
                raise
            finally:
                talk.end()
                port.close()
        except LinkLost as lost:
            _log.info("%s: %s", path, lost)
            await receiver.lost(lost.reason, lost.detail)
        await clock.sleep(back_off.next_s())


def _path(port: str) -> str:
    """Where a port is; one that is named by the serial number of its USB adapter may be plugged in anywhere."""
    if not port.startswith(USB):
        return port
    wanted = port.removeprefix(USB)
    found = {one.serial_number: one.device for one in list_ports.comports() if one.serial_number}
    if wanted not in found:
        there = ", ".join(sorted(found)) or "none"
        raise LinkLost(LinkReason.OPEN_FAILED, f"no USB adapter with serial number {wanted}; there are {there}")
    path: str = found[wanted]
    return path


def _open(path: str, settings: SerialSettings) -> Any:
    # A pseudo-terminal has no parity, and glibc refuses a setting that would change nothing else: so says the second
    # process that opens one.
    parity = serial.PARITY_NONE if Path(path).resolve().is_relative_to("/dev/pts") else settings.parity
    try:
        return serial.Serial(path, settings.baud, parity=parity, timeout=0, exclusive=True)
    except (OSError, termios.error) as error:  # pyserial's own error is an OSError
        raise LinkLost(LinkReason.OPEN_FAILED, str(error)) from error


class _Talk:
    """What is written to a device that tells nothing by itself; does nothing for any other."""

    def __init__(self, port: Any, settings: SerialSettings, clock: Clock) -> None:
        self.streaming = False
        self._port = port
        self._settings = settings
        self._clock = clock
        asked = bool(settings.hello or settings.keep_alive)
        self._task = asyncio.create_task(self._keep_talking(), name="serial talk") if asked else None

    def end(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _keep_talking(self) -> NoReturn:
        while True:
            words = self._settings.keep_alive if self.streaming else self._settings.hello
            with suppress(OSError):  # full, or gone: the reader notices, and it is written again
                os.write(self._port.fileno(), words)
            await self._clock.sleep(self._settings.every_s)


async def _read_open(
    port: Any, receiver: SerialReceiver, *, pauses_s: Sequence[float], back_off: BackOff, talk: _Talk, clock: Clock
) -> NoReturn:
    waits_s: Sequence[float] = ()  # until the receiver is told of a silence
    while True:
        talk.streaming = len(waits_s) == len(pauses_s)
        if await _readable(port.fileno(), timeout_s=waits_s[0] if waits_s else _CHECK_S):
            await clock.sleep(GATHER_S)
            data = _read(port.fileno())
            if not data:
                raise LinkLost(LinkReason.UNPLUGGED, "the port reports its end")
        else:
            # This process may itself have been held up for the whole wait: only an empty port was silent.
            data = _read(port.fileno())
        if data:
            waits_s = pauses_s
            back_off.reset()
            await _write(port.fileno(), await to_the_end(receiver.received(data)))
            continue
        if waits_s:
            waits_s = waits_s[1:]
            await _write(port.fileno(), await receiver.paused())
        _check_path(port)


async def _readable(descriptor: int, *, timeout_s: float) -> bool:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        return await _within(ready, timeout_s)
    finally:
        loop.remove_reader(descriptor)


async def _writable(descriptor: int, *, timeout_s: float) -> bool:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(descriptor, ready.set)
    try:
        return await _within(ready, timeout_s)
    finally:
        loop.remove_writer(descriptor)


async def _within(ready: asyncio.Event, timeout_s: float) -> bool:
    try:
        async with asyncio.timeout(timeout_s):
            await ready.wait()
    except TimeoutError:
        return False
    return True


async def _write(descriptor: int, words: bytes) -> None:
    left = words
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:
            if not await _writable(descriptor, timeout_s=WRITE_S):
                detail = f"the port took nothing of {len(left)} bytes for {WRITE_S:g} s"
                raise LinkLost(LinkReason.TIMED_OUT, detail) from None
        except OSError as error:
            raise LinkLost(LinkReason.UNPLUGGED, str(error)) from error


def _read(descriptor: int) -> bytes:
    """What is there; empty where nothing is, and at the end of a port that is gone."""
    try:
        return os.read(descriptor, _READ_BYTES)
    except BlockingIOError:
        return b""
    except OSError as error:
        raise LinkLost(LinkReason.UNPLUGGED, str(error)) from error


def _check_path(port: Any) -> None:
    opened = os.fstat(port.fileno())
    try:
        named = Path(port.name).stat()
    except OSError as error:
        raise LinkLost(LinkReason.UNPLUGGED, str(error)) from error
    if (named.st_dev, named.st_ino) != (opened.st_dev, opened.st_ino):
        raise LinkLost(LinkReason.REPLACED, f"{port.name} is another device now")
