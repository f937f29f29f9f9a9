"""Passwords as Argon2id; at most two are worked on at once, the rest wait, so that logins cannot stop the machine."""

from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kanhu.cloud.errors import StaffRefused

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
AT_ONCE = 2
_SHORTEST = 8
_LONGEST = 256

_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
_places = BoundedSemaphore(AT_ONCE)


def hash_password(password: str) -> str:
    """The text that is kept.

    Raises:
        StaffRefused: shorter than 8 or longer than 256 characters.
    """
    if not _SHORTEST <= len(password) <= _LONGEST:
        raise StaffRefused(f"a password has {_SHORTEST} to {_LONGEST} characters")
    with _places:
        return _hasher.hash(password)


def is_right(kept: str, password: str) -> bool:
    """Whether this is the password that was kept."""
    if len(password) > _LONGEST:
        return False
    with _places:
        try:
            return _hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


@cache
def stranger() -> str:
    """Checked for names nobody has, so that the time of an answer does not tell which names exist."""
    return _hasher.hash("nobody has this password")
