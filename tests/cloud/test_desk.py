"""What the desk shows: the order of the board, unseen people, values with their quality and gaps, the change log."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from kanhu.cloud.alerting import log
from kanhu.cloud.desk.model import Both
from kanhu.contract import (
    DeviceStatus,
    FakeClock,
    Observation,
    Part,
    Priority,
    QualityLevel,
    QualityReason,
    decode_status,
    encode_status,
)
from kanhu.contract.records import Quality
from kanhu.contract.status import ReleaseStatus
from tests.cloud.town import COUNTY, OTHER, VILLAGE, Town, finding, heartbeat, oximetry, pressure, resident, times


def test_board_is_ordered_by_priority_then_unclaimed_then_share_of_time_used(town: Town, clock: FakeClock) -> None:
    desk = town.county.services.desk
    for seq, (number, priority) in enumerate(
        [(2, Priority.LOW), (1, Priority.HIGH), (3, Priority.HIGH), (2, Priority.MEDIUM)], start=1
    ):
        one = finding(clock.wall_ms(), number=number, rule=f"RULE-{seq}", priority=priority)
        town.send((seq, one))
        clock.advance(60)
    order = [(row.subject, row.priority) for row in desk.board(COUNTY).rows]
    assert order == [
        ("r-0001", Priority.HIGH),
        ("r-0003", Priority.HIGH),
        ("r-0002", Priority.MEDIUM),
        ("r-0002", Priority.LOW),
    ]
    desk.claim(OTHER, desk.board(COUNTY).rows[0].id, key="k")
    board = desk.board(COUNTY)
    assert [row.subject for row in board.rows][:2] == ["r-0003", "r-0001"]
    claim = board.rows[1].claim
    assert claim is not None
    assert (claim.name, (claim.recheck_at - claim.at).total_seconds()) == ("王医生", 900)
    assert (board.opened_last_hour, board.closed_today) == (4, 0)


def test_people_behind_gateways_that_are_silent_or_were_never_heard_are_unseen(town: Town) -> None:
    desk = town.county.services.desk
    assert desk.board(COUNTY).watch.unseen == 3
    town.pass_time(60)
    town.beat("home-01", "home-02")
    watch = desk.board(COUNTY).watch
    assert (watch.enrolled, watch.seen_last_hour, watch.unseen, watch.unseen_high_risk) == (3, 2, 1, 0)
    town.pass_time(200, beating=("home-02",))
    watch = desk.board(COUNTY).watch
    assert (watch.unseen, watch.unseen_high_risk) == (2, 1)
    rows = desk.equipment(COUNTY).gateways
    assert [(row.id, row.state) for row in rows] == [
        ("home-01", "silent"),
        ("home-03", "never_seen"),
        ("home-02", "online"),
    ]


def test_a_device_whose_clock_is_wrong_is_shown_with_its_gateway(town: Town, clock: FakeClock) -> None:
    devices = tuple(
        DeviceStatus(device, "cuff-ble", connected=True, clock_error_s=error_s)
        for device, error_s in (("cuff-1", -301), ("cuff-2", 300), ("cuff-3", 4_000), ("cuff-4", msgspec.UNSET))
    )
    beat = heartbeat("home-01", clock.wall_ms())
    status = msgspec.structs.replace(decode_status(beat.body), devices=devices)
    town.deliver(replace(beat, body=encode_status(status)))
    found = {row.id: row.clocks_off for row in town.county.services.desk.equipment(COUNTY).gateways}
    assert found["home-01"] == (("cuff-1", -301), ("cuff-3", 4_000))
    assert found["home-02"] == ()


def test_a_release_and_the_one_that_was_refused_are_shown_with_their_gateway(town: Town, clock: FakeClock) -> None:
    beat = heartbeat("home-01", clock.wall_ms())
    status = msgspec.structs.replace(decode_status(beat.body), release=ReleaseStatus(7, 8, "county"))
    town.deliver(replace(beat, body=encode_status(status)))
    found = {row.id: (row.release, row.refused_release) for row in town.county.services.desk.equipment(COUNTY).gateways}
    assert found["home-01"] == (7, (8, "county"))
    assert found["home-02"] == (None, None)


def test_an_alert_page_says_what_decided_how_good_it_was_and_whose_limit(town: Town, clock: FakeClock) -> None:
    now_ms = clock.wall_ms()
    doubtful = Quality(QualityLevel.QUESTIONABLE, (QualityReason.LOW_PERFUSION,))
    town.send((1, oximetry(now_ms, 90, quality=doubtful)), (2, finding(now_ms)))
    (row,) = town.board()
    page = town.county.services.desk.alert(COUNTY, row.id)
    assert page is not None
    assert page.evidence == ((datetime(2026, 3, 2, tzinfo=UTC), "help_button", ""),)
    assert page.sentence.en.startswith("The help button was pressed")
    assert page.limit_source
    assert [(event.kind, event.actor) for event in page.events] == [("found", "county")]


def test_a_resident_page_shows_one_tile_a_vital_and_the_newest_values(town: Town, clock: FakeClock) -> None:
    start_ms = clock.wall_ms()
    town.send(
        (1, pressure(start_ms, 150, 88)),
        *((2 + n, oximetry(start_ms + 10_000 * n, 97 - n % 4)) for n in range(12)),
    )
    clock.advance(180)
    page = town.county.services.desk.resident(COUNTY, "r-0001", days=1)
    assert page is not None
    tiles = {tile.metric: (tile.text, tile.unit) for tile in page.vitals}
    assert tiles == {
        "bp": ("150/88", "mmHg"),
        "pulse_cuff": ("72", "/min"),
        "spo2": ("94", "%"),
        "pulse_oximeter": ("72", "/min"),
    }
    spo2 = next(trend for trend in page.trends if trend.metric == "spo2")
    assert [value for _, value, _ in spo2.points] == [97.0, 96.0, 95.0, 94.0] * 3
    assert (spo2.limit, spo2.label) == (92.0, Both("血氧", "oxygen saturation"))
    assert page.person.age == 81
    assert page.person.village == Both("柳林村", "Liulin")


def test_a_pause_is_a_gap_and_never_joined(town: Town, clock: FakeClock) -> None:
    start_ms = clock.wall_ms()
    minutes = [*range(30), *range(120, 150)]
    clock.advance(150 * 60)
    town.send(*((n + 1, oximetry(start_ms + 60_000 * at, 96)) for n, at in enumerate(minutes)))
    page = town.county.services.desk.resident(COUNTY, "r-0001", days=1)
    assert page is not None
    spo2 = next(trend for trend in page.trends if trend.metric == "spo2")
    gaps = [at for at, value, _ in spo2.points if value is None]
    assert len(gaps) == 1
    assert len(spo2.points) == 61
    assert start_ms + 30 * 60_000 < gaps[0].timestamp() * 1000 < start_ms + 120 * 60_000


def test_absurd_values_and_times_are_stored_and_enter_no_day(town: Town, clock: FakeClock) -> None:
    now_ms = clock.wall_ms()
    town.send(
        (1, oximetry(now_ms, 900)),
        (2, oximetry(2**62, 97)),
        (3, oximetry(1000, 97)),
    )
    assert len(town.lines()) == 3
    days = {(metric, day, readings) for _, metric, day, readings, *_ in town.table("daily")}
    assert days == {("pulse_oximeter", "2026-03-02", 1)}
    assert town.county.services.desk.resident(COUNTY, "r-0001", days=7) is not None


def test_a_person_nobody_enrolled_is_stored_and_has_no_page(town: Town, clock: FakeClock) -> None:
    town.send((1, oximetry(clock.wall_ms(), 97, number=77)), (2, finding(clock.wall_ms(), number=77)))
    assert len(town.lines()) == 2
    assert town.table("recent") == []
    (row,) = town.board()
    assert (row.subject, row.person) == ("r-0077", None)
    assert [seen.id for seen in town.board(VILLAGE)] == [row.id], "the gateway's village sees it"


def test_the_change_log_replays_in_the_area_and_resets_when_too_old(
    town: Town, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "KEPT_REVISIONS", 5)
    desk = town.county.services.desk
    for seq in range(1, 10):
        number = 1 + seq % 2
        called = finding(clock.wall_ms(), rule=f"RULE-{seq}", number=number)
        town.send((seq, called), gateway=f"home-{number:02}")
    assert desk.changes(COUNTY, after=2) is None
    assert desk.changes(COUNTY, after=99) is None
    recent = desk.changes(COUNTY, after=5)
    assert recent is not None
    assert [change.revision for change in recent] == [6, 7, 8, 9]
    own = desk.changes(VILLAGE, after=5)
    assert own is not None
    assert [change.revision for change in own] == [6, 8]
    assert desk.changes(COUNTY, after=9) == ()


def test_every_look_at_a_person_is_audited_before_it_is_answered(town: Town, clock: FakeClock) -> None:
    town.send((1, finding(clock.wall_ms())))
    (row,) = town.board()
    town.county.services.desk.alert(COUNTY, row.id)
    town.county.services.desk.resident(VILLAGE, "r-0002", days=1)
    assert [entry[2:] for entry in town.table("audit")] == [
        ("li.jing", "look alert", row.id, "shown"),
        ("zhao", "look resident", "r-0002", "not_found"),
    ]


def test_sign_and_medicine_are_said_in_words_and_their_absence_is_no_sign_of_the_person(
    town: Town, clock: FakeClock
) -> None:
    def event(metric: str, step: int) -> Observation:
        return Observation(metric, (Part(metric, (step,)),), resident(), "daily-life", times(clock.wall_ms()))

    town.send((1, event("well_check", 1)), (2, event("dosage", 2)))
    page = town.county.services.desk.resident(COUNTY, "r-0001", days=1)
    assert page is not None
    said = {tile.metric: tile.said for tile in page.vitals}
    assert said == {"dosage": Both("未确认", "not confirmed"), "well_check": Both("未收到", "did not come")}
    assert all(row[-1] != clock.wall_ms() for row in town.table("resident"))
    clock.advance(60)
    town.send((3, event("well_check", 0)), (4, event("dosage", 1)))
    page = town.county.services.desk.resident(COUNTY, "r-0001", days=1)
    assert page is not None
    said = {tile.metric: tile.said for tile in page.vitals}
    assert said == {"dosage": Both("已服", "taken"), "well_check": Both("已收到", "given")}
