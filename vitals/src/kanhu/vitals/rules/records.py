"""What a rule pack says, as records. Every number comes from the pack file; none has a default here."""

from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec

from kanhu.contract import Priority

Seconds = float

DWELLING = "dwelling"
"""Population of a rule that listens to the rooms."""


class Runs(StrEnum):
    """Where a rule is judged; exactly one place."""

    GATEWAY = "gateway"
    CLOUD = "cloud"


class RuleKind(StrEnum):
    """What a rule looks at."""

    EVENT = "event"
    THRESHOLD = "threshold"
    RHYTHM = "rhythm"
    GAIN = "gain"
    TREND = "trend"
    SILENCE = "silence"
    ALARM = "alarm"
    CLOCK = "clock"
    FLOOD = "flood"
    IDENTITY = "identity"


class Setting(StrEnum):
    """Where people are measured."""

    HOME = "home"
    CLINIC = "clinic"
    WEARABLE = "wearable"


class Language(StrEnum):
    """Languages that every sentence exists in."""

    EN = "en"
    ZH = "zh"


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the pack file: all fields named, none unknown."""


class Texts(_Table, frozen=True):
    """One text in every language."""

    en: str
    zh: str

    def in_language(self, language: Language) -> str:
        """The text in one language."""
        return self.zh if language is Language.ZH else self.en


# ------------------------------------------------------------------------------------------- triggers


class EventTrigger(_Table, frozen=True):
    """A press, or another event, above zero."""

    metric: str
    questionable_priority: Priority
    """Priority of an event that the device itself doubts: it may not be high, and must not be lost."""
    again_priority: Priority | None = None
    """Of a condition that is told again while it lasts: it has grown worse. None: the same again says nothing new."""
    fine_step: int | None = None
    """Value by which the person says "I am fine"; counts within `dedupe_s` of a call, and is a call at other times."""


class Limit(_Table, frozen=True):
    """Limits of one component. A side that is None is not watched."""

    metric: str
    unit: str
    at_or_below: Decimal | None = None
    at_or_above: Decimal | None = None
    chronic_lung_below: Decimal | None = None
    """Replaces `at_or_below` for people with chronic lung disease; a person's own limit replaces both."""
    high_at_or_below: Decimal | None = None
    """From here on the priority is high."""
    clear_margin: Decimal | None = None
    """Clear is this much inside the limit, or further."""
    clear_below: Decimal | None = None
    """Clear is strictly below this, where the source says so instead of giving a margin."""


class ThresholdTrigger(_Table, frozen=True):
    """Any one of these limits reached."""

    metrics: tuple[str, ...]
    """What is heard: each has at least one of the limits, as itself or as a part of it."""
    limits: tuple[Limit, ...]
    at_rest: bool
    """Readings while moving do not count."""


class RhythmTrigger(_Table, frozen=True):
    """An irregular window of beat intervals."""

    metric: str
    series: str
    unit: str
    window_beats: int
    gap_s: Seconds
    """Time without beats that breaks a window."""
    symbol_bpm: float
    entropy_above: float
    filtered_entropy_above: float
    """The same after single extra beats are taken out."""


class GainTrigger(_Table, frozen=True):
    """More than so much within so many days, on one scale, in the morning."""

    metric: str
    unit: str
    gain: Decimal
    days: int
    over: Decimal
    """A gain is over where no more than this of it is left."""
    from_hour: float
    """Of the local day: from here to `to_hour` a weighing counts."""
    to_hour: float


class Vital(_Table, frozen=True):
    """One vital; its typical spread within a person (1.4826 * MAD of daily readings), and the least credited."""

    metric: str
    unit: str
    group: str
    """Vitals of one group measure the same thing, and do not agree with each other for a second opinion."""
    population_sd: Decimal
    floor_sd: Decimal


class TrendTrigger(_Table, frozen=True):
    """A change of a person's daily summaries against their own baseline: CUSUM."""

    vitals: tuple[Vital, ...]
    slack_sd: float
    signal_at: float
    signal_at_learning: float
    clip_sd: float
    baseline_readings: int
    least_readings: int
    shrink_readings: float
    level_weight: float
    level_clip_sd: float
    level_below: float


class SilenceTrigger(_Table, frozen=True):
    """No heartbeat of a gateway for so long."""

    technical_s: Seconds
    watch_list_s: Seconds
    all_s: Seconds
    grace_s: Seconds
    """After the county itself was not listening, the least time a gateway has to come back."""
    then: Priority
    watch_list: tuple[str, ...]
    """Tags that put a person on the watch list."""


class AlarmTrigger(_Table, frozen=True):
    """A part of a gateway's own alarm that it says is broken for so long."""

    for_s: Seconds


class ClockTrigger(_Table, frozen=True):
    """A device whose own clock is off, as the gateway compares it."""

    ahead_s: Seconds
    behind_s: Seconds
    ahead_for_s: Seconds
    """It has to be further ahead than `ahead_s` for so long."""
    behind_for_s: Seconds
    """Longer: a reading that the device had kept looks like a slow clock until the next one."""
    clear_s: Seconds
    """Right again is this near, or nearer."""

    def is_off(self, error_s: int) -> bool:
        """Whether this error, ahead counts positive, is beyond the limit."""
        return error_s > self.ahead_s or -error_s > self.behind_s


