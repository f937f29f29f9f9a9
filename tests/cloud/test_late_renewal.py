"""A gateway that comes back with a certificate that had run out: let in at once, for short until somebody looked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509

from kanhu.cloud.alerting.came_back import CONFIRMED, REPLACED, REVOKED
from kanhu.cloud.alerting.state import Ended
from kanhu.cloud.app import create_app
from kanhu.cloud.authority import enrolment
from kanhu.cloud.authority.enrolment import Answer, Granted, Late
from kanhu.cloud.authority.late import run_out
from kanhu.cloud.authority.store import Authority, open_authority
from kanhu.cloud.config import CloudConfig
from kanhu.cloud.desk.model import LateRow, Outcome, Role, Viewer
from kanhu.cloud.doctor import examine
from kanhu.contract import FakeClock, Priority
from tests.cloud.box import Box
from tests.cloud.browser import Browser, sign_in
from tests.cloud.client import Client
from tests.cloud.town import COUNTY, OTHER, VILLAGE, Town, only

_DAY_S = 86_400
_ELSEWHERE = Viewer("sun", "孙医生", Role.VILLAGE, "shiqiao")


@dataclass
class Home:
    """One gateway as its county's authority knows it: it keeps what it was given, and asks for the next."""

    town: Town
    authority: Authority
    gateway: str = "home-01"
    box: Box = field(default_factory=Box)
    held: Granted = field(init=False)

    def __post_init__(self) -> None:
        self.enrol()

    def enrol(self) -> None:
        token = self.town.county.writer.run(lambda tx: enrolment.invite(tx, gateway=self.gateway, by="console")).token
        self.box = Box()
        asked = {"gateway": self.gateway, "token": token, "request": self.box.request}
        self.held = self.town.county.writer.run(lambda tx: enrolment.enrol(tx, self.authority.issuer, **asked))  # type: ignore[arg-type]  # as named

    def ask(self) -> Answer:
        """Ask for the next certificate, as a running gateway does once a day."""
        new = Box()
        late = Late(14, self.town.county.deciding.came_back)
        given = self.town.county.writer.run(
            lambda tx: enrolment.renew(
                tx,
                self.authority.issuer,
                certificate=self.held.certificate,
                request=new.request,
                signature=self.box.signature(new.request),
                late=late,
            )
        )
        if given.answer is Answer.GRANTED:
            self.held, self.box = given, new
        return given.answer

    def days_left(self) -> float:
        ends = x509.load_pem_x509_certificate(self.held.certificate).not_valid_after_utc
        return round((ends - self.town.clock.now()).total_seconds() / _DAY_S, 3)

    def row(self) -> LateRow | None:
        """What the equipment page asks about it."""
        found = {row.id: row.late for row in self.town.county.services.desk.equipment(COUNTY).gateways}
        return found[self.gateway]

    def certificate(self) -> str:
        """What its question on the page is about."""
        row = self.row()
        assert row is not None
        return row.certificate


@pytest.fixture
def home(town: Town, tmp_path: Path, clock: FakeClock) -> Home:
    """Return a gateway whose certificate ran out ten days ago and which has just come back."""
    home = Home(town, open_authority(tmp_path / "authority", name="Yunling", now=clock.now()))
    clock.advance(100 * _DAY_S)
    assert home.ask() is Answer.GRANTED
    return home


@pytest.fixture
def client(town: Town) -> Iterator[Client]:
    with Client(create_app(town.county.services)) as client:
        yield client


def press(browser: Browser, path: str, certificate: str) -> int:
    """Send a form of the equipment page; 303 leads back to it, 200 is the page with a word about it."""
    browser.get("/api/v1/session")
    return browser.client.post(path, data={"csrf": browser.csrf, "certificate": certificate}).status_code


def audit(town: Town, *acts: str) -> list[tuple[str, str, str]]:
    return [(user, act, result) for _, _, user, act, _, result in town.table("audit") if act in acts]


def gone(town: Town) -> list[str]:
    with town.county.ledger.read() as connection:
        return [row.gateway for row in run_out(connection, now_ms=town.clock.wall_ms())]


