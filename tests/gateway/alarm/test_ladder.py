"""The ladder under any luck: never early, never for ever, never twice in a step after it went well."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.gateway.alarm import ladder
from kanhu.gateway.alarm.book import Alarm, Channel
from kanhu.gateway.alarm.ladder import ACTS, ENDS, Moment, Reason
from tests.gateway.records import BOOT, sos

RECEIPT_S = 60.0
_S = 1_000_000_000
ALARM = Alarm("alert-0", 1, sos(0))  # of second 0 of its boot


class Luck(msgspec.Struct, frozen=True):
    """What happens at one look: how an attempt comes out, and how long the next look is away."""

    outcome: str
    seconds: int


LUCK = st.builds(Luck, st.sampled_from(["well", "failed", "killed", "power_cut"]), st.integers(1, 4000))


@given(st.lists(LUCK, max_size=200))
def test_an_alarm_is_told_in_time_and_comes_to_an_end(lucks: list[Luck]) -> None:
    boots, at_s, attempts, well = 0, 0, 0, 0
    channel = Channel()
    for luck in (*lucks, *[Luck("well", 4000)] * 40):
        now = Moment(BOOT if boots == 0 else f"boot-{boots}", at_s * _S)
        reason = ladder.decide(ALARM, channel, now=now, receipt_s=RECEIPT_S)
        assert (reason is Reason.WAITING_FOR_RECEIPT) <= (at_s < RECEIPT_S), "waits no longer than it may"
        if reason in ENDS:
            break
        at_s += luck.seconds
        if reason not in ACTS:
            continue
        assert now.mono_ns >= RECEIPT_S * _S or attempts, "nothing is told before its time"
        attempts += 1
        channel = ladder.begun(channel)
        if luck.outcome == "well":
            well += 1
            channel = ladder.succeeded(channel, now=now)
            assert ladder.decide(ALARM, channel, now=now, receipt_s=RECEIPT_S) not in ACTS, "once a step"
        elif luck.outcome == "failed":
            channel = ladder.failed(ALARM, channel, now=now)
        else:
            if luck.outcome == "power_cut":
                boots, at_s = boots + 1, 0
            channel = ladder.recovered(ALARM, channel, now=Moment(f"boot-{boots}" if boots else BOOT, at_s * _S))
    else:
        pytest.fail("it never ended")
    assert attempts <= ladder.MOST_FAILURES * (len(ladder.PAUSES_S) + 1)
    assert well <= len(ladder.PAUSES_S) + 1


@given(st.lists(st.sampled_from(["well", "failed", "killed"]), max_size=12), st.booleans())
def test_what_is_called_off_is_taken_back_at_most_three_times_and_only_where_somebody_may_know(
    outcomes: list[str], told: bool
) -> None:
    alarm = msgspec.structs.replace(ALARM, called_off=True)
    channel = Channel(step=1, told=told, boot=BOOT)
    attempts, at_s = 0, 100
    for outcome in (*outcomes, *["failed"] * 4):
        now = Moment(BOOT, at_s * _S)
        reason = ladder.decide(alarm, channel, now=now, receipt_s=RECEIPT_S)
        at_s += 61
        if reason is Reason.CALLED_OFF:
            break
        assert reason is Reason.TAKEN_BACK
        attempts += 1
        channel = ladder.begun(channel)
        if outcome == "well":
            channel = msgspec.structs.replace(channel, running=False, called_off=True)
        elif outcome == "failed":
            channel = ladder.failed(alarm, channel, now=now)
        else:
            channel = ladder.recovered(alarm, channel, now=now)
    else:
        pytest.fail("it never ended")
    assert attempts == 0 if not told else 1 <= attempts <= ladder.MOST_FAILURES
