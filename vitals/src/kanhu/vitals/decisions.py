"""What a rule answered about one reading: always a named reason, sometimes a finding."""

from enum import StrEnum

import msgspec

from kanhu.contract import Finding


class DecisionReason(StrEnum):
    """The closed list of answers. docs/rules.md explains each."""

    # These carry a finding.
    PRESSED = "pressed"
    REPEATED = "repeated"
    CONFIRMED = "confirmed"
    RECURRED = "recurred"
    LEVEL_RAISED = "level_raised"
    CLEARED = "cleared"
    CALLED_OFF = "called_off"
    # The reading counts, and nothing is said yet, or again.
    CONFIRMING = "confirming"
    ALREADY_RAISED = "already_raised"
    HOLDING = "holding"
    CLEARING = "clearing"
    WITHIN_LIMIT = "within_limit"
    NOT_CONFIRMED = "not_confirmed"
    TOO_SOON = "too_soon"
    WINDOW_EXPIRED = "window_expired"
    LAPSED = "lapsed"
    RELEASED = "released"
    COLLECTING = "collecting"
    REGULAR = "regular"
    EXTRA_BEATS = "extra_beats"
    LEARNING = "learning"
    AS_USUAL = "as_usual"
    SHIFTED = "shifted"
    # The reading does not count.
    QUALITY_QUESTIONABLE = "quality_questionable"
    QUALITY_UNUSABLE = "quality_unusable"
    OUT_OF_RANGE = "out_of_range"
    NO_VALUE = "no_value"
    MOVING = "moving"
    CLOCK_UNSET = "clock_unset"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out_of_order"
    IDENTITY_UNKNOWN = "identity_unknown"
    NOT_APPLICABLE = "not_applicable"
    # The rule would have spoken, and is not approved.
    SHADOW = "shadow"


class Decision(msgspec.Struct, frozen=True):
    """One rule's answer. `finding` is there exactly where something has to be recorded and delivered."""

    rule: str
    reason: DecisionReason
    finding: Finding | None = None
