"""A desk, a staff book and an app in memory: what the screens are tested with, and a server to look at them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from kanhu.cloud.app import create_app
from kanhu.cloud.desk.model import (
    ActResult,
    AlertPage,
    AlertRow,
    Board,
    Both,
    Change,
    Claim,
    Equipment,
    Outcome,
    ResidentPage,
    Viewer,
    Watch,
)
from kanhu.cloud.services import Services, Settings
from kanhu.cloud.staff.book import Session, SignIn, SignInReason
from kanhu.cloud.stream import ChangeStream
from kanhu.contract import Clock, FakeClock, Priority, SystemClock
from tests.cloud.dashboard.fake_nameless import FakeNameless
from tests.cloud.dashboard.scene import (
    DOCTOR,
    NOW,
    NURSE,
    PEOPLE,
    alert_page,
    equipment,
    morning_rows,
    resident_page,
)

_RANK = (Priority.HIGH, Priority.MEDIUM, Priority.LOW, Priority.TECHNICAL)
_UNDO_S = 10


@dataclass
class FakeDesk:
    """Holds alerts in memory and keeps a revision log, as the real one does in its ledger."""

    clock: Clock
    stream: ChangeStream
    alerts: dict[str, AlertRow] = field(default_factory=dict)
    log: list[Change] = field(default_factory=list)
    answers: dict[str, tuple[ActResult, Claim | None]] = field(default_factory=dict)
    first_kept_revision: int = 0
    looks: list[str] = field(default_factory=list)
    broker: str = "connected"
    keys: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    asked_live: list[str] | None = field(default_factory=list)
    """None where nothing can be written down."""
    newest: str = ""
    """Text of everybody's first value, where it is not that of the scene."""

    def put(self, row: AlertRow) -> None:
        """Open or change an alert, and ring."""
        revision = len(self.log) + 1
        self.alerts[row.id] = replace(row, revision=revision)
        self.log.append(Change(revision, row.id, row.priority))
        self.stream.announce(revision)

    def board(self, viewer: Viewer) -> Board:
        now = self.clock.now()
        revision = len(self.log)
        rows = [row for row in self._visible(viewer) if row.handling != "closed"]
        rows.sort(key=lambda row: (_RANK.index(row.priority), row.claim is not None, -_share(row, now)))
        return Board(
            revision=revision,
            now=now,
            rows=tuple(rows),
            closed_today=sum(row.handling == "closed" for row in self.alerts.values()),
            opened_last_hour=sum(now - row.opened_at < timedelta(hours=1) for row in rows),
            watch=Watch(enrolled=1083, seen_last_hour=1062, unseen=21, unseen_high_risk=3),
            broker=self.broker,
        )

    def rows(self, viewer: Viewer, alert_ids: Sequence[str]) -> tuple[AlertRow, ...]:
        return tuple(row for row in self._visible(viewer) if row.id in alert_ids)

    def alert(self, viewer: Viewer, alert_id: str) -> AlertPage | None:
        self.looks.append(alert_id)
        row = next(iter(self.rows(viewer, [alert_id])), None)
        return None if row is None else alert_page(row)

    def resident(self, viewer: Viewer, resident_id: str, *, days: int) -> ResidentPage | None:
        self.looks.append(resident_id)
        person = PEOPLE.get(resident_id)
        if person is None:
            return None
        alerts = tuple(row for row in self.board(viewer).rows if row.subject == resident_id)
        page = resident_page(person, alerts, days=days, now=self.clock.now())
        first, *others = page.vitals
        return replace(page, vitals=(replace(first, text=self.newest or first.text), *others))

    def equipment(self, viewer: Viewer) -> Equipment:
        found = equipment(self.clock.now())
        return found if self._visible(viewer) else replace(found, gateways=())

    def changes(self, viewer: Viewer, *, after: int) -> tuple[Change, ...] | None:
        if after < self.first_kept_revision:
            return None
        seen = {row.id for row in self._visible(viewer)}
        return tuple(change for change in self.log if change.revision > after and change.alert_id in seen)

    def claim(self, viewer: Viewer, alert_id: str, *, key: str) -> tuple[ActResult, Claim | None]:
        if key in self.answers:
            return ActResult.REPLAYED, self.answers[key][1]
        row = self.alerts.get(alert_id)
        if row is None:
            return ActResult.NOT_FOUND, None
        if row.handling == "closed":
            return ActResult.NOT_OPEN, None
        if row.claim is not None:
            return ActResult.TAKEN_BY_OTHER, row.claim
        now = self.clock.now()
        claim = Claim(viewer.user, viewer.name, now, now + timedelta(minutes=15))
        self.answers[key] = ActResult.DONE, claim
        self.put(replace(row, claim=claim, handling="in_progress"))
        return ActResult.DONE, claim

    def undo(self, viewer: Viewer, alert_id: str, *, key: str) -> ActResult:
        self.keys.append(key)
        row = self.alerts.get(alert_id)
        if row is None:
            return ActResult.NOT_FOUND
        if row.claim is None or row.claim.user != viewer.user:
            return ActResult.NOT_YOURS
        if (self.clock.now() - row.claim.at).total_seconds() > _UNDO_S:
            return ActResult.UNDO_TOO_LATE
        self.put(replace(row, claim=None, handling="new"))
        return ActResult.DONE

    def close(self, viewer: Viewer, alert_id: str, *, outcome: Outcome, note: str, key: str) -> ActResult:
        self.keys.append(key)
        self.notes.append(note)
        row = self.alerts.get(alert_id)
        if row is None:
            return ActResult.NOT_FOUND
        if row.handling == "closed":
            return ActResult.NOT_OPEN
        if row.claim is None or row.claim.user != viewer.user:
            return ActResult.NOT_YOURS
        if outcome is Outcome.UNREACHABLE and row.priority is Priority.HIGH:
            return ActResult.OUTCOME_NOT_ALLOWED
        self.put(replace(row, handling="closed", outcome=outcome))
        return ActResult.DONE

    def confirm_gateway(self, viewer: Viewer, gateway_id: str, *, certificate: str) -> ActResult:
        return self._answer(viewer, gateway_id, certificate)

    def ask_live(self, viewer: Viewer, resident_id: str) -> ActResult:
        if self.asked_live is None:
            raise OSError(28, "No space left on device")
        if resident_id not in PEOPLE or not self._visible(viewer):
            return ActResult.NOT_FOUND
        self.asked_live.append(resident_id)
        return ActResult.DONE

    def take_gateway_away(self, viewer: Viewer, gateway_id: str, *, certificate: str) -> ActResult:
        return self._answer(viewer, gateway_id, certificate)

    def _answer(self, viewer: Viewer, gateway_id: str, certificate: str) -> ActResult:
        late = {row.id: row.late.certificate for row in self.equipment(viewer).gateways if row.late is not None}
        return ActResult.DONE if late.get(gateway_id) == certificate else ActResult.NOT_FOUND

    def _visible(self, viewer: Viewer) -> list[AlertRow]:
        """The whole county is one place here; elsewhere there is nothing to see."""
        return list(self.alerts.values()) if viewer.place == NURSE.place else []


