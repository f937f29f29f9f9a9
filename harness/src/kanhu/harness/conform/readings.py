"""Records that the harness itself makes: each reading carries its own number, so that a stored one names itself."""

from kanhu.contract import (
    Clock,
    ClockState,
    Evidence,
    Finding,
    Gap,
    GapReason,
    Observation,
    Part,
    Phase,
    Priority,
    Subject,
    SubjectKind,
    Times,
    Waveform,
    alert_id,
)

__all__ = ["BOOT", "DEVICE", "METRIC", "Maker", "number_of"]

BOOT = "c0" * 16
DEVICE = "conform"
METRIC = "steps"
"""A whole number without a unit of its own to convert: reading n holds the value n."""


def number_of(record: object) -> int | None:
    """Which reading of the harness this is; None for any other record."""
    if isinstance(record, Observation) and record.device == DEVICE and record.metric == METRIC:
        return record.series(METRIC)[0]
    return None


class Maker:
    """Records of now, about the rooms of one gateway."""

    def __init__(self, gateway: str, *, clock: Clock) -> None:
        """The subject is the dwelling: no person is made up."""
        self._subject = Subject(SubjectKind.DWELLING, gateway)
        self._clock = clock
        self._mono_ns = 0

    def reading(self, number: int, *, metric: str = METRIC) -> Observation:
        """One reading with this value."""
        return Observation(metric, (Part(metric, (number,)),), self._subject, DEVICE, self.times())

    def readings(self, first: int, last: int) -> list[tuple[int, Observation]]:
        """Readings under their own numbers, both ends included."""
        return [(number, self.reading(number)) for number in range(first, last + 1)]

    def unset(self, number: int) -> Observation:
        """One reading of a gateway whose clock shows 1970."""
        times = Times(arrival_ms=60_000 - number, mono_ns=self._next_ns(), boot=BOOT, clock=ClockState.UNSET)
        return Observation(METRIC, (Part(METRIC, (number,)),), self._subject, DEVICE, times)

    def gap(self, first: int, last: int) -> Gap:
        """Records that will never come."""
        now_ms = self._clock.wall_ms()
        return Gap(GapReason.OUTBOX_FULL, METRIC, ((first, last),), now_ms, now_ms, self.times())

    def waveform(self) -> Waveform:
        """A second of signal."""
        return Waveform("spo2", self._subject, DEVICE, self.times(), 50_000, 1_000_000, bytes(100))

    def finding(self) -> Finding:
        """A finding about equipment, which asks nobody to get up."""
        times = self.times()
        evidence = Evidence(METRIC, 1, DEVICE, BOOT, times.mono_ns, times.arrival_ms)
        key = alert_id(self._subject, "CONFORM", evidence)
        return Finding(
            key, "CONFORM", "1", self._subject, Priority.TECHNICAL, Phase.START, "conformance", times, (evidence,)
        )

    def times(self) -> Times:
        """Now, by a synchronised clock."""
        return Times(self._clock.wall_ms(), self._next_ns(), BOOT, ClockState.SYNCED)

    def _next_ns(self) -> int:
        self._mono_ns += 1_000_000
        return self._mono_ns
