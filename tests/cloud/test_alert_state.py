"""An alert is the fold of its log: order, repetition and crashes of messages change nothing."""

import atexit
import shutil
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kanhu.cloud.alerting.deadlines import MOST_A_TICK
from kanhu.cloud.alerting.log import deadlines, decode_state
from kanhu.cloud.alerting.policy import HOUR_MS
from kanhu.cloud.alerting.state import AlertState, Closed, Escalated, Found, Handling, fold
from kanhu.cloud.desk.model import ActResult, Outcome, Viewer
from kanhu.contract import ClockState, FakeClock, Finding, Phase, Priority, alert_id
from tests.cloud.town import COUNTY, OTHER, Town, finding, heartbeat, resident

_KEYS = count(1)
_FOLDER = Path(mkdtemp(prefix="kanhu-alert-state-"))  # examples of one test outnumber its tmp_path
atexit.register(shutil.rmtree, _FOLDER)


@st.composite
def _findings(draw: st.DrawFn) -> list[Finding]:
    """Findings of one alert, at rising own times."""
    clock = FakeClock()
    return [
        finding(
            clock.wall_ms() - 60_000 + 1000 * number,
            mono_ns=10**9 * number,
            priority=draw(st.sampled_from([Priority.HIGH, Priority.MEDIUM, Priority.LOW])),
            phase=draw(st.sampled_from(list(Phase))),
        )
        for number in range(draw(st.integers(1, 6)))
    ]


@settings(max_examples=12, deadline=None)
@given(data=st.data(), findings=_findings())
def test_replay_duplication_and_reordering_of_findings_give_the_same_state(
    data: st.DataObject, findings: list[Finding]
) -> None:
    """Broken variants of this (last message wins, counting every message) fail within a few examples."""
    shuffled = data.draw(st.permutations(findings)) + data.draw(st.lists(st.sampled_from(findings), max_size=4))
    first, second = (Town(_FOLDER / f"{next(_KEYS)}", FakeClock()) for _ in range(2))
    try:
        for seq, one in enumerate(findings, start=1):
            first.send((seq, one))
        for seq, one in enumerate(shuffled, start=1):
            second.send((seq, one))
        assert first.state(findings[0].alert_id) == second.state(findings[0].alert_id)
        assert first.board()[0].count == second.board()[0].count
    finally:
        first.stop()
        second.stop()


