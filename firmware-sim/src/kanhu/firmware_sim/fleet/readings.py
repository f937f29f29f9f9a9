"""What a gateway of the fleet reads: plausible, seeded, and nothing that any rule minds.

A fleet tests the way, not the judgement: bodies and homes are elsewhere.
"""

from collections.abc import Iterator
from random import Random

from kanhu.contract import Clock, Observation, Part, Subject, SubjectKind, Times

__all__ = ["Sensors", "read", "resident_of"]

_MINUTE_NS = 60_000_000_000
_MILLISECOND_NS = 1_000_000
_KINDS = ("motion", "oximetry", "bp")
_OFTEN = (5, 3, 2)  # a home's sensors report more often than anyone measures
_RESTED_MMHG = 118
_STEPS_A_MMHG = 100
_STEPS_A_PERCENT = 10
_STEPS_A_BPM = 10
_STEPS_A_CUFF_BPM = 100


class Sensors:
    """When a gateway reads something: evenly, with as much jitter that no two of them keep step."""

    __slots__ = ("_clock", "_draw", "_gateway", "_next_ns", "_pause_ns", "last_ms")

    def __init__(self, gateway: str, *, readings_a_minute: float, draw: Random, clock: Clock, first_ns: int) -> None:
        """Begin within one pause after `first_ns`."""
        self._gateway = gateway
        self._pause_ns = _MINUTE_NS / readings_a_minute
        self._draw = draw
        self._clock = clock
        self._next_ns = first_ns + round(draw.random() * self._pause_ns)
        self.last_ms: int | None = None

    def due(self, until_ns: int, *, now_ns: int) -> Iterator[Observation]:
        """Readings up to `until_ns`, each with the moment it belongs to."""
        while self._next_ns <= until_ns:
            at_ns, self._next_ns = self._next_ns, self._next_ns + round(self._pause_ns * self._draw.uniform(0.5, 1.5))
            self.last_ms = self._clock.wall_ms() - (now_ns - at_ns) // _MILLISECOND_NS
            times = Times(self.last_ms, at_ns, self._clock.boot, self._clock.state())
            yield read(self._draw, gateway=self._gateway, times=times)


def resident_of(gateway: str) -> str:
    """Pseudonym of the one person at a gateway."""
    return f"r-{gateway}"


def read(draw: Random, *, gateway: str, times: Times) -> Observation:
    """One reading."""
    kind = draw.choices(_KINDS, _OFTEN)[0]
    if kind == "motion":
        dwelling = Subject(SubjectKind.DWELLING, gateway)
        return Observation("motion", (Part("motion", (1,)),), dwelling, f"motion-{gateway}", times)
    resident = Subject(SubjectKind.RESIDENT, resident_of(gateway))
    if kind == "oximetry":
        oximetry = (
            Part("spo2", (draw.randint(95, 98) * _STEPS_A_PERCENT,)),
            Part("pulse_oximeter", (draw.randint(62, 78) * _STEPS_A_BPM,)),
        )
        return Observation("oximetry", oximetry, resident, f"oximeter-{gateway}", times)
    systolic_mmhg = _RESTED_MMHG + draw.randint(-8, 8)
    pressures = (
        Part("systolic", (systolic_mmhg * _STEPS_A_MMHG,)),
        Part("diastolic", ((systolic_mmhg - 44) * _STEPS_A_MMHG,)),
        Part("pulse_cuff", (draw.randint(62, 78) * _STEPS_A_CUFF_BPM,)),
    )
    return Observation("bp", pressures, resident, f"cuff-{gateway}", times)
