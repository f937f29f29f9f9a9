"""What every route gets: the desk, the staff book, the clock, the change stream, how this county is set and hears."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from kanhu.cloud.desk.model import Both, Desk
from kanhu.cloud.nameless.model import NamelessDesk
from kanhu.cloud.staff.book import Staff
from kanhu.cloud.stream import ChangeStream
from kanhu.contract import Clock


class Transport(StrEnum):
    """How browsers reach this service: decides the cookie's name and flag."""

    HTTP = "http"
    HTTPS = "https"


@dataclass(frozen=True, slots=True)
class Settings:
    """What routes and pages need to know of the settings."""

    transport: Transport = Transport.HTTP
    heartbeat_s: float = 15.0
    """Pause between two beats of the change stream."""
    undo_s: float = 10.0
    """How long an own claim can be given back without a trace on the board."""


@dataclass(frozen=True, slots=True)
class Services:
    """Handed to `create_app`; handlers find it as `request.app.state.services`."""

    desk: Desk
    nameless: NamelessDesk
    staff: Staff
    clock: Clock
    stream: ChangeStream
    timezone: ZoneInfo
    county: Both
    broker: Callable[[], str]
    """How the link to the broker is, as the equipment page says it: a state, and after a colon what is wrong."""
    settings: Settings = Settings()
