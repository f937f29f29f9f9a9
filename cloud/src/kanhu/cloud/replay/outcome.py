"""What a replay writes down, one JSON line each: alerts with everything that was told, decisions, and the account.

Whoever compares reads this file and nothing else of the judge, so that any version, or any other judge, can be
compared with any other.
"""

from collections.abc import Iterable, Iterator
from typing import Annotated

import msgspec

from kanhu.cloud.errors import OutcomeRefused
from kanhu.contract import Priority

__all__ = ["Alert", "Counts", "Line", "Told", "read_outcome"]

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Moment = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)]
"""Unix milliseconds, true time, up to the end of the year 9999."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One moment at which an alert called for a person anew: it opened, rose, came back, or called again."""

    at_ms: _Moment
    """When the county told, true time."""
    own_ms: int
    """When it happened by the finding's own time."""
    priority: Priority
    """As it counted here and now."""
    reason: str
    late: bool = False
    held_until_ms: _Moment | None = None
    """Medium at night: shown at once, sounded in the morning."""
    claimed_ms: _Moment | None = None
    """First claim after it; None where nobody took it."""


class Alert(msgspec.Struct, frozen=True, kw_only=True, tag="alert"):
    """One alert from first to last."""

    alert: str
    village: str
    gateway: str
    """Where its subject lives, else who found it."""
    subject: str
    rule: str
    rule_version: str
    priority: Priority
    """The highest it had."""
    told: tuple[Told, ...]
    ended_ms: _Moment | None = None
    """When the condition last ended."""
    closed_ms: _Moment | None = None
    closed_by: str = ""
    outcome: str = ""
    level: _Count = 0
    """Highest step of the escalation ladder that was reached."""


class Counts(msgspec.Struct, frozen=True, kw_only=True, tag="counts"):
    """The account of one village: what came in and what was answered."""

    village: str
    readings: _Count
    """Of the recording, each number of an outbox once: stored + refused + owed, where nothing is lost."""
    stored: _Count
    """Of them, how many the ledger holds, each counted once."""
    duplicated: _Count
    """Records that the ledger holds a second time."""
    refused: _Count
    """Readings that the county would not take."""
    owed: _Count = 0
    """Readings that wait at a gateway for the end of a silence that the recording does not reach."""
    redelivered: _Count = 0
    """Records that came again, as after a lost receipt, and were recognised."""
    findings: _Count = 0
    """What gateways found and sent."""
    decisions: dict[str, int]
    """By `RULE.reason`."""
    stages: dict[str, int]
    """The county's own counters."""


Line = Alert | Counts

_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def read_outcome(lines: Iterable[bytes], *, place: str) -> Iterator[Line]:
    """Read it back.

    Raises:
        OutcomeRefused: a line that is neither.
    """
    for number, line in enumerate(lines, 1):
        try:
            yield _decoder.decode(line)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise OutcomeRefused(f"{place}, line {number}: {error}") from error
