"""What comes again: one alert while it is open, told anew only when the level rises or somebody calls for help."""

import msgspec
import pytest

from kanhu.cloud.alerting import intake, state
from kanhu.cloud.alerting.state import Found, Grouping, Recurred
from kanhu.cloud.desk.model import ActResult, AlertRow, Outcome
from kanhu.contract import FakeClock, Finding, Phase, Priority
from tests.cloud.town import COUNTY, Town, finding, only


def _low_oxygen(
    clock: FakeClock,
    *,
    episode: int = 1,
    phase: Phase = Phase.START,
    priority: Priority = Priority.MEDIUM,
    reason: str = "confirmed",
) -> Finding:
    said = finding(clock.wall_ms(), first_ns=episode, phase=phase, priority=priority, rule="SPO2-LOW")
    return msgspec.structs.replace(said, reason=reason)


def _claim(town: Town, row: AlertRow) -> None:
    assert town.county.services.desk.claim(COUNTY, row.id, key=f"claim-{row.revision}")[0] is ActResult.DONE


def _close(town: Town, row: AlertRow, *, key: str = "close") -> None:
    desk = town.county.services.desk
    assert desk.close(COUNTY, row.id, outcome=Outcome.TRUE_ACTION, note="", key=key) is ActResult.DONE


def _recurrences(town: Town, alert: str) -> list[Grouping]:
    return [event.reason for _, event in town.events(alert) if isinstance(event, Recurred)]


def test_what_recurs_while_open_is_counted_on_the_same_alert_and_its_owner_keeps_it(
    town: Town, clock: FakeClock
) -> None:
    town.send((1, _low_oxygen(clock)))
    first = only(town.board())
    _claim(town, first)
    clock.advance(1800)
    town.send((2, _low_oxygen(clock, episode=2)))
    row = only(town.board())
    assert (row.id, row.count, row.handling) == (first.id, 2, "in_progress")
    assert row.claim is not None
    assert _recurrences(town, row.id) == [Grouping.RECURRED]
    assert town.counter("stage.group.recurred") == 1


def test_findings_under_a_joined_id_land_on_the_alert_it_joined(town: Town, clock: FakeClock) -> None:
    town.send((1, _low_oxygen(clock)))
    clock.advance(60)
    town.send((2, _low_oxygen(clock, phase=Phase.END)))
    clock.advance(1800)
    town.send((3, _low_oxygen(clock, episode=2)))
    assert only(town.board()).condition == "present"
    clock.advance(60)
    town.send((4, _low_oxygen(clock, episode=2, phase=Phase.CONTINUE, priority=Priority.HIGH)))
    assert (only(town.board()).priority, only(town.board()).count) == (Priority.HIGH, 3)
    clock.advance(60)
    ended = _low_oxygen(clock, episode=2, phase=Phase.END)
    town.send((5, ended))
    assert only(town.board()).condition == "absent"
    town.stop()
    town.start()
    town.send((6, ended))
    assert only(town.board()).count == 3, "repetition under a joined id changes nothing"


@pytest.mark.parametrize("episode", [1, 2], ids=["under the id it had", "under a new one"])
def test_a_rise_in_level_is_told_anew_even_where_somebody_has_it(town: Town, clock: FakeClock, episode: int) -> None:
    town.send((1, _low_oxygen(clock)))
    _claim(town, only(town.board()))
    clock.advance(1200)
    town.send((2, _low_oxygen(clock, episode=episode, phase=Phase.CONTINUE, priority=Priority.HIGH)))
    row = only(town.board())
    assert (row.priority, row.handling, row.claim, row.count) == (Priority.HIGH, "new", None, 2)
    assert row.due_at.timestamp() * 1000 - clock.wall_ms() == 15 * 60_000
    town.pass_time(301)
    raised = town.state(row.id)
    assert raised is not None
    assert raised.level == 1, "nobody took it: five minutes, as for any high one"


def test_a_new_press_of_the_button_calls_again_though_the_last_one_is_taken(town: Town, clock: FakeClock) -> None:
    town.send((1, finding(clock.wall_ms())))
    first = only(town.board())
    _claim(town, first)
    clock.advance(700)
    town.send((2, finding(clock.wall_ms(), first_ns=2)))
    row = only(town.board())
    assert (row.id, row.count, row.handling, row.claim) == (first.id, 2, "new", None)
    assert _recurrences(town, row.id) == [Grouping.CALLED_AGAIN]
    assert town.county.services.desk.claim(COUNTY, row.id, key="again")[0] is ActResult.DONE


def test_more_presses_never_put_off_the_escalation_of_a_call_nobody_took(town: Town, clock: FakeClock) -> None:
    for press in range(1, 5):
        town.send((press, finding(clock.wall_ms(), first_ns=press)))
        town.pass_time(100)
    kept = town.state(only(town.board()).id)
    assert kept is not None
    assert (kept.count, kept.level) == (4, 1)


