"""What a transport is told about a device, and whom it tells what it heard. It needs no library of a transport."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from kanhu.edge.errors import LinkReason

__all__ = ["Asking", "BlePeer", "GattTarget", "Heard", "OwnClock", "SerialReceiver", "SerialSettings", "Write"]


class SerialSettings(NamedTuple):
    """How a device talks; 8 data bits, one stop bit, no flow control."""

    baud: int
    parity: str
    """`N`, `E` or `O`."""
    hello: bytes = b""
    """Written once the port is open, and again while the device is silent: it tells nothing before."""
    keep_alive: bytes = b""
    """Written while the device talks, or it falls silent."""
    every_s: float = 5.0
    """How often either is written."""


@dataclass(frozen=True, slots=True)
class GattTarget:
    """What to subscribe to on a device that is connected."""

    service_uuid: str
    characteristic_uuid: str
    quiet_s: float | None = None
    """A device that is silent for so long on a link that stands is connected to anew; None where silence is normal."""
    more_services: tuple[str, ...] = ()
    """Further services, whose characteristics are asked for; the device may lack them."""


class Heard(NamedTuple):
    """What one advertisement carried."""

    service_data: Mapping[str, bytes]
    """By UUID, written with 36 characters in lower case."""
    manufacturer_data: Mapping[int, bytes]
    """By company; there are devices that put data where the company belongs."""
    name: str | None = None

    def content(self) -> bytes:
        """All its data, to tell it from another."""
        return b"".join((*self.service_data.values(), *self.manufacturer_data.values()))


class OwnClock(Protocol):
    """Who knows the time, and is told about the device's own clock."""

    def local_time(self) -> tuple[int, int] | None:
        """The people's local time now, between these milliseconds; None where nobody knows."""

    def clock_read(self, error_s: int) -> None:
        """It was off by so much, ahead counts positive."""

    def clock_set(self, error_s: int | None) -> None:
        """It was set; before it was off by so much, None where that could not be read."""


Write = Callable[[str, bytes], Awaitable[None]]
"""Write a value to a characteristic of the linked device, named by its UUID; LinkLost where it has none."""


class Asking(Protocol):
    """What has to be asked of a connected device that does not tell all by itself: what it keeps, or to begin."""

    @property
    def also(self) -> tuple[str, ...]:
        """Further characteristics to subscribe to; one that the device lacks is left out."""

    def told(self, characteristic_uuid: str, value: bytes) -> None:
        """A value of one of these."""

    async def ask(self, write: Write) -> float:
        """Return once all is told, with the seconds after which to ask again on the same link.

        Raises:
            LinkLost: the device will not answer.
            TimeoutError: it fell silent.
        """


class BlePeer(Protocol):
    """One configured device, and who is told about it."""

    @property
    def address(self) -> str:
        """Identity address, upper case."""

    @property
    def target(self) -> GattTarget | None:
        """None for a device that only advertises."""

    @property
    def own_clock(self) -> OwnClock | None:
        """Who keeps the device's own clock right; None for a device without one."""

    @property
    def asking(self) -> Asking | None:
        """What is asked of it on each link; None for a device that tells by itself."""

    def advertised(self, heard: Heard) -> None:
        """It advertises."""

    def minutes_passed(self) -> None:
        """Called every few minutes while the radio is up; a device that is only heard may have fallen silent."""

    def notified(self, value: bytes) -> None:
        """A value of the target characteristic."""

    def battery(self, percent: int) -> None:
        """The battery service was read."""

    def linked(self, reason: LinkReason) -> None:
        """The way to the device is good, for this reason."""

    def unlinked(self, reason: LinkReason, detail: str) -> None:
        """The way to the device is gone; it will be tried again."""


class SerialReceiver(Protocol):
    """Who is told what a port gave, and says what is to be written back: for most devices nothing, `b""`."""

    def opened(self) -> None:
        """The port is open."""

    async def received(self, data: bytes) -> bytes:
        """Bytes, in order, seldom none; the next are read once the answer is written."""

    async def paused(self) -> bytes:
        """Nothing came for the pause after the last byte; said once, and once more where the kind says so."""

    async def lost(self, reason: LinkReason, detail: str) -> None:
        """The port could not be opened, or is gone; it will be tried again."""
