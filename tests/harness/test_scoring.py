"""Episodes: an answer counts once, late is late, a miss says why, what is false is told from what was true."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanhu.cloud.replay.outcome import Alert
from kanhu.contract.recording import Silence
from kanhu.firmware_sim.truth import HappeningKind
from kanhu.harness.report import read_limits
from kanhu.harness.scoring.episodes import MISSED, EventResult, TellingResult
from kanhu.harness.scoring.figures import score
from kanhu.harness.scoring.tally import by_group, by_kind, by_rule, by_village
from kanhu.vitals import RulePack, core_pack
from tests.harness.hand_made import County, alert, at, happening, pack_without, told

OXYGEN, PRESSURE, CALL = HappeningKind.DESATURATION, HappeningKind.HYPERTENSIVE, HappeningKind.CALL
SILENT = HappeningKind.GATEWAY_SILENT


def _result(county: County, *alerts: Alert, pack: RulePack | None = None) -> EventResult:
    (episode,) = county.judged(*alerts, pack=pack).episodes
    return episode.result


def _worth(county: County, *alerts: Alert) -> list[TellingResult]:
    return [telling.result for telling in county.judged(*alerts).tellings]


def test_an_alert_within_the_window_counts_once_and_a_second_is_a_duplicate() -> None:
    county = County([happening(OXYGEN, 100)])
    judged = county.judged(alert("SPO2-LOW", told(110)), alert("SPO2-LOW", told(130)))
    assert [episode.result for episode in judged.episodes] == [EventResult.FOUND]
    assert [telling.result for telling in judged.tellings] == [TellingResult.RIGHT, TellingResult.AGAIN]
    assert score(judged).figures()["duplicates"] == 1


def test_silence_in_an_event_is_a_miss() -> None:
    assert _result(County([happening(OXYGEN, 100)])) is EventResult.NOT_RAISED


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (alert("BP-SEVERE", told(110)), "another rule"),
        (alert("SPO2-LOW", told(110), subject="v001-r02"), "another person"),
        (alert("SPO2-LOW", told(99), closed=99.5), "before it began"),
        (alert("SPO2-LOW", told(191)), "after its window"),
    ],
    ids=lambda case: case if isinstance(case, str) else "",
)
def test_an_alert_that_is_not_its_own_finds_nothing_and_is_false(wrong: Alert, why: str) -> None:
    county = County([happening(OXYGEN, 100)])
    assert _result(county, wrong) is EventResult.NOT_RAISED
    assert _worth(county, wrong) == [TellingResult.FALSE]


def test_what_arrives_late_is_late_and_not_false() -> None:
    county = County([happening(OXYGEN, 100)])
    backfill = alert("SPO2-LOW", told(900, own=110, late=True))
    assert _result(county, backfill) is EventResult.LATE
    assert _worth(county, backfill) == [TellingResult.RIGHT]
    figures = score(county.judged(backfill)).figures()
    assert (figures["found"], figures["late"], figures["missed"]) == (0, 1, 0)


def test_a_call_has_to_be_told_within_a_minute() -> None:
    county = County([happening(CALL, 100, lasts=0.1)])
    assert _result(county, alert("SOS", told(100.5, priority="high"))) is EventResult.FOUND
    assert _result(county, alert("SOS", told(104, own=100.1, priority="high"))) is EventResult.LATE


def test_an_own_time_that_cannot_be_is_replaced_by_when_it_was_told() -> None:
    county = County([happening(OXYGEN, 100)])
    clock_of_1970 = msgspec.structs.replace(told(110), own_ms=5_000)
    assert _result(county, alert("SPO2-LOW", clock_of_1970)) is EventResult.FOUND


def test_below_the_asked_priority_is_missed_and_rising_to_it_is_found() -> None:
    county = County([happening(OXYGEN, 100, severity=2.0)])
    assert _result(county, alert("SPO2-LOW", told(110))) is EventResult.BELOW_PRIORITY
    rising = alert("SPO2-LOW", told(110), told(112, priority="high"))
    assert _result(county, rising) is EventResult.FOUND


def test_said_more_urgently_is_no_duplicate() -> None:
    county = County([happening(OXYGEN, 100)])
    rising = alert("SPO2-LOW", told(110), told(112, priority="high"))
    assert _worth(county, rising) == [TellingResult.RIGHT, TellingResult.ROSE]


def test_one_alert_answers_everything_that_it_was_about() -> None:
    county = County([happening(HappeningKind.FALL, 100), happening(CALL, 100.2, lasts=0.1)])
    judged = county.judged(alert("SOS", told(100.4, priority="high")))
    assert {episode.result for episode in judged.episodes} == {EventResult.FOUND}
    assert [telling.result for telling in judged.tellings] == [TellingResult.RIGHT]


def test_what_recurs_while_its_alert_is_open_is_found_open_and_not_after_it_was_closed() -> None:
    county = County([happening(PRESSURE, 600)])
    county.extremes["v001-r01"] = {"systolic": (130, 190), "diastolic": (70, 90)}
    assert _result(county, alert("BP-SEVERE", told(300))) is EventResult.FOUND_OPEN
    assert _result(county, alert("BP-SEVERE", told(300), closed=400)) is EventResult.NOT_RAISED


def test_an_alert_of_the_day_before_yesterday_finds_nothing() -> None:
    county = County([happening(PRESSURE, 3 * 1440)])
    assert _result(county, alert("BP-SEVERE", told(300))) not in {EventResult.FOUND_OPEN, EventResult.FOUND}


@pytest.mark.parametrize(
    ("readings", "good", "why"),
    [
        ({}, {}, EventResult.UNMEASURED),
        ({"bp": 4, "help_button": 1}, {"bp": 4, "help_button": 1}, EventResult.UNMEASURED),
        ({"oximetry": 4}, {"oximetry": 0}, EventResult.SPOILT),
        ({"oximetry": 4}, {"oximetry": 4}, EventResult.NOT_RAISED),
    ],
)
def test_a_missed_event_says_why(readings: dict[str, int], good: dict[str, int], why: EventResult) -> None:
    county = County([happening(OXYGEN, 100, readings=readings, good=good)])
    county.extremes["v001-r01"] = {"spo2": (86, 97)}
    assert _result(county) is why


def test_an_event_that_never_reached_the_limit_when_measured_says_so() -> None:
    county = County([happening(OXYGEN, 100)])
    county.extremes["v001-r01"] = {"spo2": (95, 98)}
    assert _result(county) is EventResult.NOT_REACHED


def test_an_event_that_no_rule_of_the_pack_answers_is_missed_without_a_rule() -> None:
    county = County([happening(HappeningKind.HYPOGLYCAEMIA, 100, readings={"glucose_capillary": 2})])
    pack = pack_without("GLU-LOW", "CGM-LOW")
    assert _result(county, pack=pack) is EventResult.WITHOUT_RULE
    figures = score(county.judged(pack=pack)).figures()
    assert (figures["missed"], figures["missed_without_rule"]) == (1, 1)


def test_an_event_measured_by_what_no_rule_looks_at_is_missed_without_a_rule() -> None:
    county = County([happening(HappeningKind.FAST_HEART, 100, readings={"oximetry": 6})])
    assert _result(county) is EventResult.WITHOUT_RULE


def test_a_rule_in_shadow_is_no_rule() -> None:
    core = core_pack()
    shadow = RulePack(core.version, tuple(msgspec.structs.replace(rule, approved_by="") for rule in core.rules))
    assert _result(County([happening(OXYGEN, 100)]), pack=shadow) is EventResult.WITHOUT_RULE


@pytest.mark.parametrize(
    "not_due", [happening(OXYGEN, 100, lasts=2), happening(OXYGEN, 5 * 1440 - 10)], ids=["short", "cut off"]
)
def test_what_is_too_short_or_cut_off_by_the_end_is_not_due(not_due: object) -> None:
    county = County([not_due])  # type: ignore[list-item]  # the ids hide the type
    assert _result(county) is EventResult.NOT_DUE
    figures = score(county.judged()).figures()
    assert (figures["events"], figures["missed"]) == (0, 0)


def test_a_gateway_that_is_silent_from_the_very_start_is_not_due_and_later_it_is() -> None:
    for minute, result in ((1, EventResult.NOT_DUE), (3, EventResult.NOT_RAISED)):
        silent = happening(SILENT, minute, subject="", lasts=10, readings={})
        assert _result(County([silent])) is result


def test_figures_of_people_and_of_gateways_are_apart() -> None:
    silent = [happening(SILENT, minute, subject="", lasts=10, readings={}) for minute in (200, 400, 600)]
    lost = alert("WATCH-LOST", told(203, priority="technical"), subject="v001-g01", closed=210)
    figures = score(County([happening(OXYGEN, 100), *silent]).judged(lost)).figures()
    assert (figures["events"], figures["found"], figures["missed"], figures["sensitivity"]) == (1, 0, 1, 0.0)
    assert (figures["events_gateways"], figures["found_gateways"], figures["missed_gateways"]) == (3, 1, 2)
    assert [figures[f"missed_{why}"] for why in MISSED] == [0, 0, 0, 0, 0, 1]
    limits = read_limits("county")
    assert (limits["missed"].bound, limits["missed_gateways"].bound) == (0, 0)


def test_an_alert_outside_every_event_is_true_where_the_person_had_reached_the_limit() -> None:
    county = County()
    county.extremes["v001-r01"] = {"systolic": (120, 184), "diastolic": (70, 95)}
    first_day, second_day = alert("BP-SEVERE", told(600)), alert("BP-SEVERE", told(1440 + 600))
    assert _worth(county, first_day, second_day) == [TellingResult.RIGHT_OUTSIDE, TellingResult.FALSE]


def test_the_readings_own_error_is_forgiven_and_no_more() -> None:
    county = County()
    for systolic, worth in ((178.5, TellingResult.RIGHT_OUTSIDE), (177.0, TellingResult.FALSE)):
        county.extremes["v001-r01"] = {"systolic": (120, systolic), "diastolic": (70, 95)}
        assert _worth(county, alert("BP-SEVERE", told(600))) == [worth]


def test_a_person_with_chronic_lung_disease_is_held_to_their_own_limit() -> None:
    county = County(tags={"v001-r02": ("copd",)})
    for subject in ("v001-r01", "v001-r02"):
        county.extremes[subject] = {"spo2": (90, 96)}
    both = (alert("SPO2-LOW", told(600)), alert("SPO2-LOW", told(600), subject="v001-r02"))
    assert _worth(county, *both) == [TellingResult.RIGHT_OUTSIDE, TellingResult.FALSE]


def test_a_gateway_that_truly_was_silent_is_no_false_alarm() -> None:
    county = County(silences=[Silence("v001-g01", at(100), at(110), "link")])
    lost = [alert("WATCH-LOST", told(minute, priority="technical"), subject="v001-g01") for minute in (103, 300)]
    assert _worth(county, *lost) == [TellingResult.RIGHT_OUTSIDE, TellingResult.FALSE]


def test_a_false_alert_names_what_it_fell_into() -> None:
    county = County([happening(HappeningKind.VISITOR, 100, lasts=10)])
    (telling,) = county.judged(alert("BP-SEVERE", told(105))).tellings
    assert (telling.result, telling.beside) == (TellingResult.FALSE, "visitor")


def test_figures_count_false_ones_by_priority_and_readings_by_what_became_of_them() -> None:
    judged = County().judged(
        alert("SOS", told(10, priority="high")), alert("BP-SEVERE", told(20)), alert("TREND", told(30, priority="low")),
        stored=97,
    )  # fmt: skip
    figures = score(judged).figures()
    assert [figures[f"false_{each}"] for each in ("high", "medium", "low", "technical")] == [1, 1, 1, 0]
    assert (figures["precision_high"], figures["lost"], figures["person_days"]) == (0.0, 3, 10)


def test_everything_is_counted_by_kind_rule_village_and_group() -> None:
    county = County([happening(OXYGEN, 100), happening(PRESSURE, 100)], tags={"v001-r01": ("hypertension",)})
    judged = county.judged(alert("SPO2-LOW", told(110)))
    kinds = by_kind(judged)
    assert (kinds[OXYGEN].found, kinds[PRESSURE].missed) == (1, 1)
    assert by_rule(judged)["SPO2-LOW"].of("medium", TellingResult.RIGHT) == 1
    assert by_village(judged)["v001"].sensitivity == 0.5
    groups = by_group(judged)
    assert groups["hypertension"].events == groups["65 to 74"].events == 2
    assert (groups["female"].people, groups["75 to 84"].events) == (2, 0)


def test_delays_are_counted_from_the_onset_and_from_the_first_good_reading() -> None:
    scored = score(County([happening(OXYGEN, 100)]).judged(alert("SPO2-LOW", told(112, own=110, claimed=130))))
    assert (scored.people.detect_s, scored.people.from_reading_s) == ([600], [540])
    assert (scored.told.tell_s, scored.told.claim_s) == ([120], [1080])


_KINDS = st.sampled_from([OXYGEN, PRESSURE, CALL, SILENT, HappeningKind.FALL, HappeningKind.VISITOR])
_RULES = st.sampled_from(["SPO2-LOW", "BP-SEVERE", "SOS", "WATCH-LOST", "UNHEARD-OF"])
_MINUTES = st.integers(0, 5 * 1440 - 1)
_PRIORITIES = st.sampled_from(["high", "medium", "low", "technical"])


@settings(deadline=None, max_examples=60)  # on a machine that others use
@given(
    st.lists(st.tuples(_KINDS, _MINUTES), max_size=6, unique=True),
    st.lists(st.tuples(_RULES, _MINUTES, _PRIORITIES), max_size=6, unique=True),
)
def test_every_event_and_every_telling_ends_in_exactly_one_pot(
    events: list[tuple[HappeningKind, int]], raised: list[tuple[str, int, str]]
) -> None:
    county = County([happening(kind, minute) for kind, minute in events])
    alerts = [alert(rule, told(minute, priority=priority)) for rule, minute, priority in raised]
    scored = score(county.judged(*alerts))
    asked = [kind for kind, _ in events if kind is not HappeningKind.VISITOR]
    assert len(scored.episodes.episodes) == len(asked)
    for part in (scored.people, scored.gateways):
        assert part.events == part.found + part.late + part.missed
        assert part.missed == sum(part.results[why] for why in MISSED)
    assert scored.people.results.total() + scored.gateways.results.total() == len(asked)
    assert scored.told.tellings.total() == len(alerts)
