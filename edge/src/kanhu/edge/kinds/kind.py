"""What has to be said of a kind of device, by the way it is reached. No library of a transport is needed to say it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs.advertised import Advertisement, Quantity
from kanhu.edge.ways import GattTarget, Heard, SerialReceiver, SerialSettings

if TYPE_CHECKING:
    from kanhu.edge.intake import Intake
    from kanhu.edge.peers import HeardPeer

__all__ = [
    "AskedKind",
    "ButtonKind",
    "ConnectedKind",
    "DecodeHeard",
    "HeardKind",
    "Kind",
    "Observe",
    "PeerKind",
    "SerialKind",
    "StreamedKind",
    "Told",
    "in_manufacturer_data",
    "in_service_data",
]


class Observe(Protocol):
    """One frame becomes one reading, or several of different metrics."""

    def __call__(
        self, frame: bytes, *, subject: Subject, device: str, times: Times
    ) -> Observation | tuple[Observation, ...]:
        """Raises DecodeError where it cannot."""


class Told(NamedTuple):
    """What one advertisement told."""

    values: tuple[Quantity, ...]
    packet: int | None = None
    """The same again is a repeat, where the device numbers what it says."""
    sealed: bool = False
    """The key of the device opened it; else anybody may have sent it."""
    counter: int | None = None
    """Of a sealed frame, if it never comes back to a number; what is lower is an old frame sent again."""


SILENT_S = 3600.0
"""Of a sensor that speaks every few seconds or minutes; project choice: walls and people hide one for minutes."""


class DecodeHeard(Protocol):
    """One advertisement becomes quantities."""

    def __call__(self, heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
        """None where nothing in it is of this kind; raises DecodeError where that cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What every kind has."""

    name: str
    """As in settings, and as the page in docs/devices is called."""
    zh: str
    en: str
    of_place: bool = False
    """It may belong to a place instead of a person."""
    measures: bool = True
    """False: it says who is there, and no reading comes of it."""
    key_bytes: frozenset[int] = frozenset()
    """How long its key may be; none where it encrypts nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialKind(Kind):
    """It talks on a serial port."""

    settings: SerialSettings
    pause_s: float
    """Silence after which the receiver is told that the device paused."""
    over_s: float | None = None
    """Longer silence after which it is told once more, because a device that waits for answers gives up."""
    receiver: "Callable[[Intake], SerialReceiver]"
    """Made once a device."""

    @property
    def pauses_s(self) -> tuple[float, ...]:
        """How long to wait each time until the receiver is told of a silence that goes on."""
        return (self.pause_s,) if self.over_s is None else (self.pause_s, self.over_s - self.pause_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedKind(Kind):
    """It is connected to when it is heard; each value of one characteristic is one reading."""

    target: GattTarget
    observe: Observe
    reading_takes_s: float | None
    """Each reading is a session of its own and takes at least so long; None: a session lasts as long as the link."""
    has_clock: bool
    """Its clock is compared, and set where the time is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerKind(Kind):
    """The radio meets it as a peer of its own."""

    peer: "Callable[[Intake], HeardPeer]"
    """Made once a device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonKind(PeerKind):
    """It calls for help by an advertisement, and is never connected to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedKind(PeerKind):
    """It is connected to, and has to be asked for what it keeps, or told to begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamedKind(PeerKind):
    """It is connected to, and many values of one characteristic make one reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardKind(Kind):
    """It tells by advertisement what it senses, over and over, and is never connected to."""

    decode: DecodeHeard
    silent_s: float | None = None
    """It speaks all the time; not heard for so long it is silent. None: silence says nothing of it."""
    calls: bool = False
    """Its button calls for help; of a sensor with a button, the button is for whoever fits it."""


def in_service_data(uuid: str, decode: Callable[[bytes], Advertisement]) -> DecodeHeard:
    """What plain service data of this UUID tells."""

    def decode_heard(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
        del key, address  # it needs neither
        frame = heard.service_data.get(uuid)
        return None if frame is None else _told(decode(frame))

    return decode_heard


def in_manufacturer_data(company: int, decode: Callable[[bytes], Advertisement]) -> DecodeHeard:
    """What plain data of this company tells."""

    def decode_heard(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
        del key, address  # it needs neither
        frame = heard.manufacturer_data.get(company)
        return None if frame is None else _told(decode(frame))

    return decode_heard


def _told(found: Advertisement) -> Told:
    return Told(found.values, found.packet)
