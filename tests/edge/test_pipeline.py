"""One synchronous step from reading to finding, and what must be stored with it."""

from zoneinfo import ZoneInfo

from kanhu.contract import Observation, Part, QualityLevel, QualityReason, Subject, SubjectKind, Times
from kanhu.edge.pipeline import SensingPipeline
from kanhu.vitals import DecisionReason, Judge, Runs, core_pack, profile_from_tags
from tests.edge.readings import RESIDENT, TIMES

_PROFILES = {RESIDENT.id: profile_from_tags(RESIDENT.id, ["lives_alone"])}


def made() -> SensingPipeline:
    judge = Judge(core_pack(), Runs.GATEWAY, _PROFILES, ZoneInfo("Asia/Shanghai"))
    return SensingPipeline(judge, profiles=_PROFILES)


def at(second: int) -> Times:
    return Times(TIMES.arrival_ms + second * 1000, TIMES.mono_ns + second * 1_000_000_000, TIMES.boot, TIMES.clock)


def saturation(percent: int, *, second: int, subject: Subject = RESIDENT) -> Observation:
    parts = (Part("spo2", (percent * 10,)), Part("pulse_oximeter", (720 + second,)))
    return Observation("oximetry", parts, subject, "ox-03", at(second))


def press(second: int, *, subject: Subject = RESIDENT) -> Observation:
    return Observation("help_button", (Part("help_button", (1,)),), subject, "button-03", at(second))


def test_a_press_is_a_finding_at_once() -> None:
    judged = made().take(press(0))
    assert [finding.rule for finding in judged.findings] == ["SOS"]
    assert set(judged.states) == {RESIDENT.id}


def test_a_press_of_nobody_is_a_finding_of_its_dwelling() -> None:
    judged = made().take(press(0, subject=Subject(SubjectKind.DWELLING, "home-03")))
    assert [finding.subject.id for finding in judged.findings] == ["home-03"]


def test_quality_is_assessed_before_any_rule_hears_the_reading() -> None:
    judged = made().take(saturation(30, second=0))
    assert judged.observation.quality.reasons == (QualityReason.OUT_OF_RANGE,)
    assert judged.findings == ()


def test_a_reading_of_nobody_known_is_never_judged_and_leaves_no_state() -> None:
    pipeline = made()
    for second in range(0, 60, 10):
        stranger = Subject(SubjectKind.UNIDENTIFIED, f"ox-03.{second}")
        judged = pipeline.take(saturation(80, second=second, subject=stranger))
        assert judged.findings == ()
        assert judged.states == {}
        assert {decision.reason for decision in judged.decisions} <= {DecisionReason.IDENTITY_UNKNOWN}
        assert judged.observation.quality.level is QualityLevel.QUESTIONABLE


def test_a_restart_between_two_readings_changes_no_finding() -> None:
    readings = [saturation(90, second=second) for second in range(0, 50, 10)]
    whole = made()
    expected = [whole.take(reading).findings for reading in readings]
    assert any(expected), "the story must raise something"
    for cut in range(len(readings)):
        before, after = made(), made()
        findings = []
        states: dict[str, bytes] = {}
        for reading in readings[:cut]:
            judged = before.take(reading)
            findings.append(judged.findings)
            states |= judged.states
        assert after.restore(states) == ()
        findings += [after.take(reading).findings for reading in readings[cut:]]
        assert findings == expected


def test_a_state_that_cannot_be_read_is_named_and_starts_afresh() -> None:
    pipeline = made()
    assert pipeline.restore({RESIDENT.id: b"not a state"}) == (RESIDENT.id,)
    assert pipeline.take(press(0)).findings
