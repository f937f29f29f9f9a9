"""What messages that are taken together write once for all of them: values, and counts.

Each of these is the same in whatever order the messages came, and nothing that is decided on the way asks for it.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from sqlalchemy import Connection

from kanhu.cloud.ledger.counters import count
from kanhu.cloud.ledger.nameless import SessionKey, keep_sessions
from kanhu.cloud.ledger.segments import Keyed
from kanhu.cloud.ledger.values import Reading, keep_values
from kanhu.cloud.people.register import gateways_of
from kanhu.contract import Finding, Observation, SubjectKind

_READINGS_AT_ONCE = 2_000
"""A parcel holds up to 500 records: of many parcels of a backlog not all are held as rows at the same time."""


@dataclass(slots=True)
class Gathered:
    """Filled by each message, written behind the last."""

    readings: list[Reading] = field(default_factory=list)
    amounts: Counter[str] = field(default_factory=Counter)
    _about: list[tuple[str, str]] = field(default_factory=list)
    """Gateway and resident of each reading and finding."""

    def add(self, gateway: str, records: Sequence[Keyed]) -> None:
        """Note whom newly stored records are about."""
        self._about += [
            (gateway, record.subject.id)
            for _, record in records
            if isinstance(record, Observation | Finding) and record.subject.kind is SubjectKind.RESIDENT
        ]

    def write(self, connection: Connection, *, timezone: tzinfo) -> list[SessionKey]:
        """Bring values and counters up to date; answers with assigned sessions that grew, which are to be judged."""
        grown: dict[SessionKey, None] = {}
        for start in range(0, len(self.readings), _READINGS_AT_ONCE):
            some = self.readings[start : start + _READINGS_AT_ONCE]
            keep_values(connection, some, timezone=timezone)
            grown |= dict.fromkeys(keep_sessions(connection, some))
        foreign = _foreign(connection, self._about)
        count(connection, {**self.amounts, "ingest.foreign_subject": foreign})
        return list(grown)


def _foreign(connection: Connection, about: Collection[tuple[str, str]]) -> int:
    """How many are about people registered at another gateway: stored and judged like any."""
    at = gateways_of(connection, {resident for _, resident in about})
    return sum(at.get(resident, gateway) != gateway for gateway, resident in about)
