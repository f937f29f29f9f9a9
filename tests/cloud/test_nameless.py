"""A reading of nobody known is kept, shown to staff of its place, and becomes a person's by the word of a named one."""

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from kanhu.cloud.app import create_app
from kanhu.cloud.desk.model import Role, Viewer
from kanhu.cloud.ledger.nameless import MOST_RECORDS, SessionKey
from kanhu.cloud.nameless.looking import ROWS_A_PAGE
from kanhu.cloud.nameless.model import Decision, Said
from kanhu.contract import (
    Boot,
    ClockState,
    FakeClock,
    Observation,
    Part,
    Priority,
    Quality,
    QualityLevel,
    QualityReason,
    Subject,
    SubjectKind,
    Times,
)
from tests.cloud.browser import Browser, sign_in
from tests.cloud.client import Client
from tests.cloud.test_untimed import NEW, mark, said
from tests.cloud.town import BOOT, COUNTY, EPOCH, OTHER, VILLAGE, Town, only, pressure, resident

_NOBODY = Quality(QualityLevel.QUESTIONABLE, (QualityReason.IDENTITY_UNKNOWN,))
_ELSEWHERE = Viewer("sun", "孙医生", Role.VILLAGE, "shiqiao")
_S_NS = 10**9


def bp(
    clock: FakeClock,
    systolic: int,
    session: str = "cuff-01.s1",
    *,
    quality: Quality = _NOBODY,
    state: ClockState = ClockState.SYNCED,
) -> Observation:
    """A cuff reading of this moment, of nobody known."""
    parts = (Part("systolic", (systolic * 100,)), Part("diastolic", (7000,)), Part("pulse_cuff", (7200,)))
    times = Times(clock.wall_ms(), clock.mono_ns(), BOOT, state)
    return Observation("bp", parts, Subject(SubjectKind.UNIDENTIFIED, session), "cuff-01", times, quality)


def key(session: str = "cuff-01.s1", gateway: str = "home-01") -> SessionKey:
    return SessionKey(gateway, EPOCH, session)


def shown(town: Town, person: str = "r-0001") -> dict[str, tuple[str, str]]:
    """Newest values on a person's page: text and trust by metric."""
    page = town.county.services.desk.resident(COUNTY, person, days=1)
    assert page is not None
    return {vital.metric: (vital.text, vital.quality.value) for vital in page.vitals}


def waiting(town: Town, viewer: Viewer = COUNTY) -> list[str]:
    return [row.key.subject for row in town.county.services.nameless.board(viewer).rows]


def audit(town: Town) -> list[tuple[str, str, str, str]]:
    return [tuple(row[2:]) for row in town.table("audit") if "reading" in row[3]]


@pytest.fixture
def client(town: Town) -> Iterator[Client]:
    with Client(create_app(town.county.services)) as client:
        yield client


def test_a_reading_of_nobody_waits_and_is_no_persons(town: Town, clock: FakeClock) -> None:
    town.send((1, bp(clock, 150)))
    board = town.county.services.nameless.board(COUNTY)
    (row,) = board.rows
    assert (row.device, row.readings, row.village.en, board.waiting) == ("cuff-01", 1, "Liulin", 1)
    assert [(value.metric, value.text) for value in row.values] == [("bp", "150/70 mmHg"), ("pulse_cuff", "72 /min")]
    assert shown(town) == {}


def test_assigned_it_is_the_persons_in_every_view(town: Town, clock: FakeClock) -> None:
    town.send((1, bp(clock, 150)))
    clock.advance(3600)
    desk = town.county.services.nameless
    assert desk.assign(VILLAGE, key(), resident="r-0001") is Said.DONE
    assert shown(town)["bp"] == ("150/70", "ok")
    page = town.county.services.desk.resident(COUNTY, "r-0001", days=1)
    assert page is not None
    (systolic,) = [trend for trend in page.trends if trend.metric == "systolic"]
    assert [value for _, value, _ in systolic.points if value is not None] == [150.0]
    (day,) = [each for each in page.daily if each.metric == "systolic"]
    assert (day.count, day.low, day.high, day.mean) == (1, Decimal(150), Decimal(150), Decimal(150))
    for days in (7, 90):
        longer = town.county.services.desk.resident(COUNTY, "r-0001", days=days)
        assert longer is not None
        (systolic,) = [trend for trend in longer.trends if trend.metric == "systolic"]
        assert [value for _, value, _ in systolic.points if value is not None] == [150.0]
    board = desk.board(COUNTY)
    decision = only_decision(town)
    assert (board.waiting, decision.by, decision.person and decision.person.id) == (0, "zhao", "r-0001")


