"""What a device is to a gateway: its kind, the way to it, whom it measures, and where its readings go."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec

from kanhu.contract import Observation, Waveform
from kanhu.edge.errors import DeviceRefused, KindUnusable, LinkReason
from kanhu.edge.kinds import ButtonKind, Kind, SerialKind, find_kind, kind_names

_MAX_ID = 64  # leaves room for the session that is written behind it
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_ADDRESS = re.compile(r"(?:[0-9A-F]{2}:){5}[0-9A-F]{2}")


class FinePress(StrEnum):
    """A way of pressing a help button that says something else than a call; a single press always calls."""

    DOUBLE = "double"
    LONG = "long"


class DeviceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One device. Without a subject or a bed it is shared: it measures the person chosen before, or nobody known."""

    id: str
    kind: str
    """Name of one of `kinds.kind_names`."""
    port: str | None = None
    """Path of a serial device, or `usb:` and the serial number of its adapter, wherever that is plugged in."""
    address: str | None = None
    """Bluetooth identity address, `AA:BB:CC:DD:EE:FF`."""
    subject: str | None = None
    """Pseudonym of the one person it measures."""
    bed: str | None = None
    """Bed it belongs to: it measures who lies there."""
    dwelling: str | None = None
    """Place that a help button or a sensor belongs to where it belongs to nobody: somebody there needs help."""
    key: str | None = None
    """What it encrypts with, in hexadecimal digits. A secret: it never appears in a message or a log."""
    fine: FinePress | None = None
    """How a call by this help button is taken back; None: every press is a call."""
    well: FinePress | None = None
    """How the daily sign of wellbeing is given by it."""
    dose: FinePress | None = None
    """How it is said that a dose of medicine was taken."""

    def __post_init__(self) -> None:
        """Raise DeviceRefused where the fields contradict each other."""
        if not 0 < len(self.id) <= _MAX_ID:
            raise DeviceRefused(self.id, "id", f"give it 1 to {_MAX_ID} characters")
        try:
            kind = find_kind(self.kind)
        except KindUnusable as error:
            raise DeviceRefused(self.id, "kind", error.detail) from error
        if kind is None:
            raise DeviceRefused(self.id, "kind", f"{self.kind[:_MAX_ID]!r} is none of {', '.join(kind_names())}")
        if isinstance(kind, SerialKind):
            if not self.port:
                raise DeviceRefused(self.id, "port", "name the serial device, such as /dev/ttyUSB0")
            if self.address is not None:
                raise DeviceRefused(self.id, "address", "remove it: this kind is read from a port")
        else:
            if self.port is not None:
                raise DeviceRefused(self.id, "port", "remove it: this kind is read by Bluetooth")
            if self.address is None or not _ADDRESS.fullmatch(self.address.upper()):
                raise DeviceRefused(self.id, "address", "give its Bluetooth address, such as F0:0D:00:00:00:03")
        self._check_whose(kind)
        is_button = isinstance(kind, ButtonKind)
        self._check_key(kind)
        if self.fine is not None and not is_button:
            raise DeviceRefused(self.id, "fine", "remove it: only a help button can take a call back")
        self._check_ways(is_button=is_button)

    def _check_whose(self, kind: Kind) -> None:
        if self.bed is not None and self.subject is not None:
            raise DeviceRefused(self.id, "bed", "remove it, or the resident: a bed says by itself who lies there")
        if not kind.measures and (self.bed is not None or self.subject is not None):
            field = "bed" if self.subject is None else "subject"
            raise DeviceRefused(self.id, field, "remove it: this kind says who is there, and measures nobody")
        if self.dwelling is not None and (not kind.of_place or self.subject is not None):
            raise DeviceRefused(
                self.id, "dwelling", "remove it: only a help button or a sensor of nobody belongs to a place"
            )

    def _check_key(self, kind: Kind) -> None:
        if self.key is None:
            return
        if not kind.key_bytes:
            raise DeviceRefused(self.id, "key", "remove it: this kind encrypts nothing")
        if not _HEX.fullmatch(self.key) or len(self.key) // 2 not in kind.key_bytes:
            lengths = " or ".join(str(2 * count) for count in sorted(kind.key_bytes))
            raise DeviceRefused(self.id, "key", f"give its key as {lengths} hexadecimal digits")

    @property
    def key_bytes(self) -> bytes | None:
        """The key."""
        return None if self.key is None else bytes.fromhex(self.key)

    def _check_ways(self, *, is_button: bool) -> None:
        ways = {"fine": self.fine, "well": self.well, "dose": self.dose}
        for field in ("well", "dose"):
            if ways[field] is not None and (not is_button or self.subject is None):
                raise DeviceRefused(self.id, field, "remove it: only the help button of one person can say this")
        said = [way for way in ways.values() if way is not None]
        if len(said) != len(set(said)):
            raise DeviceRefused(self.id, "well", "let fine, well and dose be different ways of pressing")


class RadioConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which Bluetooth radio to use; without a Bumble transport it is the system's own, by BlueZ."""

    bumble: str | None = None
    """A Bumble transport, such as `tcp-client:127.0.0.1:40001` or `usb:0`."""
    adapter: str | None = None
    """Name of a BlueZ adapter, such as `hci1`; None is the first."""


LocalTime = Callable[[], tuple[int, int] | None]
"""The people's local time now, known to lie between these milliseconds, as if it were UTC; None where nobody knows."""


def unknown_time() -> None:
    """What a gateway says whose clock nobody has set."""


class DeviceSeen(msgspec.Struct, frozen=True):
    """A device as its transport sees it at this moment; counters run since the process began."""

    device: str
    kind: str
    connected: bool
    """Its port is open, its connection stands, or it was heard since the radio came up."""
    reason: LinkReason
    detail: str = ""
    battery_percent: int | None = None
    links: int = 0
    """How often the way to it was opened."""
    bad_bytes: int = 0
    """Bytes that belonged to no packet."""
    repeats: int = 0
    """Advertisements that repeated a known event."""
    clock_error_s: int | None = None
    """How far its own clock was off when last read, ahead counts positive; None where nobody could tell."""
    clock_corrected_s: int | None = None
    """The error it had before its clock was last set; 0 where that could not be read, None where it was never set."""


class Sink(Protocol):
    """Where readings go. Each reading a device sent ends in exactly one call of `accept` or `refuse`."""

    async def accept(self, observation: Observation) -> bool:
        """Return True only once the reading is committed; its quality is what the device and the codec know.

        False: nothing could keep it, and it is counted as refused. A device that still has it is to send it again.
        """

    async def refuse(self, device: str, reason: str, detail: str) -> None:
        """Return only once the refusal is counted; `reason` is a `DecodeReason` value."""

    def device_seen(self, seen: DeviceSeen) -> None:
        """Keep the latest state of a device; called when it changes."""


class Stretch(NamedTuple):
    """Some seconds of one signal of one device, whole: no sample is missing in it and none was added."""

    waveforms: tuple[Waveform, ...]
    """One, or one an axis with the same times; the rate is the one measured by the device's own clock."""
    joins: bool
    """It goes on where the stretch before it of the same signal ended; else samples are missing in between."""


class Signals(Protocol):
    """Who looks at signals. They are many bytes, so nothing keeps them unless this does."""

    def take(self, stretch: Stretch) -> tuple[Observation, ...]:
        """What is found in it: readings of the device, taken as any other. Called in order, and soon after it ended."""


class Memory(Protocol):
    """What is known of devices over a restart: whole numbers by name, such as the last counter of a sealed frame."""

    async def recall(self) -> Mapping[str, Mapping[str, int]]:
        """All that is kept, by device."""

    async def keep(self, device: str, notes: Mapping[str, int]) -> None:
        """Return once these are committed, or it is known that they cannot be: then a restart knows less."""


class Forgetful:
    """Remembers nothing."""

    async def recall(self) -> Mapping[str, Mapping[str, int]]:
        """Nothing."""
        return {}

    async def keep(self, device: str, notes: Mapping[str, int]) -> None:
        """Forget it."""
