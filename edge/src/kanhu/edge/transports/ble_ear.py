"""The ear of a Bluetooth radio: scanning that is begun anew where it may have gone deaf, or has to repeat itself.

BlueZ lets the controller report an unchanged advertisement once in a scan, and begins a new scan about every ten
seconds. A device has to be heard once more after BlueZ was asked to connect, so on a controller that takes that
strictly it would be connected to after ten seconds or, where the attempt is given up sooner, never; and one that was
lost would be found again as late. A pause of scanning while connecting helps as well, and is often made; but a help
button would not be heard in it.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from bleak import BleakScanner
from bleak.exc import BleakError

from kanhu.contract import Clock
from kanhu.edge.ending import obey_cancellation
from kanhu.edge.errors import LinkLost, LinkReason

__all__ = ["Ear"]

_log = logging.getLogger(__name__)

_START_S = 10.0
_STOP_S = 2.0
# A radio that hears nothing at all for so long may be deaf: scanning is started again. Also while it holds links, for
# those say nothing of its ear, and a help button is only ever heard.
_DEAF_S = 300.0
# Most devices advertise once or more often in that time, so that a scan hears something before the next.
_REPEAT_S = 1.0
# While a controller connects it may refuse to scan; an attempt lasts at most so many repeats.
_MOST_REFUSALS = 10


class Ear:
    """One scan after the other."""

    def __init__(self, scanner: BleakScanner, *, clock: Clock) -> None:
        """Begin with `open`."""
        self._scanner = scanner
        self._clock = clock
        self._heard_ns = clock.mono_ns()
        self._turn = asyncio.Lock()
        self._wanted = asyncio.Event()
        self._waiting = 0
        self._once = False

    def hears(self) -> None:
        """Something was heard."""
        self._heard_ns = self._clock.mono_ns()

    async def open(self) -> None:
        """Scan.

        Raises:
            LinkLost: the radio does not.
        """
        try:
            async with asyncio.timeout(_START_S):
                await self._scanner.start()
        except (BleakError, OSError, TimeoutError, EOFError) as error:
            raise LinkLost(LinkReason.RADIO_LOST, str(error) or type(error).__name__) from error

    async def close(self) -> None:
        """Stop scanning, if the radio still listens to that."""
        with suppress(BleakError, OSError, TimeoutError, EOFError):
            async with asyncio.timeout(_STOP_S):
                await self._scanner.stop()

    async def again_when_deaf(self, minutes_passed: Callable[[], None]) -> NoReturn:
        """Scan anew after a long silence; `minutes_passed` is called every few minutes.

        Raises:
            LinkLost: the radio does not scan any more.
        """
        while True:
            await self._clock.sleep(_DEAF_S)
            minutes_passed()
            if self._clock.mono_ns() - self._heard_ns > _DEAF_S * 1e9:
                _log.info("radio: nothing heard for %d s, scanning again", _DEAF_S)
                await self._again()

    async def again_when_wanted(self) -> NoReturn:
        """Scan anew, once or again and again, where somebody waits for what was heard already.

        Raises:
            LinkLost: the radio does not scan any more.
        """
        refusals = 0
        while True:
            if not refusals:
                await self._wanted.wait()
            await self._clock.sleep(_REPEAT_S)
            if not self._wanted.is_set() and not refusals:
                continue
            self._once = False
            self._settle()
            try:
                await self._again()
                refusals = 0
            except LinkLost:
                refusals += 1
                if refusals > _MOST_REFUSALS:
                    raise

    def repeat(self) -> None:
        """Let what was heard already be heard once more, where `again_when_wanted` runs."""
        self._once = True
        self._settle()

    @contextmanager
    def repeating(self) -> Iterator[None]:
        """Inside, the same again and again."""
        self._waiting += 1
        self._settle()
        try:
            yield
        finally:
            self._waiting -= 1
            self._settle()

    def _settle(self) -> None:
        if self._once or self._waiting:
            self._wanted.set()
        else:
            self._wanted.clear()

    async def _again(self) -> None:
        async with self._turn:
            await self.close()
            await self.open()
        obey_cancellation()