def only_decision(town: Town) -> Decision:
    (row,) = town.county.services.nameless.board(COUNTY).decided
    assert row.decision is not None
    return row.decision


def test_what_else_lowers_a_reading_still_lowers_it(town: Town, clock: FakeClock) -> None:
    doubts = (QualityReason.MOTION, QualityReason.IDENTITY_UNKNOWN)
    town.send((1, bp(clock, 150, quality=Quality(QualityLevel.QUESTIONABLE, doubts))))
    town.county.services.nameless.assign(COUNTY, key(), resident="r-0001")
    assert shown(town)["bp"] == ("150/70", "questionable")


def test_it_stands_beside_the_persons_own_values_in_time_order(town: Town, clock: FakeClock) -> None:
    town.send((1, bp(clock, 150)))
    clock.advance(60)
    town.send((2, pressure(clock.wall_ms(), 120, 80)))
    town.county.services.nameless.assign(COUNTY, key(), resident="r-0001")
    assert shown(town)["bp"] == ("120/80", "ok"), "the later one is the newest"
    page = town.county.services.desk.resident(COUNTY, "r-0001", days=1)
    assert page is not None
    (systolic,) = [trend for trend in page.trends if trend.metric == "systolic"]
    assert [value for _, value, _ in systolic.points if value is not None] == [150.0, 120.0]
    (day,) = [each for each in page.daily if each.metric == "systolic"]
    assert (day.count, day.low, day.high, day.mean) == (2, Decimal(120), Decimal(150), Decimal(135))


def test_taken_back_it_is_as_if_it_had_never_been_theirs(town: Town, clock: FakeClock) -> None:
    town.send((1, pressure(clock.wall_ms(), 120, 80)))
    clock.advance(60)
    town.send((2, bp(clock, 150)))
    before = town.county.services.desk.resident(COUNTY, "r-0001", days=1)
    desk = town.county.services.nameless
    assert desk.assign(COUNTY, key(), resident="r-0001") is Said.DONE
    assert desk.take_back(OTHER, key()) is Said.DONE
    assert town.county.services.desk.resident(COUNTY, "r-0001", days=1) == before
    assert waiting(town) == ["cuff-01.s1"]
    assert desk.take_back(OTHER, key()) is Said.NOT_OPEN
    assert desk.assign(OTHER, key(), resident="r-0001") is Said.DONE, "and can be assigned anew"


def test_of_two_people_the_first_answer_stands(town: Town, clock: FakeClock) -> None:
    town.send((1, bp(clock, 150)))
    desk = town.county.services.nameless
    assert desk.assign(VILLAGE, key(), resident="r-0001") is Said.DONE
    assert desk.assign(COUNTY, key(), resident="r-0002") is Said.NOT_OPEN
    assert desk.set_aside(COUNTY, key()) is Said.NOT_OPEN
    assert shown(town, "r-0002") == {}
    assert audit(town) == [
        ("zhao", "assign reading", "home-01/cuff-01.s1 r-0001", "done"),
        ("li.jing", "assign reading", "home-01/cuff-01.s1 r-0002", "not_open"),
        ("li.jing", "set reading aside", "home-01/cuff-01.s1", "not_open"),
    ]


def test_set_aside_it_waits_no_longer_and_is_no_persons(town: Town, clock: FakeClock) -> None:
    town.send((1, bp(clock, 150)))
    assert town.county.services.nameless.set_aside(COUNTY, key()) is Said.DONE
    assert (waiting(town), only_decision(town).person) == ([], None)
    assert shown(town) == {}


def test_nobody_sees_or_names_beyond_the_own_place(town: Town, clock: FakeClock) -> None:
    town.send((1, bp(clock, 150)))
    desk = town.county.services.nameless
    assert waiting(town, _ELSEWHERE) == []
    assert desk.session(_ELSEWHERE, key(), words="") is None
    for act in (desk.set_aside, desk.take_back):
        assert act(_ELSEWHERE, key()) is Said.NOT_FOUND
    assert desk.assign(_ELSEWHERE, key(), resident="r-0002") is Said.NOT_FOUND
    assert desk.assign(VILLAGE, key(), resident="r-0002") is Said.NOT_FOUND, "a person of another village"
    assert desk.assign(VILLAGE, key(), resident="r-9999") is Said.NOT_FOUND
    assert desk.assign(VILLAGE, key("another"), resident="r-0001") is Said.NOT_FOUND
    assert waiting(town) == ["cuff-01.s1"]