def test_without_telling_anew_a_second_call_for_help_would_stay_with_its_old_owner(
    town: Town, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken on purpose: what recurs is grouped and nothing more."""
    monkeypatch.setattr(state, "_given_back", lambda kept, *_: kept)
    with pytest.raises(AssertionError):
        test_a_new_press_of_the_button_calls_again_though_the_last_one_is_taken(town, clock)


def test_after_the_close_a_new_id_is_a_new_alert(town: Town, clock: FakeClock) -> None:
    town.send((1, _low_oxygen(clock)))
    first = only(town.board())
    _close(town, first)
    clock.advance(1800)
    town.send((2, _low_oxygen(clock, episode=2)))
    row = only(town.board())
    assert row.id != first.id
    assert row.count == 1


def test_a_closed_alert_comes_back_when_its_condition_had_ended_and_is_there_again(
    town: Town, clock: FakeClock
) -> None:
    town.send((1, _low_oxygen(clock)))
    first = only(town.board())
    clock.advance(60)
    town.send((2, _low_oxygen(clock, phase=Phase.END)))
    _close(town, first)
    clock.advance(60)
    town.send((3, _low_oxygen(clock, phase=Phase.CONTINUE, reason="already_raised")))
    assert not town.board(), "the same condition going on stays closed"
    clock.advance(60)
    town.send((4, _low_oxygen(clock, phase=Phase.CONTINUE, reason="recurred")))
    row = only(town.board())
    assert (row.id, row.handling, row.priority, row.outcome) == (first.id, "new", Priority.MEDIUM, None)
    assert town.counter("stage.inhibit.returned") == 1


def test_one_gateway_that_sees_nothing_more_does_not_end_what_another_still_sees(town: Town, clock: FakeClock) -> None:
    """The person is measured at home and in the clinic."""
    town.send((1, _low_oxygen(clock)))
    clock.advance(600)
    town.send((1, _low_oxygen(clock, episode=2)), gateway="home-02")
    clock.advance(600)
    town.send((2, _low_oxygen(clock, episode=2, phase=Phase.END)), gateway="home-02")
    assert only(town.board()).condition == "present"
    clock.advance(600)
    town.send((2, _low_oxygen(clock, phase=Phase.END)))
    assert only(town.board()).condition == "absent"


def test_other_rules_and_other_people_are_never_grouped(town: Town, clock: FakeClock) -> None:
    town.send((1, _low_oxygen(clock)), (2, finding(clock.wall_ms())), (3, finding(clock.wall_ms(), number=2)))
    assert len(town.board()) == 3


def test_a_gateway_that_falls_silent_again_is_counted_on_its_open_alert_and_ended_by_its_heartbeat(
    town: Town,
) -> None:
    town.pass_time(60)
    town.beat("home-01")
    town.pass_time(16 * 60)
    town.beat("home-01")
    first = only(town.board())
    assert (first.priority, first.condition) == (Priority.MEDIUM, "absent")
    town.pass_time(200)
    row = only(town.board())
    assert (row.id, row.condition) == (first.id, "present")
    town.beat("home-01")
    assert only(town.board()).condition == "absent"


def test_a_reading_about_somebody_of_another_home_is_stored_raised_counted_and_named(
    town: Town, clock: FakeClock
) -> None:
    town.send((1, finding(clock.wall_ms())), gateway="home-03")
    town.send((2, _low_oxygen(clock)))
    rows = {row.rule: row for row in town.board()}
    page = town.county.services.desk.alert(COUNTY, rows["SOS"].id)
    assert page is not None
    assert [event.kind for event in page.events] == ["found", "foreign_subject"]
    assert "home-03" in page.events[1].text.zh
    assert "home-01" in page.events[1].text.en
    assert rows["SOS"].person is not None
    assert dict(town.county.services.desk.equipment(COUNTY).counters)["foreign_subject"] == 1
    assert [event for _, event in town.events(rows["SPO2-LOW"].id) if not isinstance(event, Found)] == []


def test_an_id_of_somebody_elses_alert_moves_and_changes_nothing_of_it(town: Town, clock: FakeClock) -> None:
    """A gateway of another township names the alert of a person here, as if it were its own resident's."""
    honest = finding(clock.wall_ms())
    town.send((1, honest))
    clock.advance(60)
    other = msgspec.structs.replace(
        finding(clock.wall_ms(), number=3, phase=Phase.END), alert_id=honest.alert_id, rule="SOS"
    )
    town.send((1, other), gateway="home-03")
    kept = town.state(honest.alert_id)
    assert kept is not None
    assert (kept.subject, kept.condition.value, kept.count) == ("r-0001", "present", 1)
    assert {(row.subject, row.id == honest.alert_id) for row in town.board()} == {("r-0001", True), ("r-0003", False)}
    assert town.counter("ingest.alert_ids_replaced") == 1


def test_an_alert_whose_id_no_route_can_name_gets_one_that_a_person_can_take(town: Town, clock: FakeClock) -> None:
    strange = msgspec.structs.replace(finding(clock.wall_ms()), alert_id="../警 报")
    town.send((1, strange))
    row = only(town.board())
    assert intake._ALERT_ID.fullmatch(row.id)
    _claim(town, row)
    town.send((1, strange), (2, msgspec.structs.replace(strange, phase=Phase.CONTINUE)))
    assert only(town.board()).count == 2