def test_it_is_let_in_at_once_for_two_weeks_and_staff_are_asked(town: Town, home: Home) -> None:
    assert home.days_left() == 14
    assert home.held.issued_ms + 60 * _DAY_S * 1000 <= town.clock.wall_ms(), "so it asks daily, from the first day on"
    row = only(town.board(VILLAGE))
    assert (row.rule, row.subject, row.priority) == ("CAME-BACK", "home-01/certificate", Priority.TECHNICAL)
    assert row.unseen_people == 0, "its people are watched meanwhile"
    assert "came back 10 day(s) after its certificate had run out" in row.detail.en
    assert "过期 10 天后" in row.detail.zh
    asked = home.row()
    assert asked is not None
    assert (asked.days, (asked.until - town.clock.now()).days) == (10, 14)
    first = town.county.services.desk.equipment(COUNTY).gateways[0]
    assert first.id == "home-01", "before all that only wait"


def test_confirmed_it_is_renewed_as_any_other_with_its_next_ask(town: Town, home: Home, clock: FakeClock) -> None:
    alert = only(town.board()).id
    assert town.county.services.desk.confirm_gateway(VILLAGE, "home-01", certificate=home.certificate()) == "done"
    assert not town.board()
    assert home.row() is None
    assert [event for _, event in town.events(alert) if isinstance(event, Ended)] == [Ended(CONFIRMED)]
    page = town.county.services.desk.alert(COUNTY, alert)
    assert page is not None
    assert (page.events[-1].actor, page.events[-1].text.en) == ("zhao", "Confirmed: it stands where it should")
    clock.advance(_DAY_S)
    assert home.ask() is Answer.GRANTED
    assert home.days_left() == 90
    assert home.ask() is Answer.TOO_EARLY
    clock.advance(60 * _DAY_S)
    assert home.ask() is Answer.GRANTED
    assert (home.days_left(), town.board()) == (90, ())
    assert audit(town, "renew gateway", "renew late gateway", "confirm gateway") == [
        ("gateway:home-01", "renew late gateway", "granted"),
        ("zhao", "confirm gateway", "done"),
        ("gateway:home-01", "renew gateway", "granted"),
        ("gateway:home-01", "renew gateway", "granted"),
    ]


def test_the_doctor_and_the_list_of_gateways_say_where_to_answer(town: Town, home: Home) -> None:
    late = [said.text for said in examine(CloudConfig(data=town.folder), clock=town.clock) if said.about == "late"]
    assert late == ["1 gateways came back with a certificate that had run out: answer on the equipment page"]
    with town.county.ledger.read() as connection:
        standing = enrolment.standings(connection, now_ms=town.clock.wall_ms())
    assert [one.gateway for one in standing if one.unconfirmed] == ["home-01"]


def test_unanswered_it_is_not_renewed_and_runs_out_with_its_session(town: Town, home: Home, clock: FakeClock) -> None:
    rows = len(town.table("audit"))
    for _ in range(14):
        clock.advance(_DAY_S)
        assert home.ask() is Answer.UNCONFIRMED
    assert len(town.table("audit")) == rows, "asked daily, and no row for each"
    assert only(town.board()).count == 1
    assert gone(town) == []
    clock.advance(1)
    assert set(gone(town)) == {"home-01"}, "with all that it holds"
    asked = home.row()
    assert asked is not None
    assert asked.until < clock.now()


def test_an_answer_after_the_end_still_lets_it_come_back(town: Town, home: Home, clock: FakeClock) -> None:
    clock.advance(40 * _DAY_S)
    assert home.ask() is Answer.UNCONFIRMED
    town.county.services.desk.confirm_gateway(VILLAGE, "home-01", certificate=home.certificate())
    assert gone(town) == []
    clock.advance(_DAY_S)
    assert home.ask() is Answer.GRANTED
    assert home.days_left() == 90


def test_half_a_year_after_the_end_only_an_invitation_helps(town: Town, home: Home, clock: FakeClock) -> None:
    clock.advance((14 + 180) * _DAY_S)
    assert home.row() is not None
    clock.advance(1)
    assert home.row() is None
    assert home.ask() is Answer.RAN_OUT_TOO_LONG


def test_twice_late_is_asked_twice_and_the_first_answer_counts_for_the_first_only(
    town: Town, home: Home, clock: FakeClock
) -> None:
    desk = town.county.services.desk
    first_alert, first = only(town.board()).id, home.certificate()
    desk.confirm_gateway(VILLAGE, "home-01", certificate=first)
    clock.advance(30 * _DAY_S)  # gone again before it took the next
    assert home.ask() is Answer.GRANTED
    assert home.days_left() == 14
    assert only(town.board()).id != first_alert
    assert "came back 16 day(s) after" in only(town.board()).detail.en, "a confirmation counts for two weeks"
    assert desk.confirm_gateway(VILLAGE, "home-01", certificate=first) == "not_open", "a page left open since then"
    assert home.ask() is Answer.UNCONFIRMED
    assert desk.confirm_gateway(VILLAGE, "home-01", certificate=home.certificate()) == "done"
    assert home.ask() is Answer.GRANTED
    assert (home.days_left(), town.board()) == (90, ())