def test_assigned_readings_are_judged_as_the_gateway_would_have(town: Town, clock: FakeClock) -> None:
    """Two of 190 a minute apart: the rule wants both, and each is a session of its own."""
    town.send((1, bp(clock, 190, "first")))
    clock.advance(90)
    town.send((2, bp(clock, 192, "second")))
    desk = town.county.services.nameless
    desk.assign(VILLAGE, key("first"), resident="r-0001")
    assert town.board() == (), "one alone decides nothing, as at the gateway"
    desk.assign(VILLAGE, key("second"), resident="r-0001")
    row = only(town.board())
    assert (row.rule, row.subject, row.priority) == ("BP-SEVERE", "r-0001", Priority.MEDIUM)


def test_of_two_people_with_a_high_reading_each_neither_is_confirmed_by_the_other(town: Town, clock: FakeClock) -> None:
    town.send((1, bp(clock, 190, "first")))
    clock.advance(90)
    town.send((2, bp(clock, 192, "second")))
    desk = town.county.services.nameless
    desk.assign(COUNTY, key("first"), resident="r-0001")
    desk.assign(COUNTY, key("second"), resident="r-0002")
    assert town.board() == ()


def test_an_own_reading_beside_it_helps_to_decide(town: Town, clock: FakeClock) -> None:
    """The first was taken before anybody was chosen, the second with the person chosen."""
    town.send((1, bp(clock, 190, "first")))
    clock.advance(90)
    parts = bp(clock, 192).parts
    times = Times(clock.wall_ms(), clock.mono_ns(), BOOT, ClockState.SYNCED)
    town.send((2, Observation("bp", parts, resident(), "cuff-01", times)))
    assert town.board() == ()
    town.county.services.nameless.assign(COUNTY, key("first"), resident="r-0001")
    assert only(town.board()).rule == "BP-SEVERE"


def test_what_was_assigned_late_raises_no_alert_as_if_it_were_now(town: Town, clock: FakeClock) -> None:
    town.send((1, bp(clock, 215, "first")))
    clock.advance(90)
    town.send((2, bp(clock, 218, "second")))
    clock.advance(3 * 86_400)
    for session in ("first", "second"):
        town.county.services.nameless.assign(COUNTY, key(session), resident="r-0001")
    row = only(town.board())
    assert (row.priority, row.late) == (Priority.LOW, True)


def test_an_alert_stays_when_its_readings_are_taken_back(town: Town, clock: FakeClock) -> None:
    town.send((1, bp(clock, 190, "first")))
    clock.advance(90)
    town.send((2, bp(clock, 192, "second")))
    desk = town.county.services.nameless
    for session in ("first", "second"):
        desk.assign(COUNTY, key(session), resident="r-0001")
    desk.take_back(COUNTY, key("second"))
    assert only(town.board()).rule == "BP-SEVERE"
    desk.assign(COUNTY, key("second"), resident="r-0001")
    assert len(town.board()) == 1, "the same alert, not a second one"


def test_readings_that_come_after_their_session_was_assigned_follow_it(town: Town, clock: FakeClock) -> None:
    town.send((1, bp(clock, 190)))
    town.county.services.nameless.assign(COUNTY, key(), resident="r-0001")
    clock.advance(90)
    town.send((2, bp(clock, 194)))
    assert shown(town)["bp"] == ("194/70", "ok")
    assert only(town.board()).rule == "BP-SEVERE", "and are judged"
    assert waiting(town) == []


def test_a_reading_delivered_again_is_the_same_reading(town: Town, clock: FakeClock) -> None:
    reading = bp(clock, 150)
    town.send((1, reading))
    town.send((1, reading))
    (row,) = town.county.services.nameless.board(COUNTY).rows
    assert row.readings == 1
    town.county.services.nameless.assign(COUNTY, key(), resident="r-0001")
    town.send((1, reading))
    assert len(town.table("assigned")) == 1


def test_in_whatever_order_a_session_comes_it_is_the_same(town: Town, clock: FakeClock) -> None:
    readings = []
    for number in range(1, 4):
        readings.append((number, bp(clock, 140 + number)))
        clock.advance(1)
    for gateway, order in (("home-01", (0, 1, 2)), ("home-02", (2, 0, 1))):
        for at in order:
            town.send(readings[at], gateway=gateway)
    first, second = (row[1:] for row in town.table("nameless"))
    assert first == second