class AlertLife(RuleBasedStateMachine):
    """Findings, people and time in any order, with restarts of the service between them."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.seq = count(1)
        self.closed_by_name: dict[str, int] = {}

    @initialize()
    def open_town(self) -> None:
        self.town = Town(_FOLDER / f"{next(_KEYS)}", self.clock)
        self.town.connected()

    @rule(
        number=st.integers(1, 2),
        episode=st.integers(1, 3),
        reason=st.sampled_from(["confirmed", "recurred"]),
        priority=st.sampled_from([Priority.HIGH, Priority.MEDIUM, Priority.LOW]),
        phase=st.sampled_from(list(Phase)),
        age_s=st.sampled_from([0, 5, 3600, 100_000]),
    )
    def finding_arrives(
        self, number: int, episode: int, reason: str, priority: Priority, phase: Phase, age_s: int
    ) -> None:
        own_ms = self.clock.wall_ms() - 1000 * age_s
        said = finding(own_ms, number=number, first_ns=episode, priority=priority, phase=phase)
        self.town.send((next(self.seq), msgspec.structs.replace(said, reason=reason)))

    @rule(number=st.integers(1, 2), viewer=st.sampled_from([COUNTY, OTHER]))
    def claimed(self, number: int, viewer: Viewer) -> None:
        self.town.county.services.desk.claim(viewer, self._open(number), key=f"{next(_KEYS)}")

    @rule(number=st.integers(1, 2))
    def undone(self, number: int) -> None:
        self.town.county.services.desk.undo(COUNTY, self._open(number), key=f"{next(_KEYS)}")

    @rule(number=st.integers(1, 2), outcome=st.sampled_from([Outcome.TRUE_ACTION, Outcome.UNREACHABLE]))
    def closed(self, number: int, outcome: Outcome) -> None:
        alert = self._open(number)
        result = self.town.county.services.desk.close(COUNTY, alert, outcome=outcome, note="", key=f"{next(_KEYS)}")
        if result is ActResult.DONE:
            self.closed_by_name[alert] = self.closed_by_name.get(alert, 0) + 1

    @rule(seconds=st.sampled_from([1, 12, 600, 4000, 50_000]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.town.tick()

    @precondition(lambda self: hasattr(self, "town"))
    @rule()
    def service_restarts(self) -> None:
        self.town.stop()
        self.town.start()

    @invariant()
    def state_is_the_fold_of_the_log(self) -> None:
        for alert, state in self._states().items():
            assert fold(self.town.events(alert)) == state

    @invariant()
    def every_open_alert_has_an_owner_or_a_running_timer(self) -> None:
        timers = {(kind, key) for kind, key, _ in self.town.table("timer")} if hasattr(self, "town") else set()
        for alert, state in self._states().items():
            if state.is_open():
                kinds = {kind.value for kind in deadlines(state)}
                assert kinds & {"recheck", "escalate"}
                assert {(kind, alert) for kind in kinds} <= timers
            else:
                assert not {key for _, key in timers} & {alert}

    @invariant()
    def an_alert_leaves_only_by_a_named_close(self) -> None:
        for alert, state in self._states().items():
            closes = [event for _, event in self.town.events(alert) if isinstance(event, Closed)]
            assert len(closes) == self.closed_by_name.get(alert, 0)
            assert all(event.user and event.outcome for event in closes)
            if not state.is_open():
                assert closes

    @invariant()
    def every_id_that_was_ever_said_leads_to_one_alert(self) -> None:
        roots = set(self._states())
        aliases = dict(self.town.table("alert_alias")) if hasattr(self, "town") else {}
        assert not roots & set(aliases)
        assert set(aliases.values()) <= roots

    def _open(self, number: int) -> str:
        subject = f"r-{number:04}"
        return next((row.id for row in self.town.board() if row.subject == subject), "none")

    def teardown(self) -> None:
        if hasattr(self, "town"):
            self.town.stop()

    def _states(self) -> dict[str, AlertState]:
        if not hasattr(self, "town"):
            return {}
        with self.town.county.ledger.read() as connection:
            rows = connection.exec_driver_sql("SELECT id, state FROM alert").all()
        return {row.id: decode_state(row.state) for row in rows}


AlertLife.TestCase.settings = settings(max_examples=8, stateful_step_count=20, deadline=None)
TestAlertLife = AlertLife.TestCase


def test_a_closed_call_for_help_comes_back_when_the_button_is_pressed_again(town: Town, clock: FakeClock) -> None:
    town.send((1, finding(clock.wall_ms())))
    desk = town.county.services.desk
    assert desk.close(COUNTY, _alert(1), outcome=Outcome.TRUE_ACTION, note="", key="a") is ActResult.DONE
    assert not town.board()
    clock.advance(60)
    town.send((2, finding(clock.wall_ms(), phase=Phase.CONTINUE)))
    (row,) = town.board()
    assert (row.handling, row.count, row.claim) == ("new", 2, None)


def test_late_repetitions_of_what_was_before_the_close_stay_closed(town: Town, clock: FakeClock) -> None:
    before_ms = clock.wall_ms() - 1000
    town.send((1, finding(clock.wall_ms())))
    town.county.services.desk.close(COUNTY, _alert(1), outcome=Outcome.TRUE_ACTION, note="", key="a")
    clock.advance(60)
    town.send((2, finding(before_ms, phase=Phase.CONTINUE)))
    assert not town.board()


def test_an_ended_condition_stays_on_the_board_until_a_person_closes_it(town: Town, clock: FakeClock) -> None:
    town.send((1, finding(clock.wall_ms(), priority=Priority.MEDIUM, rule="SPO2-LOW")))
    clock.advance(5)
    town.send((2, finding(clock.wall_ms(), priority=Priority.MEDIUM, rule="SPO2-LOW", phase=Phase.END)))
    (row,) = town.board()
    assert (row.condition, row.handling) == ("absent", "new")
    state = town.state(row.id)
    assert state is not None
    assert state.signal.value == "latched"


def test_deadlines_that_come_together_are_met_in_portions_and_none_is_forgotten(
    tmp_path: Path, clock: FakeClock
) -> None:
    town = Town(tmp_path / "county", clock, homes=MOST_A_TICK + 5)
    town.connected()
    for number in range(1, MOST_A_TICK + 6):
        town.send((1, finding(clock.wall_ms(), number=number)), gateway=f"home-{number:02}")
    ids = [row.id for row in town.board()]
    clock.advance(3600)
    fire = town.county.duties()["deadlines"]
    assert [town.county.writer.run(fire) for _ in range(3)] == [MOST_A_TICK, 5, 0]
    assert all(any(isinstance(event, Escalated) for _, event in town.events(alert)) for alert in ids)
    town.stop()


def test_nobody_taking_it_escalates_step_by_step_and_never_stops(town: Town, clock: FakeClock) -> None:
    town.send((1, finding(clock.wall_ms())))
    levels = []
    for _ in range(12):
        town.pass_time(300)
        state = town.state(_alert(1))
        assert state is not None
        assert state.escalate_ms > clock.wall_ms()
        levels.append(state.level)
    assert levels[:3] == [1, 2, 3]
    assert levels[-1] == 3


def test_a_recheck_that_passes_puts_the_alert_back_unclaimed(town: Town, clock: FakeClock) -> None:
    town.send((1, finding(clock.wall_ms())))
    town.county.services.desk.claim(COUNTY, _alert(1), key="a")
    town.pass_time(14 * 60)
    assert town.board()[0].claim is not None
    town.pass_time(2 * 60)
    row = town.board()[0]
    assert (row.claim, row.handling) == (None, "new")


def test_late_high_counts_as_medium_and_a_day_old_one_goes_to_the_day_list(town: Town, clock: FakeClock) -> None:
    ages_s = {1: 29 * 60, 2: 31 * 60, 3: 25 * 3600}
    for first, age_s in ages_s.items():
        town.send((first, finding(clock.wall_ms() - 1000 * age_s, number=first)))
    rows = {row.subject: row for row in town.board()}
    assert [rows[f"r-000{first}"].priority for first in ages_s] == [Priority.HIGH, Priority.MEDIUM, Priority.LOW]
    assert [rows[f"r-000{first}"].late for first in ages_s] == [False, True, True]


def test_a_call_whose_age_is_not_known_counts_as_live(town: Town, clock: FakeClock) -> None:
    town.send((1, finding(1000, clock=ClockState.UNSET)), (2, finding(clock.wall_ms() + 9 * HOUR_MS, number=2)))
    assert [(row.priority, row.late) for row in town.board()] == [(Priority.HIGH, False)] * 2


def test_an_unsynchronised_clock_is_corrected_by_the_heartbeat_of_the_same_boot(town: Town, clock: FakeClock) -> None:
    slow_ms = 3 * 24 * HOUR_MS
    town.deliver(heartbeat("home-01", clock.wall_ms() - slow_ms))
    town.send(
        (1, finding(clock.wall_ms() - slow_ms, clock=ClockState.RESTORED)),
        (2, finding(clock.wall_ms() - slow_ms - HOUR_MS, clock=ClockState.RESTORED, number=2)),
    )
    rows = {row.subject: row for row in town.board()}
    assert not rows["r-0001"].late
    assert rows["r-0002"].late


def test_stages_store_their_named_reasons(town: Town, clock: FakeClock) -> None:
    town.send((1, finding(clock.wall_ms())))
    ((_, event),) = town.events(_alert(1))
    assert isinstance(event, Found)
    assert event.stages == (
        ("evaluate", "live"),
        ("confirm", "confirmed_by_gateway"),
        ("group", "new_alert"),
        ("inhibit", "not_inhibited"),
        ("route", "at_once"),
    )
    assert town.counter("stage.evaluate.live") == 1


def test_rhythm_is_low_and_on_the_day_list(town: Town, clock: FakeClock) -> None:
    town.send((1, finding(clock.wall_ms(), priority=Priority.LOW, rule="RHYTHM", params={"windows": "3", "days": "2"})))
    (row,) = town.board()
    assert (row.priority, row.handling) == (Priority.LOW, Handling.NEW.value)
    assert row.title.en
    assert row.detail.zh


def test_a_finding_without_words_is_shown_all_the_same(town: Town, clock: FakeClock) -> None:
    town.send((1, finding(clock.wall_ms(), rule="NEVER-HEARD-OF", params={"x": "1" * 5000})))
    (row,) = town.board()
    assert "NEVER-HEARD-OF" in row.title.en
    assert len(row.detail.en) < 1000


def _alert(first: int) -> str:
    return alert_id(resident(), "SOS", finding(0, first_ns=first).evidence[0])
