"""What a gateway did by itself: on the same alert, also late, calling nobody, hiding nothing."""

from itertools import permutations

import msgspec
import pytest

from kanhu.cloud.alerting.state import Acted, Found
from kanhu.cloud.desk.model import ActResult, Outcome
from kanhu.contract import FakeClock, Finding, Phase, Priority
from kanhu.contract.actions import ACTED_LOCALLY
from tests.cloud.town import COUNTY, Town, finding, only

VOICE = "voice done:recorded +62"
DOCTOR = "sms:village_doctor sent +64"
DELIVERED = "sms:village_doctor delivered +70"
FINE = "button called_off +90"


def _call(clock: FakeClock, *actions: str, phase: Phase = Phase.START) -> Finding:
    said = finding(clock.wall_ms(), first_ns=1, phase=phase, priority=Priority.HIGH, rule="SOS")
    if not actions:
        return said
    return msgspec.structs.replace(said, phase=Phase.CONTINUE, reason=ACTED_LOCALLY, actions=actions)


def test_what_was_done_is_on_the_same_alert_and_counts_as_no_new_call(town: Town, clock: FakeClock) -> None:
    call, voice, doctor = _call(clock), _call(clock, VOICE), _call(clock, VOICE, DOCTOR)
    clock.advance(600)
    town.send((1, call))
    before = only(town.board())
    assert town.county.services.desk.claim(COUNTY, before.id, key="claim")[0] is ActResult.DONE
    town.send((2, voice))
    town.send((3, doctor))
    row = only(town.board())
    assert (row.id, row.count, row.handling, row.due_at) == (before.id, 1, "in_progress", before.due_at)
    assert row.acted is not None
    assert row.acted.en == "gateway acted by itself: voice at home, message to the village doctor"
    assert row.acted.zh == "网关已自行处理：家中语音、短信给村医"
    page = town.county.services.desk.alert(COUNTY, row.id)
    assert page is not None
    told = [event.text.en for event in page.events if event.kind == "acted"]
    assert told == [
        "The gateway acted by itself: voice at home done, after 62 s",
        "The gateway acted by itself: message to the village doctor sent, after 64 s",
    ]
    assert town.counter("stage.group.acted_locally") == 2


def test_a_report_that_comes_after_the_close_is_kept_and_opens_nothing(town: Town, clock: FakeClock) -> None:
    town.send((1, _call(clock)))
    alert = only(town.board()).id
    desk = town.county.services.desk
    assert desk.close(COUNTY, alert, outcome=Outcome.TRUE_ACTION, note="", key="close") is ActResult.DONE
    clock.advance(3600)
    town.send((2, _call(clock, VOICE)))
    assert town.board() == ()
    page = desk.alert(COUNTY, alert)
    assert page is not None
    assert page.row.acted is not None


def test_the_same_report_twice_is_told_once(town: Town, clock: FakeClock) -> None:
    report = _call(clock, VOICE)
    town.send((1, _call(clock)), (2, report))
    town.send((3, report))
    alert = only(town.board()).id
    assert [type(event) for _, event in town.events(alert)] == [Found, Acted]


def test_a_report_before_its_finding_opens_the_alert_with_what_was_done(town: Town, clock: FakeClock) -> None:
    town.send((1, _call(clock, VOICE)))
    row = only(town.board())
    assert row.priority is Priority.HIGH
    assert row.acted is not None
    town.send((2, _call(clock)))
    assert only(town.board()).id == row.id


@pytest.mark.parametrize("order", list(permutations(range(4)))[::3])
def test_in_whatever_order_it_comes_the_alert_is_the_same(town: Town, clock: FakeClock, order: tuple[int, ...]) -> None:
    findings = [
        _call(clock),
        _call(clock, VOICE, DOCTOR),
        _call(clock, VOICE, DOCTOR, DELIVERED, "another make says so"),
        _call(clock, VOICE, DOCTOR, FINE),
    ]
    for number, place in enumerate(order, start=1):
        town.send((number, findings[place]))
    row = only(town.board())
    state = town.state(row.id)
    assert state is not None
    assert state.actions == (VOICE, DOCTOR, DELIVERED, FINE, "another make says so")


def test_a_person_who_is_fine_stays_on_the_board_until_somebody_closes_it(town: Town, clock: FakeClock) -> None:
    off = msgspec.structs.replace(_call(clock, phase=Phase.END), reason="called_off")
    town.send((1, _call(clock)), (2, off))
    row = only(town.board())
    assert (row.condition, row.handling, row.priority) == ("absent", "new", Priority.HIGH)
