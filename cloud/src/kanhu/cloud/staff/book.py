"""The staff book: what routes ask about people who sign in."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from kanhu.cloud.desk.model import Viewer

SESSION_S = 12 * 3600
"""For so long somebody stays signed in."""


class SignInReason(StrEnum):
    """Named answer to an attempt to sign in."""

    SIGNED_IN = "signed_in"
    WRONG = "wrong"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class SignIn:
    """How an attempt ended; `token` goes into the cookie and nowhere else."""

    reason: SignInReason
    token: str = ""
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser."""

    viewer: Viewer
    csrf: str
    """Goes into every form as `csrf`, or into the header X-CSRF-Token."""


class Staff(Protocol):
    """Accounts and sessions."""

    def sign_in(self, name: str, password: str, *, address: str) -> SignIn:
        """Check a password; slow by nature, so call it off the event loop."""

    def session(self, token: str) -> Session | None:
        """The session of a cookie's token; None where unknown or over."""

    def sign_out(self, token: str) -> None:
        """End a session."""
