"""What a gateway did on the spot, as one text each in a finding's `actions`.

`voice done:recorded +62`: what was used, how it came out with a named detail, and how many seconds after the reading
that decided. `sms:village_doctor failed:no_network +?` names the role that was written to, never a person or number;
`+?` where the seconds are not known, because the power went in between.
"""

import re
from enum import StrEnum

import msgspec

ACTED_LOCALLY = "acted_locally"
"""Reason of a finding that repeats another and only adds what was done: it raises and re-opens nothing by itself."""

_ACTION = re.compile(
    r"(?P<channel>[a-z]{1,16})(?::(?P<role>[a-z_]{1,32}))? (?P<outcome>[a-z_]{1,16})"
    r"(?::(?P<detail>[a-z0-9_]{1,48}))? \+(?P<after>[0-9]{1,9}|\?)"
)


class ActionOutcome(StrEnum):
    """How an act came out."""

    DONE = "done"
    SENT = "sent"
    """The network took the message."""
    DELIVERED = "delivered"
    """The telephone has it; whether somebody reads it nobody knows."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """The gateway ended in the middle of it: it was done, or it was not."""
    CALLED_OFF = "called_off"
    """The person said by the button that all is well."""
    ACKNOWLEDGED = "acknowledged"
    """Who was written to has answered that they see to it."""


class LocalAction(msgspec.Struct, frozen=True):
    """One act."""

    channel: str
    """`voice`, `light`, `sms`, `button`; others come with later versions."""
    outcome: ActionOutcome
    role: str = ""
    detail: str = ""
    after_s: int | None = None

    def text(self) -> str:
        """As it travels."""
        role = f":{self.role}" if self.role else ""
        detail = f":{self.detail}" if self.detail else ""
        return f"{self.channel}{role} {self.outcome}{detail} +{'?' if self.after_s is None else self.after_s}"


def parse_action(text: str) -> LocalAction | None:
    """Read one back; None where it is not of this form, as another make of gateway may send."""
    found = _ACTION.fullmatch(text)
    if found is None or found["outcome"] not in set(ActionOutcome):
        return None
    return LocalAction(
        channel=found["channel"],
        outcome=ActionOutcome(found["outcome"]),
        role=found["role"] or "",
        detail=found["detail"] or "",
        after_s=None if found["after"] == "?" else int(found["after"]),
    )
