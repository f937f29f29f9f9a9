"""How long the county has listened: the clock on which silence of gateways is measured.

It runs only while the broker is connected. What was not listened to is nobody's silence: while the county is down, or
cut from its broker, deadlines stand still; they are extended, never restarted. Used in the writer thread only.
"""

from sqlalchemy import Connection, select

from kanhu.cloud.ledger import schema
from kanhu.cloud.ledger.upsert import upsert

STALLED_MS = 10_000
"""Ticks come every second: a longer pause means that this process stood still and heard nothing."""
DETECTION_MS = 25_000
"""A link can be dead this long before it is noticed: one and a half keepalives of 15 s."""
_KEEP_EVERY_MS = 15_000
_KEEP = upsert(schema.listening)


class Listening:
    """Time listened, in milliseconds since the ledger was made."""

    def __init__(self, *, stalled_ms: float = STALLED_MS, keep_every_ms: float = _KEEP_EVERY_MS) -> None:
        """Deaf, until `begin`; the total so far is read with the first use.

        Where time is virtual, and ticks come only when something can happen, no pause is a stall, and nobody starts
        again from what was kept: both infinite.
        """
        self._stalled_ms = stalled_ms
        self._keep_every_ms = keep_every_ms
        self._total_ms = 0.0
        self._loaded = False
        self._kept_ms = 0.0
        self._mono_ns: int | None = None
        self._resumed_ms = 0.0
        self._heard_ms = 0.0

    @property
    def deaf(self) -> bool:
        """Whether nothing can be heard now."""
        return self._mono_ns is None

    def total_ms(self, connection: Connection) -> int:
        """Time listened so far."""
        self._load(connection)
        return int(self._total_ms)

    def since_resumed_ms(self) -> int:
        """Time listened since the county was last deaf."""
        return int(self._total_ms - self._resumed_ms)

    def begin(self, connection: Connection, *, mono_ns: int) -> None:
        """The broker is connected."""
        self._load(connection)
        self._mono_ns = mono_ns
        self._resumed_ms = self._heard_ms = self._total_ms

    def end(self, connection: Connection, *, mono_ns: int) -> None:
        """The broker is gone: what passed since the last message, up to the detection time, was not listened to."""
        self._load(connection)
        self._pass(mono_ns)
        self._total_ms = max(self._heard_ms, self._total_ms - DETECTION_MS, 0.0)
        self._mono_ns = None  # before anything is written: on a full disk the county is deaf all the same
        self._keep(connection)

    def heard(self) -> None:
        """A message came just now, so the link works."""
        self._heard_ms = self._total_ms

    def tick(self, connection: Connection, *, mono_ns: int) -> None:
        """Let the time since the last tick count."""
        self._load(connection)
        self._pass(mono_ns)
        if self._total_ms - self._kept_ms >= self._keep_every_ms:
            self._keep(connection)

    def _pass(self, mono_ns: int) -> None:
        if self._mono_ns is None:
            return
        passed_ms = (mono_ns - self._mono_ns) / 1e6
        self._mono_ns = mono_ns
        if passed_ms > self._stalled_ms:
            self._resumed_ms = self._total_ms
        else:
            self._total_ms += max(0.0, passed_ms)

    def _load(self, connection: Connection) -> None:
        if self._loaded:
            return
        found = connection.execute(select(schema.listening.c.listened_ms)).scalar()
        self._total_ms = self._kept_ms = self._resumed_ms = self._heard_ms = float(found or 0)
        self._loaded = True

    def _keep(self, connection: Connection) -> None:
        connection.execute(_KEEP, {"id": 1, "listened_ms": int(self._total_ms)})
        self._kept_ms = self._total_ms