def test_a_time_that_becomes_known_after_assigning_moves_the_reading_and_keeps_it_one(
    town: Town, clock: FakeClock
) -> None:
    """Of a gateway without a clock the second reading waits for its time while its session is given to a person."""
    town.deliver(said(Boot(NEW), mono_ms=1000))
    unset = bp(clock, 160)
    unset = msgspec.structs.replace(unset, times=Times(2000, 2_000_000_000, NEW, ClockState.UNSET))
    clock.advance(60)
    town.send((1, bp(clock, 150)), (2, unset), (3, bp(clock, 155)))
    town.county.services.nameless.assign(COUNTY, key(), resident="r-0001")
    assert {row[2]: row[6] for row in town.table("assigned")}[2] == clock.wall_ms(), "not later than it came"
    clock.advance(3600)
    town.deliver(said(Boot(NEW, 0, mark(town, mono_ms=3_662_000)), mono_ms=3_662_000))
    at_ms = {row[2]: row[6] for row in town.table("assigned")}
    assert set(at_ms) == {1, 2, 3}
    assert at_ms[2] == clock.wall_ms() - 3_660_000


def test_rooms_and_events_of_nobody_wait_for_no_name(town: Town, clock: FakeClock) -> None:
    times = Times(clock.wall_ms(), clock.mono_ns(), BOOT, ClockState.SYNCED)
    nobody = Subject(SubjectKind.UNIDENTIFIED, "x")
    town.send(
        (1, Observation("room_temperature", (Part("room_temperature", (2000,)),), nobody, "th-1", times)),
        (2, Observation("presence", (Part("presence", (1,)),), nobody, "radar-1", times)),
    )
    assert waiting(town) == []


def test_given_days_later_a_reading_without_a_time_stands_where_it_was_received(town: Town, clock: FakeClock) -> None:
    """And the clock of its gateway is not believed then where it was not before."""
    ahead = bp(clock, 160)
    ahead = msgspec.structs.replace(ahead, times=Times(clock.wall_ms() + 86_400_000, 5, BOOT, ClockState.SYNCED))
    town.send((1, bp(clock, 150, state=ClockState.UNSET)), (2, ahead))
    received_ms = clock.wall_ms()
    clock.advance(3 * 86_400)
    town.county.services.nameless.assign(COUNTY, key(), resident="r-0001")
    assert [row[6] for row in town.table("assigned")] == [received_ms, received_ms]


def test_a_room_and_an_event_among_the_readings_of_a_session_become_nobodys_with_it(
    town: Town, clock: FakeClock
) -> None:
    times = Times(clock.wall_ms(), clock.mono_ns(), BOOT, ClockState.SYNCED)
    nobody = Subject(SubjectKind.UNIDENTIFIED, "cuff-01.s1")
    room = Observation("room_temperature", (Part("room_temperature", (2000,)),), nobody, "th-1", times)
    pressed = Observation("help_button", (Part("help_button", (1,)),), nobody, "button-1", times)
    town.send((1, bp(clock, 150)), (2, room), (3, pressed), (4, bp(clock, 151)))
    town.county.services.nameless.assign(COUNTY, key(), resident="r-0001")
    assert {row[5] for row in town.table("assigned")} == {"bp"}
    assert town.board() == ()


@pytest.mark.parametrize("session", ["", "a\0b", "a\nb", "a\u202eb"])
def test_a_session_whose_name_no_form_brings_back_does_not_wait(town: Town, clock: FakeClock, session: str) -> None:
    """Nobody could ever answer for it."""
    town.send((1, bp(clock, 150, session)), (2, bp(clock, 151, "老人 7")))
    assert waiting(town) == ["老人 7"]


def test_the_name_of_a_person_of_another_place_is_not_shown(town: Town, client: Client, clock: FakeClock) -> None:
    """The county gave it to somebody of another village."""
    town.send((1, bp(clock, 150)))
    town.county.services.nameless.assign(COUNTY, key(), resident="r-0002")
    assert (decision := only_decision(town)).person is not None
    (row,) = town.county.services.nameless.board(VILLAGE).decided
    assert row.decision == replace(decision, person=None, elsewhere=True)
    browser = sign_in(client, town, VILLAGE)
    for path in ("/readings", f"/readings/one?gateway=home-01&epoch={EPOCH}&session=cuff-01.s1"):
        page = browser.get(path).text
        assert "张2" not in page
        assert "其他地方的居民" in page
        assert "不是本地居民</" not in page


def test_a_session_too_long_for_one_visit_is_given_to_nobody(town: Town, clock: FakeClock) -> None:
    town.send((1, bp(clock, 150)), (MOST_RECORDS + 1, bp(clock, 151)))
    assert town.county.services.nameless.assign(COUNTY, key(), resident="r-0001") is Said.TOO_MANY
    assert (waiting(town), town.table("assigned")) == (["cuff-01.s1"], [])


