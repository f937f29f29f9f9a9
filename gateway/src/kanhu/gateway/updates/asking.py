"""What is said between the running gateway and the process that fetches; JSON, both ways one object."""

import msgspec

from kanhu.gateway.updates.store import Named, Round


class Request(msgspec.Struct, frozen=True):
    """What the running gateway knows."""

    data: str
    root: str
    url: str | None
    gateway: str
    group: str | None
    now_ms: int
    """Not earlier than the true time: what has run out by it is not believed."""


class Answer(msgspec.Struct, frozen=True):
    """What came of it."""

    round: Round
    detail: str = ""
    release: Named | None = None
    seen: int = 0
    """Number of the list that was verified."""
