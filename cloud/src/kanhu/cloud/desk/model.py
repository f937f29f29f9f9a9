"""What the desk shows and does. Times are aware UTC; texts about findings come in both languages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from kanhu.contract import Priority, QualityLevel

LIVE_MINUTES = 10
"""A telephone call, or a visit (project choice); a gateway takes 30 at most (docs/spec/request.md)."""


class Role(StrEnum):
    """Staff roles, each bounded by a place and everything below it."""

    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"


class Outcome(StrEnum):
    """How an alert ended; clinical reference section 3."""

    TRUE_ACTION = "true_action"
    TRUE_NO_ACTION = "true_no_action"
    TRUE_REFERRAL = "true_referral"
    FALSE_TECHNIQUE = "false_technique"
    FALSE_DEVICE = "false_device"
    FALSE_ALGORITHM = "false_algorithm"
    TEST = "test"
    DUPLICATE = "duplicate"
    UNREACHABLE = "unreachable"


class ActResult(StrEnum):
    """Named answer to an act."""

    DONE = "done"
    REPLAYED = "replayed"
    TAKEN_BY_OTHER = "taken_by_other"
    NOT_OPEN = "not_open"
    NOT_YOURS = "not_yours"
    UNDO_TOO_LATE = "undo_too_late"
    OUTCOME_NOT_ALLOWED = "outcome_not_allowed"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Both:
    """One text in both languages."""

    zh: str
    en: str

    def of(self, language: str) -> str:
        """`zh…` gives Chinese, anything else English."""
        return self.zh if language.startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in member of staff; sees `place` and everything below it."""

    user: str
    name: str
    role: Role
    place: str


@dataclass(frozen=True, slots=True)
class Person:
    """A resident as staff see them."""

    id: str
    name: str
    sex: str
    """`f`, `m` or empty where not recorded."""
    age: int | None
    village: Both
    tags: tuple[str, ...]
    """Codes such as lives_alone, hypertension, diabetes, copd, heart_failure, disabled, discharged."""
    name_en: str = ""
    """Name in Latin letters, where the register has one."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Who took an alert, when, and when they look again."""

    user: str
    name: str
    at: datetime
    recheck_at: datetime


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One row of the board."""

    id: str
    revision: int
    priority: Priority
    rule: str
    subject: str
    """Pseudonym of the resident, or id of the gateway or dwelling."""
    person: Person | None
    """None for a gateway or dwelling without a resident."""
    title: Both
    detail: Both
    opened_at: datetime
    due_at: datetime
    condition: str
    """absent, pending, present."""
    handling: str
    """new, delivered, acknowledged, in_progress, closed."""
    late: bool
    count: int
    claim: Claim | None
    outcome: Outcome | None
    held_until: datetime | None
    """Medium at night is held until morning; the board shows it, without sound."""
    spark: tuple[float | None, ...]
    """Up to 12 recent values of the deciding metric, oldest first; None where the value is not good."""
    spark_band: tuple[float, float] | None
    unseen_people: int
    """For equipment alerts: how many people nobody can see."""
    metric: str = ""
    """Metric of the deciding evidence; empty where nothing was measured."""
    acted: Both | None = None
    """Through what the gateway has told somebody by itself while the county could not be reached."""


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One line of an alert's history."""

    at: datetime
    kind: str
    actor: str
    text: Both


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to call, in this order."""

    name: str
    relation: Both
    phone: str


@dataclass(frozen=True, slots=True)
class AloneNow:
    """What a gateway does by itself about an alert, as its last heartbeat told."""

    at: datetime
    """Of that heartbeat."""
    text: Both


@dataclass(frozen=True, slots=True)
class AlertPage:
    """One alert, whole."""

    row: AlertRow
    sentence: Both
    rule_version: str
    limit_source: str
    quality: QualityLevel
    evidence: tuple[tuple[datetime, str, str], ...]
    """Time, metric code, value with unit."""
    events: tuple[AlertEvent, ...]
    contacts: tuple[Contact, ...]
    alone: AloneNow | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """How many people are seen: the board never calls missing data calm."""

    enrolled: int
    seen_last_hour: int
    unseen: int
    unseen_high_risk: int


@dataclass(frozen=True, slots=True)
class Board:
    """The triage board of one viewer."""

    revision: int
    now: datetime
    rows: tuple[AlertRow, ...]
    """Open alerts: priority, unclaimed first, share of time used."""
    closed_today: int
    opened_last_hour: int
    watch: Watch
    broker: str = "connected"
    """`connected`, or what keeps the county from hearing its gateways."""


@dataclass(frozen=True, slots=True)
class Vital:
    """One tile of the resident page."""

    metric: str
    label: Both
    text: str
    """Value as shown, `186/112`."""
    unit: str
    at: datetime
    quality: QualityLevel
    reasons: tuple[str, ...]
    usual: tuple[float, float] | None
    too_old: bool
    said: Both | None = None
    """Instead of the text, where it is words."""


class TrendKind(StrEnum):
    """How a trend may be drawn."""

    LINE = "line"
    DOTS = "dots"
    """Each point for itself, with its own span of time: neighbours are never joined."""


@dataclass(frozen=True, slots=True)
class Trend:
    """One chart: points in time order; a gap is a None value, never joined."""

    metric: str
    label: Both
    unit: str
    points: tuple[tuple[datetime, float | None, QualityLevel], ...]
    band: tuple[float, float] | None
    limit: float | None
    kind: TrendKind = TrendKind.LINE


@dataclass(frozen=True, slots=True)
class DailyValue:
    """One day's roll-up of good values."""

    day: date
    metric: str
    count: int
    low: Decimal
    high: Decimal
    mean: Decimal


