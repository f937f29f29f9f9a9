"""The closed word lists of the records; each word is what stands on the wire."""

from enum import Enum, StrEnum


class Priority(StrEnum):
    """IEC 60601-1-8 words; red, amber and yellow are display."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    TECHNICAL = "technical"


class SubjectKind(StrEnum):
    """What a measurement is about."""

    RESIDENT = "resident"
    UNIDENTIFIED = "unidentified"
    DWELLING = "dwelling"


class QualityLevel(StrEnum):
    """How far a value may be used: questionable never raises high, never clears, never enters a baseline."""

    OK = "ok"
    QUESTIONABLE = "questionable"
    UNUSABLE = "unusable"


class QualityReason(StrEnum):
    """Why a value is not simply ok."""

    OUT_OF_RANGE = "out_of_range"
    IMPLAUSIBLE_PAIR = "implausible_pair"
    RATE_OF_CHANGE = "rate_of_change"
    REPEAT_DISAGREES = "repeat_disagrees"
    MOTION = "motion"
    NO_CONTACT = "no_contact"
    FINGER_OUT = "finger_out"
    SEARCHING = "searching"
    WEAK_SIGNAL = "weak_signal"
    LOW_PERFUSION = "low_perfusion"
    UNSTABLE = "unstable"
    CUFF_LOOSE = "cuff_loose"
    POSITION = "position"
    PULSE_OUT_OF_RANGE = "pulse_out_of_range"
    STUCK = "stuck"
    NOT_A_NUMBER = "not_a_number"
    DEVICE_CLOCK_UNSET = "device_clock_unset"
    IDENTITY_UNKNOWN = "identity_unknown"
    ABOVE_RANGE = "above_range"
    BELOW_RANGE = "below_range"
    QUESTIONED = "questioned"
    INTERFERENCE = "interference"
    UNPROVEN = "unproven"


class EventWord(Enum):
    """What an event says by its number, metric and step (docs/spec/metrics.md)."""

    CALL = ("help_button", 1)
    FINE = ("help_button", 2)
    """ "I am fine", after a call."""
    SIGN_GIVEN = ("well_check", 0)
    """The agreed daily sign of wellbeing."""
    SIGN_MISSING = ("well_check", 1)
    ACTIVE_AGAIN = ("inactivity", 0)
    """Somebody gave a sign after too long a silence."""
    DOSE_TAKEN = ("dosage", 1)
    DOSE_MISSED = ("dosage", 2)
    """Nobody acknowledged it in its time."""


class Meal(StrEnum):
    """Glucose context."""

    FASTING = "fasting"
    BEFORE = "before"
    AFTER = "after"
    CASUAL = "casual"
    BEDTIME = "bedtime"


class Motion(StrEnum):
    """Movement while measuring."""

    STILL = "still"
    MOVING = "moving"


class Posture(StrEnum):
    """Body position while measuring."""

    LYING = "lying"
    SITTING = "sitting"
    STANDING = "standing"


class Oxygen(StrEnum):
    """Whether the person breathed supplemental oxygen."""

    AIR = "air"
    SUPPLEMENTAL = "supplemental"


class Phase(StrEnum):
    """IHE ACM words for the life of a condition."""

    START = "start"
    CONTINUE = "continue"
    END = "end"


class GapReason(StrEnum):
    """Why accepted records will never arrive."""

    OUTBOX_FULL = "outbox_full"
    REFUSED_BY_COUNTY = "refused_by_county"
    DAMAGED = "damaged"
