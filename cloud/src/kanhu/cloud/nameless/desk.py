"""The desk of readings of nobody known over the ledger: each look one consistent read, each act one transaction."""

from dataclasses import dataclass
from functools import partial

from kanhu.cloud.alerting.intake import Intake
from kanhu.cloud.desk.model import Viewer
from kanhu.cloud.ledger.database import Ledger
from kanhu.cloud.ledger.nameless import SessionKey
from kanhu.cloud.ledger.writer import Writer
from kanhu.cloud.nameless import acts
from kanhu.cloud.nameless.looking import board_of, given_to, page_of
from kanhu.cloud.nameless.model import NamelessBoard, NamelessPage, NamelessRow, Said
from kanhu.cloud.people.area import area_of
from kanhu.contract import Clock

__all__ = ["LedgerNamelessDesk"]


@dataclass(frozen=True, slots=True)
class LedgerNamelessDesk:
    """Implements `nameless.model.NamelessDesk`."""

    ledger: Ledger
    writer: Writer
    clock: Clock
    intake: Intake

    def board(self, viewer: Viewer, *, page: int = 0) -> NamelessBoard:
        """Sessions that wait, and what was decided last."""
        with self.ledger.read() as connection:
            return board_of(connection, area_of(connection, viewer.place), page=page, year=self._year())

    def session(self, viewer: Viewer, key: SessionKey, *, words: str) -> NamelessPage | None:
        """One session; the look is in the audit before it is answered."""
        with self.ledger.read() as connection:
            page = page_of(connection, area_of(connection, viewer.place), key, words=words, year=self._year())
        result = "not_found" if page is None else "shown"
        self.writer.run(partial(acts.note_look, viewer=viewer, key=key, result=result))
        return page

    def of_resident(self, viewer: Viewer, resident: str) -> tuple[NamelessRow, ...]:
        """The newest sessions that were given to this person."""
        with self.ledger.read() as connection:
            return given_to(connection, area_of(connection, viewer.place), resident, year=self._year())

    def assign(self, viewer: Viewer, key: SessionKey, *, resident: str) -> Said:
        """Say whose it is."""
        return self.writer.run(partial(acts.assign, viewer=viewer, key=key, resident=resident, intake=self.intake))

    def set_aside(self, viewer: Viewer, key: SessionKey) -> Said:
        """Say that it is of none of ours."""
        return self.writer.run(partial(acts.set_aside, viewer=viewer, key=key))

    def take_back(self, viewer: Viewer, key: SessionKey) -> Said:
        """Say that the answer was a mistake."""
        return self.writer.run(partial(acts.take_back, viewer=viewer, key=key))

    def _year(self) -> int:
        return self.intake.policy.local(self.clock.wall_ms()).year