class FloodTrigger(_Table, frozen=True):
    """A gateway that sends more than the county takes of one, so that messages are turned away for so long."""

    for_s: Seconds
    clear_s: Seconds
    """Over is when nothing was turned away for so long."""


class IdentityTrigger(_Table, frozen=True):
    """A gateway that came back with a certificate that had run out: the county's authority sees it, and no number."""


Trigger = (
    EventTrigger
    | ThresholdTrigger
    | RhythmTrigger
    | GainTrigger
    | TrendTrigger
    | SilenceTrigger
    | AlarmTrigger
    | ClockTrigger
    | FloodTrigger
    | IdentityTrigger
)


def heard_metrics(trigger: Trigger) -> tuple[str, ...]:
    """Metrics of the readings that a rule is judged by, one after another; none where it looks at something else."""
    match trigger:
        case ThresholdTrigger(metrics=metrics):
            return metrics
        case EventTrigger(metric=metric) | RhythmTrigger(metric=metric) | GainTrigger(metric=metric):
            return (metric,)
        case _:
            return ()


# --------------------------------------------------------------------------- confirmation and clearing


class Once(_Table, frozen=True, tag_field="mode", tag="once"):
    """The first is enough."""


class Asked(_Table, frozen=True, tag_field="mode", tag="asked"):
    """Before the gateway reports the event it asks aloud so many times, and waits so long after each time."""

    prompts: int
    apart_s: Seconds


class Consecutive(_Table, frozen=True, tag_field="mode", tag="consecutive"):
    """So many good readings in a row, first to last within so long."""

    count: int
    within_s: Seconds


class RepeatMean(_Table, frozen=True, tag_field="mode", tag="repeat_mean"):
    """A second good reading after a rest, and the mean of both still at the limit."""

    earliest_s: Seconds
    latest_s: Seconds


class Sustained(_Table, frozen=True, tag_field="mode", tag="sustained"):
    """At the limit for at least `share` of so long, and never longer than `gap_s` without a good reading there."""

    for_s: Seconds
    share: float
    """Above 0, at most 1: every good reading. At one half the middle reading of the run is at the limit."""
    gap_s: Seconds


class WindowsOnDays(_Table, frozen=True, tag_field="mode", tag="windows_on_days"):
    """So many windows on each of so many local days, all within so many days."""

    windows: int
    days: int
    within_days: int


class Agreement(_Table, frozen=True, tag_field="mode", tag="agreement"):
    """So many vitals on one day, or one vital on so many days running."""

    vitals: int
    days: int


Confirm = Once | Asked | Consecutive | RepeatMean | Sustained | WindowsOnDays | Agreement


class ByPerson(_Table, frozen=True, tag_field="mode", tag="person"):
    """Only a person ends it."""


class ByHeartbeat(_Table, frozen=True, tag_field="mode", tag="heartbeat"):
    """The next heartbeat ends it."""


class ByReadings(_Table, frozen=True, tag_field="mode", tag="readings"):
    """So many good readings in a row, clear of the limit; of an event, the one that says it is over."""

    count: int


class BySustained(_Table, frozen=True, tag_field="mode", tag="sustained"):
    """Every good reading clear of the limit for so long."""

    for_s: Seconds
    gap_s: Seconds


Clear = ByPerson | ByHeartbeat | ByReadings | BySustained


# ------------------------------------------------------------------------------------ rules and packs


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule, complete: nothing about it is said elsewhere."""

    id: str
    version: str
    population: str
    """`all`, `tag:<tag>`, or `dwelling`: readings of the rooms, whoever lives there."""
    context: tuple[Setting, ...]
    runs: Runs
    kind: RuleKind
    trigger: Trigger
    confirm: Confirm
    clear: Clear
    priority: Priority
    dedupe_s: Seconds
    """A new episode this soon after the start of the last alert continues that alert."""
    lapse_s: Seconds
    """A reading at the limit so long after the last such reading is a new alert, even where nothing cleared the old."""
    renew_s: Seconds
    """So is one so long after the alert began, however steadily readings came: nobody closes a limit for ever."""
    source: str
    valid_from: date
    approved_by: str
    """Who approved it; empty: the rule runs in shadow and says nothing."""
    title: Texts
    sentence: Texts
    cleared: Texts | None = None
    """What is said when readings, or a heartbeat, end it; None where only a person does."""

    def approved(self) -> bool:
        """Whether it may speak."""
        return bool(self.approved_by.strip())


class RulePack(msgspec.Struct, frozen=True):
    """Rules of one dated version."""

    version: str
    rules: tuple[Rule, ...]

    def rule(self, rule_id: str) -> Rule | None:
        """One rule, or None."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        return None

    def device_clocks(self) -> ClockTrigger | None:
        """When a device's clock counts as wrong; None where the pack does not say."""
        return next((rule.trigger for rule in self.rules if isinstance(rule.trigger, ClockTrigger)), None)
