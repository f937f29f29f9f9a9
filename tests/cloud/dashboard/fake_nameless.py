"""Readings of nobody known in memory, for tests of their screens; what is kept and judged is tested elsewhere."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from kanhu.cloud.desk.model import Viewer
from kanhu.cloud.ledger.nameless import SessionKey
from kanhu.cloud.nameless.model import (
    Candidate,
    Decision,
    NamelessBoard,
    NamelessPage,
    NamelessRow,
    NamelessValue,
    Said,
)
from kanhu.contract import Clock, QualityLevel
from tests.cloud.dashboard.scene import HOSTILE, NURSE, PEOPLE

__all__ = ["KEY", "FakeNameless"]

KEY = SessionKey("clinic-01", "e" * 32, "cuff-01.0a1b2c3d.4242")


@dataclass
class FakeNameless:
    """A cuff that waits, one whose device has a hostile name, and one that was answered."""

    clock: Clock
    rows: dict[SessionKey, NamelessRow] = field(init=False)

    def __post_init__(self) -> None:
        village, now = PEOPLE["r-0005"].village, self.clock.now()
        pressures = (("bp", "184/110 mmHg"), ("pulse_cuff", "96 /min"))
        values = tuple(NamelessValue(code, text, QualityLevel.QUESTIONABLE) for code, text in pressures)
        cuff = NamelessRow(KEY, village, "cuff-01", now - timedelta(minutes=12), 1, values)
        other = replace(cuff, key=KEY._replace(subject="two"), device=HOSTILE, readings=40)
        decision = Decision("周建平", now - timedelta(minutes=2), PEOPLE["r-0002"])
        answered = replace(cuff, key=KEY._replace(subject="three"), decision=decision)
        self.rows = {row.key: row for row in (cuff, other, answered)}

    def board(self, viewer: Viewer, *, page: int = 0) -> NamelessBoard:
        own = self.rows.values() if viewer.place == NURSE.place else ()
        waiting = tuple(row for row in own if row.decision is None)
        return NamelessBoard(waiting, len(waiting), tuple(row for row in own if row.decision), page, pages=3)

    def session(self, viewer: Viewer, key: SessionKey, *, words: str) -> NamelessPage | None:
        if key not in self.rows or viewer.place != NURSE.place:
            return None
        found = [Candidate(person, "") for person in PEOPLE.values() if words in person.name]
        return NamelessPage(self.rows[key], tuple(found), more=not words)

    def of_resident(self, viewer: Viewer, resident: str) -> tuple[NamelessRow, ...]:
        own = self.board(viewer).decided
        return tuple(row for row in own if row.decision and row.decision.person and row.decision.person.id == resident)

    def assign(self, viewer: Viewer, key: SessionKey, *, resident: str) -> Said:
        return self._decide(viewer, key, resident)

    def set_aside(self, viewer: Viewer, key: SessionKey) -> Said:
        return self._decide(viewer, key, None)

    def take_back(self, viewer: Viewer, key: SessionKey) -> Said:
        if self.session(viewer, key, words="") is None:
            return Said.NOT_FOUND
        self.rows[key] = replace(self.rows[key], decision=None)
        return Said.DONE

    def _decide(self, viewer: Viewer, key: SessionKey, resident: str | None) -> Said:
        if key not in self.rows:
            return Said.NOT_FOUND
        if self.rows[key].decision is not None:
            return Said.NOT_OPEN
        person = PEOPLE.get(resident or "")
        self.rows[key] = replace(self.rows[key], decision=Decision(viewer.name, self.clock.now(), person))
        return Said.DONE
