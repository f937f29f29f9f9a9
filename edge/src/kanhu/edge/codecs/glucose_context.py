"""Decode the Bluetooth SIG Glucose Measurement Context (characteristic 0x2A34).

Field order and flags follow the Glucose Service specification: flags, sequence, [extended flags], [carbohydrate],
[meal], [tester and health], [exercise], [medication], [HbA1c]. It belongs to the measurement of the same sequence.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum

from kanhu.contract import Meal
from kanhu.edge.codecs.sfloat import decode_sfloat_or_absent
from kanhu.edge.errors import DecodeError, DecodeReason

CHARACTERISTIC_UUID = "00002a34-0000-1000-8000-00805f9b34fb"

_HAS_CARBOHYDRATE = 0x01
_HAS_MEAL = 0x02
_HAS_TESTER_AND_HEALTH = 0x04
_HAS_EXERCISE = 0x08
_HAS_MEDICATION = 0x10
_MEDICATION_IN_LITRES = 0x20
_HAS_HBA1C = 0x40
_HAS_EXTENDED_FLAGS = 0x80

_MAX_BYTES = 512  # the longest attribute value in ATT


class Carbohydrate(Enum):
    """What was eaten."""

    BREAKFAST = 1
    LUNCH = 2
    DINNER = 3
    SNACK = 4
    DRINK = 5
    SUPPER = 6
    BRUNCH = 7


class MeasuredBy(Enum):
    """Who measured."""

    SELF = 1
    HEALTH_CARE_PROFESSIONAL = 2
    LAB_TEST = 3
    NOT_AVAILABLE = 15


class Health(Enum):
    """How the person was."""

    MINOR_HEALTH_ISSUES = 1
    MAJOR_HEALTH_ISSUES = 2
    DURING_MENSES = 3
    UNDER_STRESS = 4
    NO_HEALTH_ISSUES = 5
    NOT_AVAILABLE = 15


class Medication(Enum):
    """Which insulin was taken."""

    RAPID_ACTING_INSULIN = 1
    SHORT_ACTING_INSULIN = 2
    INTERMEDIATE_ACTING_INSULIN = 3
    LONG_ACTING_INSULIN = 4
    PREMIXED_INSULIN = 5


class MedicationUnit(StrEnum):
    """What its amount counts."""

    KILOGRAM = "kg"
    LITRE = "L"


_CARBOHYDRATES = {one.value: one for one in Carbohydrate}
_TESTERS = {one.value: one for one in MeasuredBy}
_HEALTHS = {one.value: one for one in Health}
_MEDICATIONS = {one.value: one for one in Medication}
_MEALS = {1: Meal.BEFORE, 2: Meal.AFTER, 3: Meal.FASTING, 4: Meal.CASUAL, 5: Meal.BEDTIME}


@dataclass(frozen=True, slots=True)
class GlucoseContext:
    """Circumstances of one measurement; None is not sent, or a code that the specification keeps for later."""

    sequence: int
    carbohydrate: Carbohydrate | None
    carbohydrate_kg: Decimal | None
    meal: Meal | None
    tester: MeasuredBy | None
    health: Health | None
    exercise_s: int | None  # 65535: that long or longer
    exercise_percent: int | None
    medication: Medication | None
    medication_amount: Decimal | None  # in `medication_unit`
    medication_unit: MedicationUnit | None
    hba1c_percent: Decimal | None


def decode_glucose_context(frame: bytes) -> GlucoseContext:
    """Decode one 0x2A34 frame; bytes behind the fields that the flags name are left unread.

    Raises:
        DecodeError: the frame is shorter than its flags say, or a number is a reserved one.
    """
    if len(frame) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    if not frame:
        raise DecodeError(DecodeReason.SHORT, "no flags")
    flags = frame[0]
    sequence = int.from_bytes(_bytes(frame, 1, 2), "little")
    at = 3
    if flags & _HAS_EXTENDED_FLAGS:  # all of them are kept for later
        _bytes(frame, at, 1)
        at += 1
    carbohydrate: Carbohydrate | None = None
    carbohydrate_kg: Decimal | None = None
    if flags & _HAS_CARBOHYDRATE:
        carbohydrate = _CARBOHYDRATES.get(_bytes(frame, at, 1)[0])
        carbohydrate_kg = decode_sfloat_or_absent(frame, at + 1, field="carbohydrate")
        at += 3
    meal: Meal | None = None
    if flags & _HAS_MEAL:
        meal = _MEALS.get(_bytes(frame, at, 1)[0])
        at += 1
    tester: MeasuredBy | None = None
    health: Health | None = None
    if flags & _HAS_TESTER_AND_HEALTH:
        octet = _bytes(frame, at, 1)[0]
        tester, health = _TESTERS.get(octet & 0x0F), _HEALTHS.get(octet >> 4)
        at += 1
    exercise_s: int | None = None
    exercise_percent: int | None = None
    if flags & _HAS_EXERCISE:
        exercise_s = int.from_bytes(_bytes(frame, at, 2), "little")
        exercise_percent = _bytes(frame, at + 2, 1)[0]
        at += 3
    medication: Medication | None = None
    amount: Decimal | None = None
    if flags & _HAS_MEDICATION:
        medication = _MEDICATIONS.get(_bytes(frame, at, 1)[0])
        amount = decode_sfloat_or_absent(frame, at + 1, field="medication")
        at += 3
    hba1c = decode_sfloat_or_absent(frame, at, field="HbA1c") if flags & _HAS_HBA1C else None
    return GlucoseContext(
        sequence=sequence,
        carbohydrate=carbohydrate,
        carbohydrate_kg=carbohydrate_kg,
        meal=meal,
        tester=tester,
        health=health,
        exercise_s=exercise_s,
        exercise_percent=exercise_percent,
        medication=medication,
        medication_amount=amount,
        medication_unit=_unit(flags) if flags & _HAS_MEDICATION else None,
        hba1c_percent=hba1c,
    )


def _unit(flags: int) -> MedicationUnit:
    return MedicationUnit.LITRE if flags & _MEDICATION_IN_LITRES else MedicationUnit.KILOGRAM


def _bytes(frame: bytes, at: int, count: int) -> bytes:
    if at + count > len(frame):
        raise DecodeError(DecodeReason.SHORT, f"flags 0x{frame[0]:02X} need {at + count} bytes, got {len(frame)}")
    return frame[at : at + count]
