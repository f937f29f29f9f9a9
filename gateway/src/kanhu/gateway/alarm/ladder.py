"""What is due for an alarm on one channel, and why: pure, no clock, no input or output.

    waiting ── no receipt in time ─▶ overdue ─▶ told, step 1 ─▶ pause ─▶ repeat … ─▶ ladder ended
                                       │  ▲
                                       │  └── failed, at most twice more a step, a minute apart
                                       └─ begun, and the process ended: once more, `end_unknown`

The pauses follow the escalation of the county (docs/alerts.md): while the county cannot be reached the gateway plays
its part alone. After an hour, the longest that somebody may lie on the floor, it goes on hourly for a day; what is
older than a day is for the work list and disturbs nobody at home any more.
"""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from kanhu.gateway.alarm.book import Alarm, Channel

_MINUTE_S = 60.0
_HOURS = 23
PAUSES_S: tuple[float, ...] = (
    5 * _MINUTE_S,  # told at 0, 5, 10, 15, 30 and 60 min after the time was over, as the county escalates
    5 * _MINUTE_S,
    5 * _MINUTE_S,
    15 * _MINUTE_S,
    30 * _MINUTE_S,
    *(60 * _MINUTE_S,) * _HOURS,
)
"""From each step to the next; after the last one nothing more is done."""
RETRY_S = 60.0
"""After a failure: the time in which a delivery receipt is missed for high alerts."""
WORK_S = 60 * _MINUTE_S
"""Quiet after somebody has answered that they see to it; the county gives a claim of high as long."""
MOST_FAILURES = 3
"""In one step; then the step is over, and the next comes in its time."""
_S = 1_000_000_000


class Reason(StrEnum):
    """Every answer; the first group asks for an act, the last ends the channel."""

    OVERDUE = "overdue"
    OVERDUE_AFTER_BOOT = "overdue_after_boot"
    REPEAT = "repeat"
    RETRY = "retry"
    END_UNKNOWN = "end_unknown"
    TAKEN_BACK = "taken_back"

    WAITING_FOR_RECEIPT = "waiting_for_receipt"
    PAUSE = "pause"

    CALLED_OFF = "called_off"
    CONDITION_ENDED = "condition_ended"
    LADDER_ENDED = "ladder_ended"


ACTS = frozenset(
    {
        Reason.OVERDUE,
        Reason.OVERDUE_AFTER_BOOT,
        Reason.REPEAT,
        Reason.RETRY,
        Reason.END_UNKNOWN,
        Reason.TAKEN_BACK,
    }
)
ENDS = frozenset({Reason.CALLED_OFF, Reason.CONDITION_ENDED, Reason.LADDER_ENDED})


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant on the monotonic clock of one boot."""

    boot: str
    mono_ns: int


def decide(alarm: Alarm, channel: Channel, *, now: Moment, receipt_s: float) -> Reason:
    """What is to be done now on this channel."""
    if alarm.called_off:
        return _called_off(channel, now)
    if channel.step >= len(PAUSES_S) + 1:
        return Reason.LADDER_ENDED
    if alarm.over and channel.step > 0:
        return Reason.CONDITION_ENDED
    if channel.running:
        return Reason.END_UNKNOWN
    if channel.step == 0 and channel.failures == 0:
        return _first(alarm, now, receipt_s)
    if not _is_due(channel, now):
        return Reason.PAUSE
    return Reason.RETRY if channel.failures else Reason.REPEAT


def begun(channel: Channel) -> Channel:
    """The channel as an attempt begins."""
    return msgspec.structs.replace(channel, running=True, attempts=channel.attempts + 1)


def recovered(alarm: Alarm, channel: Channel, *, now: Moment) -> Channel:
    """The channel at the start of a process, where an earlier one ended in the middle of an attempt.

    It is tried once more at once, and again after the next crash: but where the attempt itself takes the power down,
    as a modem on a weak supply does, not for ever.
    """
    failures = channel.failures + 1
    if failures >= MOST_FAILURES:
        return _given_up(alarm, channel, now)
    return msgspec.structs.replace(channel, failures=failures)


def succeeded(channel: Channel, *, now: Moment, references: tuple[int, ...] = ()) -> Channel:
    """The channel after an attempt that came out well."""
    return msgspec.structs.replace(_next_step(channel, now), told=True, references=references)


def seen_to(channel: Channel, *, now: Moment) -> Channel:
    """The channel after somebody has answered that they see to it: quiet for the time that work takes."""
    due_ns = now.mono_ns + round(WORK_S * _S)
    return msgspec.structs.replace(channel, step=max(channel.step, 1), failures=0, boot=now.boot, due_ns=due_ns)


def failed(alarm: Alarm, channel: Channel, *, now: Moment) -> Channel:
    """The channel after an attempt that did not."""
    failures = channel.failures + 1
    if failures >= MOST_FAILURES:
        return _given_up(alarm, channel, now)
    due_ns = now.mono_ns + round(RETRY_S * _S)
    return msgspec.structs.replace(channel, failures=failures, running=False, boot=now.boot, due_ns=due_ns)


def _given_up(alarm: Alarm, channel: Channel, now: Moment) -> Channel:
    """Until the next step; what is to be taken back has none."""
    return msgspec.structs.replace(_next_step(channel, now), called_off=alarm.called_off)


def _next_step(channel: Channel, now: Moment) -> Channel:
    pause_s = PAUSES_S[channel.step] if channel.step < len(PAUSES_S) else 0.0
    return msgspec.structs.replace(
        channel,
        step=channel.step + 1,
        failures=0,
        running=False,
        boot=now.boot,
        due_ns=now.mono_ns + round(pause_s * _S),
    )


def _called_off(channel: Channel, now: Moment) -> Reason:
    if channel.called_off or not (channel.told or channel.running):
        return Reason.CALLED_OFF
    if channel.failures and not _is_due(channel, now):
        return Reason.PAUSE
    return Reason.TAKEN_BACK


def _first(alarm: Alarm, now: Moment, receipt_s: float) -> Reason:
    times = alarm.finding.times
    if times.boot != now.boot:
        # Nobody knows how long the power was away: the link gets its time from the beginning of this boot, not more.
        return Reason.OVERDUE_AFTER_BOOT if now.mono_ns >= receipt_s * _S else Reason.WAITING_FOR_RECEIPT
    over = now.mono_ns - times.mono_ns >= receipt_s * _S
    return Reason.OVERDUE if over else Reason.WAITING_FOR_RECEIPT


def _is_due(channel: Channel, now: Moment) -> bool:
    if channel.boot == now.boot:
        return now.mono_ns >= channel.due_ns
    pause_s = RETRY_S if channel.failures else PAUSES_S[channel.step - 1]
    return now.mono_ns >= pause_s * _S