def test_what_makes_a_session_too_long_after_it_was_given_follows_nobody(town: Town, clock: FakeClock) -> None:
    """Else one reading more would have the county judge all that the gateway ever sent, again and again."""
    town.send((1, bp(clock, 190)))
    town.county.services.nameless.assign(COUNTY, key(), resident="r-0001")
    clock.advance(90)
    town.send((MOST_RECORDS, bp(clock, 150)), (MOST_RECORDS + 1, bp(clock, 194)))
    assert [row[2] for row in town.table("assigned")] == [1]
    assert town.board() == ()


def test_a_session_of_the_last_number_there_is_can_be_given(town: Town, clock: FakeClock) -> None:
    town.send((2**63 - 1, bp(clock, 150)))
    assert town.county.services.nameless.assign(COUNTY, key(), resident="r-0001") is Said.DONE


def test_every_session_is_on_some_page(town: Town, clock: FakeClock) -> None:
    """Also where all came at the same moment."""
    sent = [(number, bp(clock, 150, f"s-{number:03}")) for number in range(1, 2 * ROWS_A_PAGE + 2)]
    town.send(*sent)
    desk = town.county.services.nameless
    first = desk.board(COUNTY)
    assert (first.waiting, first.pages, len(first.rows)) == (len(sent), 3, ROWS_A_PAGE)
    seen = [row.key.subject for page in range(3) for row in desk.board(COUNTY, page=page).rows]
    assert sorted(seen) == [f"s-{number:03}" for number, _ in sent]
    assert desk.board(COUNTY, page=9).rows == ()


def test_people_of_the_gateway_come_first_and_others_by_name(town: Town, clock: FakeClock) -> None:
    town.send((1, bp(clock, 150)))
    desk = town.county.services.nameless

    def found(viewer: Viewer, words: str) -> list[str]:
        page = desk.session(viewer, key(), words=words)
        assert page is not None
        return [candidate.person.id for candidate in page.candidates]

    assert found(COUNTY, "") == ["r-0001"]
    assert found(COUNTY, "张2") == ["r-0002"]
    assert found(COUNTY, "0003") == ["r-0003"]
    assert found(COUNTY, "%") == []
    assert found(VILLAGE, "张") == ["r-0001"], "of the own village only"


def form(browser: Browser, path: str, **fields: str) -> int:
    browser.get("/api/v1/session")
    named = {"gateway": "home-01", "epoch": EPOCH, "session": "cuff-01.s1", "csrf": browser.csrf}
    return browser.client.post(path, data={**named, **fields}).status_code


def test_the_pages_lead_from_the_list_to_the_person(town: Town, client: Client, clock: FakeClock) -> None:
    town.send((1, bp(clock, 150)))
    browser = sign_in(client, town, VILLAGE)
    page = browser.get("/readings").text
    (link,) = re.findall(r'href="(/readings/one[^"]+)"', page)
    one = browser.get(link.replace("&amp;", "&")).text
    assert "150/70 mmHg" in one
    assert "张1" in one
    assert form(browser, "/readings/one", words="张") == 200
    assert form(browser, "/readings/assign") == 200, "nobody chosen: said, and nothing done"
    assert form(browser, "/readings/assign", resident="r-0001") == 303
    assert form(browser, "/readings/assign", resident="r-0001") == 200, "said again, it is told that it was answered"
    assert (
        "1 session was given to this person later"
        in client.get("/residents/r-0001", headers={"accept-language": "en"}).text
    )
    assert form(browser, "/readings/back") == 303
    assert form(browser, "/readings/aside") == 303
    assert form(browser, "/readings/aside", session="none") == 404
    assert shown(town) == {}


def test_no_act_without_the_forms_own_token(town: Town, client: Client, clock: FakeClock) -> None:
    town.send((1, bp(clock, 150)))
    browser = sign_in(client, town, VILLAGE)
    for act in ("assign", "aside", "back", "one"):
        assert form(browser, f"/readings/{act}", resident="r-0001", csrf="wrong") == 403
    assert waiting(town) == ["cuff-01.s1"]


def test_a_look_at_one_is_in_the_audit(town: Town, clock: FakeClock) -> None:
    town.send((1, bp(clock, 150)))
    desk = town.county.services.nameless
    assert desk.session(VILLAGE, key(), words="") is not None
    assert desk.session(_ELSEWHERE, key(), words="") is None
    assert [row for row in audit(town) if row[1] == "look reading"] == [
        ("zhao", "look reading", "home-01/cuff-01.s1", "shown"),
        ("sun", "look reading", "home-01/cuff-01.s1", "not_found"),
    ]
