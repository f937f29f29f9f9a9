"""Accounts and sessions over the ledger.

A session is a random token in the browser and its hash here. Wrong tries slow down the next ones, by account and by
address, and never lock anybody out.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from threading import Lock

from sqlalchemy import delete, insert, select

from kanhu.cloud.desk.model import Role, Viewer
from kanhu.cloud.errors import StaffRefused
from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.database import Ledger
from kanhu.cloud.ledger.writer import Transaction, Writer
from kanhu.cloud.people.area import NOWHERE, area_of
from kanhu.cloud.staff import audit
from kanhu.cloud.staff.book import SESSION_S, Session, SignIn, SignInReason
from kanhu.cloud.staff.passwords import hash_password, is_right, stranger
from kanhu.contract import Clock

FREE_TRIES = 5
"""Wrong tries a minute without any delay."""
_WINDOW_MS = 60_000
_LONGEST_DELAY_S = 60
_REMEMBERED = 10_000

_NAME = re.compile(r"[a-z0-9._-]{1,64}")


@dataclass(slots=True)
class _Tries:
    wrong: int = 0
    last_ms: int = 0


@dataclass(slots=True)
class WrongTries:
    """Wrong passwords lately, by account and by address; forgotten after a minute of peace."""

    _tries: dict[str, _Tries] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def begin(self, keys: tuple[str, ...], *, now_ms: int) -> int:
        """Begin a try: 0, and it counts as wrong until it is `right`; else the seconds until one may begin.

        Counted before it is looked at, because guesses come many at once.
        """
        with self._lock:
            wait_s = max(self._wait_s(self._tries.get(key), now_ms) for key in keys)
            if wait_s:
                return wait_s
            for key in keys:
                tries = self._tries.setdefault(key, _Tries())
                if now_ms - tries.last_ms > _WINDOW_MS + 1000 * _delay_s(tries.wrong):
                    tries.wrong = 0
                tries.wrong += 1
                tries.last_ms = now_ms
            while len(self._tries) > _REMEMBERED:
                self._tries.pop(next(iter(self._tries)))
            return 0

    def right(self, account: str, address: str) -> None:
        """The password was right after all: nothing stays against the account, and this try not against the address."""
        with self._lock:
            self._tries.pop(account, None)
            tries = self._tries.get(address)
            if tries is not None:
                tries.wrong = max(0, tries.wrong - 1)

    @staticmethod
    def _wait_s(tries: _Tries | None, now_ms: int) -> int:
        if tries is None:
            return 0
        until_ms = tries.last_ms + 1000 * _delay_s(tries.wrong)
        return max(0, -(-(until_ms - now_ms) // 1000))


def _delay_s(wrong: int) -> int:
    """Nothing for five tries, then 1, 2, 4 and so on up to 60 s."""
    return 0 if wrong < FREE_TRIES else min(2 ** min(wrong - FREE_TRIES, 6), _LONGEST_DELAY_S)


@dataclass(frozen=True, slots=True)
class LedgerStaff:
    """Implements `staff.book.Staff`."""

    ledger: Ledger
    writer: Writer
    clock: Clock
    wrong: WrongTries = field(default_factory=WrongTries)
    stranger: str = field(default_factory=stranger)

    def sign_in(self, name: str, password: str, *, address: str) -> SignIn:
        """Check a password; slow by nature, so call it off the event loop."""
        now_ms = self.clock.wall_ms()
        keys = (f"account {name[:64]}", f"address {address}")
        wait_s = self.wrong.begin(keys, now_ms=now_ms)
        if wait_s:
            return SignIn(SignInReason.TOO_MANY, retry_after_s=wait_s)
        with self.ledger.read() as connection:
            row = connection.execute(select(schema.staff).where(schema.staff.c.name == name)).first()
        right = is_right(self.stranger if row is None else row.password, password)
        if row is None or not right:
            return SignIn(SignInReason.WRONG)
        self.wrong.right(*keys)
        token = secrets.token_urlsafe(32)
        viewer = Viewer(row.name, row.display, Role(row.role), row.place)
        self.writer.run(lambda transaction: open_session(transaction, viewer, token))
        return SignIn(SignInReason.SIGNED_IN, token)

    def session(self, token: str) -> Session | None:
        """The session of a cookie's token; None where unknown or over."""
        session, staff = schema.session, schema.staff
        with self.ledger.read() as connection:
            row = connection.execute(
                select(staff, session.c.csrf)
                .join(session, session.c.user == staff.c.name)
                .where(session.c.token_sha256 == _hash(token), session.c.until_ms > self.clock.wall_ms())
            ).first()
        return None if row is None else Session(Viewer(row.name, row.display, Role(row.role), row.place), row.csrf)

    def sign_out(self, token: str) -> None:
        """End a session."""
        found = self.session(token)
        if found is not None:
            self.writer.run(lambda transaction: _shut(transaction, found.viewer, token))


def add_account(transaction: Transaction, *, name: str, display: str, role: Role, place: str, password: str) -> None:
    """Make an account, or change the one of that name and end its sessions.

    Raises:
        StaffRefused: a name, place or password that cannot be.
    """
    connection = transaction.connection
    if not _NAME.fullmatch(name):
        raise StaffRefused(f"user name {name!r} is not 1 to 64 of a-z, 0-9, '.', '_' and '-'")
    if area_of(connection, place) == NOWHERE:
        raise StaffRefused(f"there is no place {place!r}; load a site first, or choose one of it")
    connection.execute(delete(schema.session).where(schema.session.c.user == name))
    connection.execute(delete(schema.staff).where(schema.staff.c.name == name))
    connection.execute(
        insert(schema.staff).values(
            name=name, display=display, role=role.value, place=place, password=hash_password(password)
        )
    )


def open_session(transaction: Transaction, viewer: Viewer, token: str) -> None:
    """Keep a new session by the hash of its token; sessions that are over go."""
    table = schema.session
    transaction.connection.execute(delete(table).where(table.c.until_ms <= transaction.now_ms))
    transaction.connection.execute(
        insert(table).values(
            token_sha256=_hash(token),
            user=viewer.user,
            csrf=secrets.token_urlsafe(24),
            until_ms=transaction.now_ms + 1000 * SESSION_S,
        )
    )
    audit.record(transaction, viewer, act="sign in", about="", result="done")


def _shut(transaction: Transaction, viewer: Viewer, token: str) -> None:
    table = schema.session
    transaction.connection.execute(delete(table).where(table.c.token_sha256 == _hash(token)))
    audit.record(transaction, viewer, act="sign out", about="", result="done")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