class FakeStaff:
    """Two people with the password of every test."""

    PASSWORD = "correct horse"

    def __init__(self) -> None:
        self.people = {NURSE.user: NURSE, DOCTOR.user: DOCTOR}
        self.addresses: list[str] = []
        self._sessions: dict[str, Session] = {}
        self.refuse_s = 0

    def sign_in(self, name: str, password: str, *, address: str) -> SignIn:
        self.addresses.append(address)
        if self.refuse_s:
            return SignIn(SignInReason.TOO_MANY, retry_after_s=self.refuse_s)
        if name not in self.people or password != self.PASSWORD:
            return SignIn(SignInReason.WRONG)
        token = f"token-{name}-{len(self._sessions)}"
        self._sessions[token] = Session(self.people[name], f"csrf-{name}")
        return SignIn(SignInReason.SIGNED_IN, token)

    def session(self, token: str) -> Session | None:
        return self._sessions.get(token)

    def sign_out(self, token: str) -> None:
        self._sessions.pop(token, None)


@dataclass
class Scene:
    """The app and everything a test moves."""

    app: FastAPI
    desk: FakeDesk
    staff: FakeStaff
    clock: Clock


def scene(*, clock: Clock | None = None, heartbeat_s: float = 15.0, now: datetime = NOW) -> Scene:
    """An app with the morning's board."""
    clock = clock or FakeClock(now)
    stream = ChangeStream()
    desk = FakeDesk(clock, stream)
    for row in morning_rows(clock.now()):
        desk.put(row)
    staff = FakeStaff()
    services = Services(
        desk=desk,
        nameless=FakeNameless(clock),
        staff=staff,
        clock=clock,
        stream=stream,
        timezone=ZoneInfo("Asia/Shanghai"),
        county=Both("云岭县", "Yunling"),
        broker=lambda: "connected",
        settings=Settings(heartbeat_s=heartbeat_s),
    )
    return Scene(create_app(services), desk, staff, clock)


def _share(row: AlertRow, now: datetime) -> float:
    return (now - row.opened_at) / (row.due_at - row.opened_at)


def serve() -> None:
    """Show the screens on http://127.0.0.1:8765 (lijing, correct horse): python -m tests.cloud.dashboard.fake_desk."""
    import uvicorn

    uvicorn.run(scene(clock=SystemClock()).app, host="127.0.0.1", port=8765)


if __name__ == "__main__":
    serve()