@dataclass(frozen=True, slots=True)
class Arrived:
    """Of the readings of one resident, over all outboxes: how many came, and what became of the others."""

    received: int
    late: int
    owed: int
    lost: int
    missing: int
    """So many do not add up: 0 where all is well."""
    not_known: int = 0
    """So many were last heard of on a card that is not in use any more."""


@dataclass(frozen=True, slots=True)
class ResidentPage:
    """One resident, whole."""

    person: Person
    address: str
    note: str
    alerts: tuple[AlertRow, ...]
    vitals: tuple[Vital, ...]
    trends: tuple[Trend, ...]
    daily: tuple[DailyValue, ...]
    contacts: tuple[Contact, ...]
    timeline: tuple[AlertEvent, ...]
    arrived: Arrived | None = None
    """None where nothing was counted."""


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """What a gateway can tell people with when the county cannot be reached."""

    fitted: tuple[str, ...]
    """Ways such as `voice`, `sms:family`; empty where nothing is fitted."""
    faults: tuple[tuple[str, str], ...]
    """Parts that do not work, each with a named reason."""
    alone: int
    """Alarms that it runs by itself at this moment."""


@dataclass(frozen=True, slots=True)
class LateRow:
    """A gateway that came back with a certificate that had run out; nobody has said yet where it stands."""

    certificate: str
    """The one it was given then: an answer is about this one and no later one."""
    days: int
    """So long before it came back the one before had run out, rounded up."""
    until: datetime
    """Unanswered, it delivers until then."""


@dataclass(frozen=True, slots=True)
class GatewayRow:
    """One gateway on the equipment page."""

    id: str
    kind: str
    """home or clinic."""
    village: Both
    state: str
    """online, silent, stopped, never_seen."""
    last_seen: datetime | None
    people: int
    high_risk: int
    owed: int
    accepted: int
    refused: int
    quarantined: int
    clock: str
    software: str
    stored: int
    clocks_off: tuple[tuple[str, int], ...] = ()
    """Devices whose own clock is clearly wrong, and by how many seconds; ahead counts positive."""
    alarm: AlarmRow | None = None
    """None where the gateway does not say."""
    release: int | None = None
    """What it was given from afar: number of the release, 0 for none yet; None where it takes nothing."""
    refused_release: tuple[int, str] | None = None
    """The last one that it refused, and why."""
    late: LateRow | None = None
    """Whether it stands where it should is still to be answered."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """Gateways, sorted by people unseen, and what the county refused."""

    now: datetime
    gateways: tuple[GatewayRow, ...]
    quarantine: tuple[tuple[str, int], ...]
    """Reason and count."""
    counters: tuple[tuple[str, int], ...]
    """Ingest counters: envelopes, records, redelivered, conflicts, refused."""
    broker: str
    """connected, or what is wrong."""


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the revision log: what the stream sends; never a name or a vital."""

    revision: int
    alert_id: str
    priority: Priority


class Desk(Protocol):
    """Everything a screen or an API route needs; every call is bounded by the viewer's place."""

    def board(self, viewer: Viewer) -> Board:
        """Open alerts in the viewer's area."""

    def rows(self, viewer: Viewer, alert_ids: Sequence[str]) -> tuple[AlertRow, ...]:
        """These alerts, where the viewer may see them."""

    def alert(self, viewer: Viewer, alert_id: str) -> AlertPage | None:
        """One alert; None where it does not exist or lies outside the area. Writes an audit row."""

    def resident(self, viewer: Viewer, resident_id: str, *, days: int) -> ResidentPage | None:
        """One resident; None where unknown or outside the area. Writes an audit row."""

    def equipment(self, viewer: Viewer) -> Equipment:
        """Gateways of the area and ingest counters."""

    def changes(self, viewer: Viewer, *, after: int) -> tuple[Change, ...] | None:
        """Revision log after `after`; None where that is too old to replay."""

    def claim(self, viewer: Viewer, alert_id: str, *, key: str) -> tuple[ActResult, Claim | None]:
        """Take an alert; the first wins, a replayed key gets its first answer."""

    def undo(self, viewer: Viewer, alert_id: str, *, key: str) -> ActResult:
        """Give back an own claim within 10 s."""

    def close(self, viewer: Viewer, alert_id: str, *, outcome: Outcome, note: str, key: str) -> ActResult:
        """End an alert by name; the outcome is mandatory and `unreachable` cannot close high."""

    def confirm_gateway(self, viewer: Viewer, gateway_id: str, *, certificate: str) -> ActResult:
        """Say that a gateway which came back late stands where it should; the first answer stands."""

    def ask_live(self, viewer: Viewer, resident_id: str) -> ActResult:
        """Have a resident's readings sent as they come, for LIVE_MINUTES, from the next heartbeat of their gateway.

        Raises:
            OSError: what is asked could not be kept.
        """

    def take_gateway_away(self, viewer: Viewer, gateway_id: str, *, certificate: str) -> ActResult:
        """Say that it does not: its certificates are taken back."""