def test_an_alert_closed_without_an_answer_comes_back_three_days_later(
    town: Town, home: Home, clock: FakeClock
) -> None:
    desk = town.county.services.desk
    first = only(town.board()).id
    desk.close(COUNTY, first, outcome=Outcome.TRUE_NO_ACTION, note="", key="1")
    for _ in range(2):
        clock.advance(_DAY_S)
        assert home.ask() is Answer.UNCONFIRMED
        assert not town.board()
    assert home.row() is not None, "the page asks all the same"
    clock.advance(_DAY_S)
    home.ask()
    again = only(town.board())
    assert again.id != first
    assert "ends in 11 day(s)" in again.detail.en


def test_taken_away_it_is_revoked(town: Town, home: Home) -> None:
    alert = only(town.board()).id
    assert town.county.services.desk.take_gateway_away(VILLAGE, "home-01", certificate=home.certificate()) == "done"
    assert home.ask() is Answer.REVOKED
    assert (town.board(), home.row()) == ((), None)
    assert [event for _, event in town.events(alert) if isinstance(event, Ended)] == [Ended(REVOKED)]
    with town.county.ledger.read() as connection:
        assert {row.gateway for row in enrolment.taken_back(connection)} == {"home-01"}
    assert audit(town, "take gateway away", "revoke gateway") == [
        ("zhao", "take gateway away", "done"),
        ("zhao", "revoke gateway", "2 certificates"),
    ]


@pytest.mark.parametrize("word", [REVOKED, REPLACED])
def test_revoked_or_enrolled_anew_meanwhile_nothing_is_asked_any_more(town: Town, home: Home, word: str) -> None:
    alert, certificate = only(town.board()).id, home.certificate()
    if word == REVOKED:
        town.county.writer.run(lambda tx: enrolment.revoke(tx, gateway="home-01", by="console:root"))
    else:
        home.enrol()
    assert (town.board(), home.row()) == ((), None)
    assert [event for _, event in town.events(alert) if isinstance(event, Ended)] == [Ended(word)]
    desk = town.county.services.desk
    assert desk.confirm_gateway(VILLAGE, "home-01", certificate=certificate) == "not_open"
    assert desk.take_gateway_away(VILLAGE, "home-01", certificate=certificate) == "not_open"
    assert home.ask() is (Answer.REVOKED if word == REVOKED else Answer.TOO_EARLY), "and nothing was changed"


def test_of_two_people_the_first_answer_stands_and_the_second_is_told(town: Town, home: Home, client: Client) -> None:
    first, second, certificate = sign_in(client, town, VILLAGE), sign_in(client, town, OTHER), home.certificate()
    assert press(first, "/gateways/home-01/confirm", certificate) == 303
    assert press(second, "/gateways/home-01/confirm", certificate) == 200
    assert press(second, "/gateways/home-01/take-away", certificate) == 200
    answered = [("zhao", "done"), ("wang", "not_open")]
    assert [(user, result) for user, _, result in audit(town, "confirm gateway")] == answered
    (row,) = [row for row in town.table("certificate") if row[0] == certificate]
    assert "zhao" in row
    assert home.ask() is Answer.GRANTED


@pytest.mark.parametrize("act", ["confirm", "take-away"])
def test_nobody_answers_for_another_village_or_without_the_forms_own_token(
    town: Town, home: Home, client: Client, act: str
) -> None:
    certificate = home.certificate()
    stranger, path = sign_in(client, town, _ELSEWHERE), f"/gateways/home-01/{act}"
    assert press(stranger, path, certificate) == 404
    assert certificate not in stranger.get("/equipment").text
    own = sign_in(client, town, VILLAGE)
    assert press(own, "/gateways/home-02/confirm", certificate) == 404, "a certificate of another gateway"
    assert press(own, path, "0") == 404
    own.get("/api/v1/session")
    assert client.post(path, data={"certificate": certificate}).status_code == 403
    client.cookies.clear()
    assert client.post(path, data={"certificate": certificate}).status_code in {303, 401}
    assert home.ask() is Answer.UNCONFIRMED, "none of it counted"
    noted = audit(town, "confirm gateway", "take gateway away")
    assert ("sun", "confirm gateway" if act == "confirm" else "take gateway away", "not_found") in noted


