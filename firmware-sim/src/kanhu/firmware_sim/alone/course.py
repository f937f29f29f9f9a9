"""The moments of a device that stands alone, and what its faults make of what it says."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from kanhu.contract.clock import Clock
from kanhu.firmware_sim.alone.model import Model, Moment
from kanhu.firmware_sim.devices.spoiler import Spoiler
from kanhu.firmware_sim.scenario.model import DeviceFault, Fault

__all__ = ["BATTERY_PERCENT", "LANDING_S", "LOOK_S", "LOW_BATTERY_PERCENT", "AloneFault", "Course", "Options", "Say"]

Say = Callable[[Mapping[str, object]], None]
"""Told of each step."""

LOOK_S = 0.05
LANDING_S = 0.5
"""What is on the air when a device leaves it may still arrive."""
LOW_BATTERY_PERCENT, BATTERY_PERCENT = 4, 80
_USUAL_WRONG_S = -3 * 86_400.0
_USUAL_SHARE = 0.2
_LONGEST_SLEEP_S = 0.5


class AloneFault(StrEnum):
    """How a device that stands alone fails, besides what it does to its messages (DeviceFault)."""

    NO_RESULT = "no_result"  # says that it measured and has none, in this share of its messages
    WRONG_CLOCK = "wrong_clock"  # so many seconds ahead
    LOW_BATTERY = "low_battery"
    DISCONNECTS = "disconnects"  # ends the link after this share of its messages


@dataclass(frozen=True, slots=True)
class Options:
    """How it is served."""

    address: str
    port: Path | None = None
    """Where a serial line is named."""
    hci_port: int = 0
    every_s: float | None = None
    count: int | None = None
    key: bytes | None = None
    seed: int = 1
    faults: tuple[tuple[str, float], ...] = ()
    """Names of DeviceFault or AloneFault, with an amount, 0 for the usual."""
    recordings: tuple[Path, ...] = ()
    """Signals to play, where it streams some."""


class Course:
    """The moments of one device, and what its faults make of them."""

    def __init__(self, model: Model, options: Options, *, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._every_s = model.every_s if options.every_s is None else options.every_s
        self._draw = random.Random(f"{options.seed}/{model.name}")
        self._fate = random.Random(f"{options.seed}/faults")
        self._amounts = dict(options.faults)
        own = [Fault(at_s=0, on="device alone", what=name, amount=amount) for name, amount in options.faults
               if name in set(DeviceFault)]  # fmt: skip  # a filter by rows
        self._spoiler = Spoiler(own, seed=str(options.seed))
        self._began_ns = clock.mono_ns()
        self._number = 0

    async def next(self) -> Moment | None:
        """The next moment, when it has come; None after the last."""
        if self._number == self._options.count:
            return None
        due_s = self._number * self._every_s + self.late_s
        while (left_s := due_s - (self._clock.mono_ns() - self._began_ns) / 1e9) > 0:
            await self._clock.sleep(min(left_s, _LONGEST_SLEEP_S))
        ahead = timedelta(seconds=self.ahead_s)
        low = AloneFault.LOW_BATTERY in self._amounts
        moment = Moment(
            number=self._number,
            at=(self._clock.now() + ahead).replace(microsecond=0),
            draw=self._draw,
            address=bytes.fromhex(self._options.address.replace(":", "")),
            key=self._options.key,
            battery_percent=LOW_BATTERY_PERCENT if low else BATTERY_PERCENT,
        )
        self._number += 1
        return moment

    @property
    def ahead_s(self) -> float:
        """How far its clock is ahead."""
        wrong_s = self._amounts.get(AloneFault.WRONG_CLOCK)
        return 0.0 if wrong_s is None else wrong_s or _USUAL_WRONG_S

    @property
    def late_s(self) -> float:
        """How much later than it should a message leaves."""
        return self._spoiler.delay_s(0.0)

    def happens(self, fault: AloneFault) -> bool:
        """Whether it befalls this message."""
        amount = self._amounts.get(fault)
        return amount is not None and self._fate.random() < (amount or _USUAL_SHARE)

    def messages(self, message: bytes) -> list[bytes]:
        """What leaves the device in its place."""
        return self._spoiler.messages(message, 0.0)
