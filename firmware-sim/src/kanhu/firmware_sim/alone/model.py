"""What has to be said of a simulated device, by the way it is reached."""

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from kanhu.firmware_sim.air import Delivery

__all__ = [
    "Advertiser",
    "Answer",
    "Asked",
    "Commanded",
    "Connected",
    "Conversing",
    "Model",
    "Moment",
    "OnALine",
    "Streaming",
    "Talk",
    "manufacturer_data",
    "service_data",
]

_SERVICE_DATA_16 = 0x16
_FLAGS = bytes([0x02, 0x01, 0x06])  # general discoverable, no classic Bluetooth


@dataclass(frozen=True, slots=True)
class Moment:
    """When a device says something, and what it draws from."""

    number: int
    """Counts from zero."""
    at: datetime
    """The device's own clock, which a fault may set wrong."""
    draw: random.Random
    address: bytes = bytes(6)
    key: bytes | None = None
    battery_percent: int = 80

    def around(self, middle: float, spread: float, *, step: str = "1") -> Decimal:
        """A value around the middle in whole steps."""
        return Decimal(round(self.draw.gauss(middle, spread) / float(step))) * Decimal(step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What every model has."""

    name: str
    """As the kind of device is called in the settings of a gateway."""
    about: str
    every_s: float
    """It says something so often, unless told otherwise."""
    takes_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OnALine(Model):
    """It talks on a serial line, also while nobody listens."""

    packet: Callable[[Moment], bytes]
    no_result: Callable[[Moment], bytes] | None = None
    """The same where it measured and has no result."""
    answer: Callable[[bytes], bytes] | None = None
    """What it sends back for what was written to it."""


Talk = Generator[bytes, bytes, bytes]
"""Yields each thing that it says and is sent the answer, `b""` for none; returns the last, which wants no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversing(Model):
    """It talks on a serial line, and goes on only with the answer to what it said."""

    talk: Callable[[Moment], Talk] = field(compare=False)
    no_result: Callable[[Moment], Talk] = field(compare=False)
    """The same where it measured and has no result."""
    patience_s: float
    """It waits so long for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected(Model):
    """It is connected to and sends one value a reading; without a subscriber the reading is lost."""

    service_uuid: int | str
    """Of the Bluetooth SIG its number; of a maker's own its 36 characters."""
    measurement_uuid: int | str
    delivery: Delivery
    value: Callable[[Moment], bytes]
    no_result: Callable[[Moment], bytes] | None = None
    """The same where it measured and has no result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Streaming(Connected):
    """Besides, it streams signals by Polar's measurement service when it is asked."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device says to one question: values of its measurement, then one of its control point."""

    values: tuple[bytes, ...]
    control: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Model):
    """It keeps what it measures and tells it when it is asked."""

    service_uuid: int | str
    """Of the Bluetooth SIG its number; of a maker's own its 36 characters."""
    measurement_uuid: int | str
    control_uuid: int
    measure: Callable[[Moment], None] = field(compare=False)
    """Add one record to its memory."""
    answer: Callable[[bytes], Answer] = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commanded(Model):
    """It is connected to, and sends each reading, in one value or several, once it was commanded to begin."""

    service_uuid: int | str
    """Of the Bluetooth SIG its number; of a maker's own its 36 characters."""
    measurement_uuid: int | str
    control_uuid: int
    delivery: Delivery
    begin: bytes
    """The command; it holds as long as the link."""
    values: Callable[[Moment], tuple[bytes, ...]] = field(compare=False)
    answer: Callable[[bytes], bytes] = field(compare=False)
    """What its control point says to a command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advertiser(Model):
    """It is only heard."""

    advertisement: Callable[[Moment], bytes]
    times: int = 5
    """It repeats each advertisement so often."""


def service_data(uuid: int, data: bytes) -> bytes:
    """Advertising data with flags and service data of a 16-bit UUID."""
    body = bytes([_SERVICE_DATA_16]) + uuid.to_bytes(2, "little") + data
    return _FLAGS + bytes([len(body)]) + body


def manufacturer_data(company: int, data: bytes) -> bytes:
    """Advertising data with flags and data of a company."""
    body = b"\xff" + company.to_bytes(2, "little") + data
    return _FLAGS + bytes([len(body)]) + body
