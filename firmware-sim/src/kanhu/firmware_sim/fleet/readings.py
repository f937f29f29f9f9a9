"""What a gateway of the fleet reads: plausible, seeded, and nothing that any rule minds.

A fleet tests the way, not the judgement: bodies and homes are elsewhere.
"""

from random import Random

from kanhu.contract import Observation, Part, Subject, SubjectKind, Times

__all__ = ["read", "resident_of"]

_KINDS = ("motion", "oximetry", "bp")
_OFTEN = (5, 3, 2)  # a home's sensors report more often than anyone measures
_RESTED_MMHG = 118
_STEPS_A_MMHG = 100
_STEPS_A_PERCENT = 10
_STEPS_A_BPM = 10
_STEPS_A_CUFF_BPM = 100


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
