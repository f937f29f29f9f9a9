"""The state of a detector read back: refused as a whole where anything in it cannot be."""

from typing import Protocol, TypeVar

import msgspec

from kanhu.vitals.errors import StateRefused

__all__ = ["read_state"]


class _Versioned(Protocol):
    @property
    def version(self) -> int: ...


_Kept = TypeVar("_Kept", bound=_Versioned)


def read_state(kind: type[_Kept], state: bytes, *, version: int) -> _Kept:
    """What was kept, from msgpack.

    Raises:
        StateRefused: it is damaged, of another detector, or of another version.
    """
    try:
        kept = msgspec.msgpack.decode(state, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise StateRefused(str(error)) from error
    if kept.version != version:
        raise StateRefused(f"state version {kept.version}")
    return kept
