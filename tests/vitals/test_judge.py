"""What holds for every rule at once: no input breaks the judge, doubt never raises high, state is small and whole."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.contract import (
    ClockState,
    Observation,
    Part,
    Phase,
    Priority,
    Quality,
    QualityLevel,
    QualityReason,
    Subject,
    SubjectKind,
    Times,
)
from kanhu.vitals import MAX_STATE_BYTES, Decision, Judge, Profile, Runs, StateRefused, core_pack
from kanhu.vitals import DecisionReason as R
from tests.contract.strategies import observations
from tests.vitals.story import GOOD, LOOSE, RESIDENT, SHANGHAI, Story

UNUSABLE = Quality(QualityLevel.UNUSABLE, (QualityReason.NOT_A_NUMBER,))

# One thing that happens in a home: which device, what it reads, how well, how long after the last.
Scene = tuple[str, int, Quality, float]

scenes = st.lists(
    st.tuples(
        st.sampled_from(["oximeter", "cuff", "strap", "button", "restart"]),
        st.integers(0, 5),
        st.sampled_from([GOOD, GOOD, GOOD, LOOSE, UNUSABLE]),
        st.sampled_from([0.0, 1.0, 10.0, 60.0, 119.0, 600.0, 50_000.0]),
    ),
    max_size=60,
)


def played(scene: list[Scene], *, restarts: bool) -> tuple[Story, list[tuple[Quality, Decision]]]:
    story, told = Story(), []
    for device, level, quality, pause_s in scene:
        story.wait(pause_s)
        if device == "restart":
            if restarts:
                story.restart()
            continue
        observation = msgspec.structs.replace(_reading(story, device, level), quality=quality)
        told += [(quality, decision) for decision in story.take(observation)]
    return story, told


def _reading(story: Story, device: str, level: int) -> Observation:
    spo2, systolic, rate = (80, 84, 87, 91, 93, 97)[level], (110, 165, 179, 181, 200, 240)[level], 30 + 25 * level
    metric, parts = {
        "oximeter": ("oximetry", (Part("spo2", (spo2 * 10,)),)),
        "cuff": ("bp", (Part("systolic", (systolic * 100,)), Part("diastolic", (10_400,)))),
        "strap": ("heart_rhythm", (Part("heart_rate", (rate,)), Part("rr_interval", (60_000 * 128 // rate,) * 40))),
        "button": ("help_button", (Part("help_button", (level,)),)),
    }[device]
    return Observation(metric, parts, RESIDENT, device, story.times())


@given(scenes)
@settings(max_examples=40)
def test_doubtful_readings_never_raise_high_never_clear_and_touch_no_limit(scene: list[Scene]) -> None:
    high = set()
    for quality, decision in played(scene, restarts=False)[1]:
        finding = decision.finding
        if finding is None or quality.level is QualityLevel.OK:
            high |= {finding.alert_id} if finding is not None and finding.priority is Priority.HIGH else set()
            continue
        assert quality.level is QualityLevel.QUESTIONABLE
        assert finding.rule == "SOS"
        assert finding.phase is not Phase.END
        assert finding.priority is not Priority.HIGH or finding.alert_id in high


def test_without_the_quality_of_its_readings_a_loose_finger_would_raise_high() -> None:
    def told(quality: Quality) -> list[Priority]:
        story = Story()
        for _ in range(3):
            story.wait(10)
            story.oximeter(71, quality=quality)
        return [finding.priority for finding in story.findings]

    assert told(LOOSE) == []
    assert told(GOOD) == [Priority.HIGH]


@given(scenes)
@settings(max_examples=40)
def test_restart_anywhere_changes_no_decision_and_no_finding(scene: list[Scene]) -> None:
    whole, restarted = played(scene, restarts=False), played(scene, restarts=True)
    assert whole[1] == restarted[1]
    assert whole[0].judge.state(RESIDENT.id) == restarted[0].judge.state(RESIDENT.id)


@given(scenes)
@settings(max_examples=40)
def test_each_alert_starts_once_and_ends_at_most_once_before_it_goes_on(scene: list[Scene]) -> None:
    alive: dict[str, bool] = {}
    for _, decision in played(scene, restarts=False)[1]:
        finding = decision.finding
        if finding is None:
            continue
        if finding.phase is Phase.START:
            assert finding.alert_id not in alive
        else:
            assert finding.alert_id in alive
            assert alive[finding.alert_id] or finding.phase is Phase.CONTINUE
        alive[finding.alert_id] = finding.phase is not Phase.END
        assert finding.reason == decision.reason


@given(st.lists(observations(), max_size=8), st.booleans())
@settings(max_examples=40)
def test_no_observation_breaks_the_judge_or_its_state(taken: list[Observation], one_subject: bool) -> None:
    judge = Judge(core_pack(), Runs.GATEWAY, {}, SHANGHAI)
    for observation in taken:
        given_one = msgspec.structs.replace(observation, subject=RESIDENT) if one_subject else observation
        decisions = judge.judge(given_one)
        assert all(isinstance(decision.reason, R) for decision in decisions)
        subject = given_one.subject.id
        state = judge.state(subject)
        assert len(state) <= MAX_STATE_BYTES
        other = Judge(core_pack(), Runs.GATEWAY, {}, SHANGHAI)
        other.restore(subject, state)
        assert other.state(subject) == state


extremes = st.builds(
    Observation,
    st.just("heart_rhythm"),
    st.tuples(
        st.builds(Part, st.just("heart_rate"), st.tuples(st.integers(20, 300))),
        st.builds(
            Part, st.just("rr_interval"), st.lists(st.integers(25_600, 384_000), min_size=1, max_size=300).map(tuple)
        ),
    ),
    st.just(RESIDENT),
    st.sampled_from(["老" * 128, "a"]),
    st.builds(Times, st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), st.just("b"), st.sampled_from(ClockState)),
)


@given(st.lists(extremes, max_size=6))
@settings(max_examples=40)
def test_good_readings_at_absurd_times_break_nothing(taken: list[Observation]) -> None:
    judge = Judge(core_pack(), Runs.GATEWAY, {}, SHANGHAI)
    for observation in taken:
        judge.judge(observation)
    assert len(judge.state(RESIDENT.id)) <= MAX_STATE_BYTES


@given(st.binary(max_size=300))
def test_any_bytes_restore_or_are_refused(state: bytes) -> None:
    judge = Judge(core_pack(), Runs.GATEWAY, {}, SHANGHAI)
    with pytest.raises(StateRefused):
        judge.restore(RESIDENT.id, state)
    assert judge.judge(_reading(Story(), "oximeter", 0))


@given(st.data())
@settings(max_examples=40)
def test_damaged_state_restores_or_is_refused_and_the_judge_goes_on(data: st.DataObject) -> None:
    story = _busy()
    state = bytearray(story.judge.state(RESIDENT.id))
    for _ in range(data.draw(st.integers(1, 3))):
        state[data.draw(st.integers(0, len(state) - 1))] = data.draw(st.integers(0, 255))
    judge = Judge(core_pack(), Runs.GATEWAY, {}, SHANGHAI)
    try:
        judge.restore(RESIDENT.id, bytes(state))
    except StateRefused:
        return
    story.wait(10)
    for device in ("oximeter", "cuff", "strap", "button"):
        judge.judge(_reading(story, device, 3))


def _busy() -> Story:
    story = Story()
    for device, level in (("oximeter", 1), ("oximeter", 1), ("cuff", 3), ("strap", 5), ("button", 1)):
        story.wait(10)
        story.take(_reading(story, device, level))
    return story


def test_state_of_a_busy_home_is_small() -> None:
    assert len(_busy().judge.state(RESIDENT.id)) < 1500


def test_state_of_another_version_is_refused() -> None:
    story = _busy()
    state = story.judge.state(RESIDENT.id)
    table = msgspec.msgpack.decode(state)
    assert isinstance(table, list)
    with pytest.raises(StateRefused, match="version 9"):
        story.judge.restore(RESIDENT.id, msgspec.msgpack.encode([9, *table[1:]]))
    with pytest.raises(StateRefused, match="limit"):
        story.judge.restore(RESIDENT.id, bytes(MAX_STATE_BYTES + 1))


def test_subject_without_state_has_an_empty_one() -> None:
    judge = Judge(core_pack(), Runs.GATEWAY, {}, SHANGHAI)
    state = judge.state("r-0099")
    judge.restore("r-0099", state)
    assert judge.state("r-0099") == state


def test_duplicate_and_late_readings_are_named_and_do_not_count() -> None:
    story = Story()
    story.wait(100)
    reading = _reading(story, "oximeter", 1)

    def answers(observation: Observation) -> list[R]:
        return [decision.reason for decision in story.take(observation)]

    assert answers(reading) == [R.CONFIRMING]
    assert answers(reading) == [R.DUPLICATE]
    early = msgspec.structs.replace(reading.times, mono_ns=reading.times.mono_ns - 1)
    assert answers(msgspec.structs.replace(reading, times=early)) == [R.OUT_OF_ORDER]
    assert answers(msgspec.structs.replace(reading, device="oximeter-04")) == [R.CONFIRMING]
    story.wait(10)
    assert answers(_reading(story, "oximeter", 1)) == [R.CONFIRMED]


def test_reading_from_the_future_ends_no_row_within_a_boot_and_any_row_across_boots() -> None:
    story = Story()
    story.oximeter(90)
    story.wait(10)
    story.clock.step_wall(10 * 365 * 86_400)
    assert story.oximeter(90) == [R.CONFIRMING]
    story.reboot("boot-2", dark_s=10)
    story.clock.step_wall(-20 * 365 * 86_400)
    assert story.oximeter(90) == [R.WINDOW_EXPIRED, R.CONFIRMING]


@pytest.mark.parametrize(
    "spo2", [0, 12.7, 49.9, 100.1, 127, 5_000], ids=["zero", "special", "under", "over", "error_code", "absurd"]
)
def test_absurd_values_are_questionable_and_raise_nothing(spo2: float) -> None:
    story = Story()
    for _ in range(5):
        story.wait(10)
        assert story.oximeter(spo2) == [R.QUALITY_QUESTIONABLE]


def test_reading_without_the_value_a_rule_asks_for_is_named() -> None:
    story = Story()
    pulse_only = Observation("oximetry", (Part("pulse_oximeter", (720,)),), RESIDENT, "oximeter-03", story.times())
    assert story.take(pulse_only) == [Decision("SPO2-LOW", R.NO_VALUE)]
    assert story.take(Observation("height", (Part("height", (1_650,)),), RESIDENT, "rod", story.times())) == []


def test_person_who_is_not_known_is_never_judged() -> None:
    story = Story()
    nobody = Subject(SubjectKind.UNIDENTIFIED, "session-7")
    for device in ("oximeter", "cuff", "strap", "button"):
        reading = msgspec.structs.replace(_reading(story, device, 0), subject=nobody)
        assert {decision.reason for decision in story.take(reading)} == {R.IDENTITY_UNKNOWN}
    dwelling = msgspec.structs.replace(_reading(story, "oximeter", 0), subject=Subject(SubjectKind.DWELLING, "home-03"))
    assert {decision.reason for decision in story.take(dwelling)} == {R.NOT_APPLICABLE}


def test_rule_for_some_people_leaves_the_others_out() -> None:
    pack = core_pack()
    some = tuple(msgspec.structs.replace(rule, population="tag:copd") for rule in pack.rules)
    for tags, answer in ((frozenset[str](), R.NOT_APPLICABLE), (frozenset({"copd"}), R.PRESSED)):
        story = Story(Profile(subject=RESIDENT.id, tags=tags), pack=msgspec.structs.replace(pack, rules=some))
        assert story.press() == [answer]


def test_people_of_one_gateway_are_judged_apart() -> None:
    story = Story()
    told: list[Callable[[Observation], Observation]] = [
        lambda seen, number=number: msgspec.structs.replace(  # type: ignore[misc]  # bound now
            seen, subject=Subject(SubjectKind.RESIDENT, f"r-{number}")
        )
        for number in range(3)
    ]
    for person in told:
        story.wait(10)
        assert story.take(person(_reading(story, "oximeter", 0))) == [Decision("SPO2-LOW", R.CONFIRMING)]
    assert story.findings == []


def test_cloud_rules_are_not_judged_by_the_reading() -> None:
    judge = Judge(core_pack(), Runs.CLOUD, {}, SHANGHAI)
    assert judge.judge(_reading(Story(), "cuff", 5)) == []