@pytest.mark.parametrize(("language", "yes", "asked"), [("en", "Yes, it is", "is it standing"), ("zh", "是的", "原来")])
def test_the_page_asks_in_the_readers_language_with_a_form_for_each_answer(
    town: Town, home: Home, client: Client, language: str, yes: str, asked: str
) -> None:
    browser = sign_in(client, town, VILLAGE)
    browser.get("/api/v1/session")
    page = client.get("/equipment", headers={"accept-language": language}).text
    assert asked in page
    assert yes in page
    forms = re.findall(r'action="(/gateways/[^"]+)"', page)
    assert forms == ["/gateways/home-01/confirm", "/gateways/home-01/take-away"]
    assert page.count(f'name="certificate" value="{home.certificate()}"') == 2


def test_a_county_whose_clock_was_ahead_asks_once_and_shuts_nobody_out(
    town: Town, tmp_path: Path, clock: FakeClock
) -> None:
    home = Home(town, open_authority(tmp_path / "authority", name="Yunling", now=clock.now()))
    clock.advance(61 * _DAY_S)
    clock.step_wall(70 * _DAY_S)
    assert home.ask() is Answer.GRANTED
    clock.step_wall(-70 * _DAY_S)
    given = x509.load_pem_x509_certificate(home.held.certificate)
    assert given.not_valid_before_utc < clock.now() < given.not_valid_after_utc, "the broker lets it in by either clock"
    town.county.services.desk.confirm_gateway(VILLAGE, "home-01", certificate=home.certificate())
    assert not town.board()
    assert home.ask() is Answer.TOO_EARLY, "by the right clock it has 84 days"
    clock.advance(54 * _DAY_S)
    assert home.ask() is Answer.GRANTED
    assert home.days_left() == 90


def test_a_county_whose_clock_is_behind_renews_it_in_the_ordinary_way(
    town: Town, tmp_path: Path, clock: FakeClock
) -> None:
    """It cannot know better; by the right clock the next one is late, and asked about then."""
    home = Home(town, open_authority(tmp_path / "authority", name="Yunling", now=clock.now()))
    clock.advance(100 * _DAY_S)
    clock.step_wall(-30 * _DAY_S)
    assert home.ask() is Answer.GRANTED
    assert not town.board()
    clock.step_wall(30 * _DAY_S)
    assert home.days_left() == 60


def test_a_restart_of_the_county_forgets_neither_the_question_nor_the_answer(
    town: Town, home: Home, clock: FakeClock
) -> None:
    alert = only(town.board()).id
    town.stop()
    town.start()
    assert home.ask() is Answer.UNCONFIRMED
    assert only(town.board()).id == alert
    town.county.services.desk.confirm_gateway(VILLAGE, "home-01", certificate=home.certificate())
    town.stop()
    town.start()
    clock.advance(_DAY_S)
    assert home.ask() is Answer.GRANTED
    assert (home.days_left(), town.board()) == (90, ())


def test_an_answer_that_was_lost_on_the_way_is_given_again_and_asked_about_once(
    town: Town, tmp_path: Path, clock: FakeClock
) -> None:
    home = Home(town, open_authority(tmp_path / "authority", name="Yunling", now=clock.now()))
    clock.advance(100 * _DAY_S)
    new = Box()
    asked = {"certificate": home.held.certificate, "request": new.request, "signature": home.box.signature(new.request)}
    late = Late(14, town.county.deciding.came_back)
    given = [
        town.county.writer.run(lambda tx: enrolment.renew(tx, home.authority.issuer, **asked, late=late))
        for _ in range(2)
    ]
    assert given[0] == given[1]
    assert only(town.board()).count == 1


def test_what_was_renewed_late_before_this_version_stays_as_it_was(town: Town, home: Home, clock: FakeClock) -> None:
    """A ledger of an older version has no word about it."""
    town.county.writer.run(
        lambda tx: tx.connection.exec_driver_sql("UPDATE certificate SET ran_out_ms = NULL WHERE ran_out_ms > 0")
    )
    assert home.row() is None
    assert home.ask() is Answer.GRANTED
    assert home.days_left() == 90
