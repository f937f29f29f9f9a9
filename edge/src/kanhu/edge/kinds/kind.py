"""What has to be said of a kind of device, by the way it is reached. No library of a transport is needed to say it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.ways import GattTarget, SerialReceiver, SerialSettings

if TYPE_CHECKING:
    from kanhu.edge.intake import Intake
    from kanhu.edge.peers import HeardPeer

__all__ = ["ButtonKind", "ConnectedKind", "Kind", "Observe", "SerialKind"]


class Observe(Protocol):
    """One frame becomes one reading."""

    def __call__(self, frame: bytes, *, subject: Subject, device: str, times: Times) -> Observation:
        """Raises DecodeError where it cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What every kind has."""

    name: str
    """As in settings, and as the page in docs/devices is called."""
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialKind(Kind):
    """It talks on a serial port."""

    settings: SerialSettings
    pause_s: float
    """Silence after which the receiver is told that the device paused."""
    receiver: "Callable[[Intake], SerialReceiver]"
    """Made once a device."""


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
class ButtonKind(Kind):
    """It calls for help by an advertisement, and is never connected to."""

    peer: "Callable[[Intake], HeardPeer]"
    """Made once a device."""
