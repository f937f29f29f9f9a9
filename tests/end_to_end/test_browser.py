"""Staff at the county's board in a real browser: an alert comes by a finding through ingest and ends with a name."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from kanhu.cloud.app import create_app
from kanhu.cloud.config import CloudConfig
from kanhu.cloud.config import County as CountyName
from kanhu.cloud.county import County, open_county
from kanhu.cloud.desk.model import Role, Viewer
from kanhu.cloud.ingest.door import Message
from kanhu.cloud.people.site import Site, load_site, read_site
from kanhu.cloud.staff.accounts import add_account
from kanhu.contract import Priority, SystemClock
from kanhu.vitals import core_pack
from tests.cloud.dashboard.chromium import chromium_at, opened, signed_in
from tests.cloud.dashboard.served import Served
from tests.cloud.town import envelope, finding, heartbeat, oximetry
from tests.debian import DebianPackages

pytestmark = pytest.mark.browser

SITE = Path(__file__).parents[2] / "harness" / "scenarios" / "site.toml"
PASSWORD = "correct horse battery"
NURSE, DOCTOR = ("li.jing", "李静"), ("zhou", "周建平")
AREA = "yunling"


@pytest.fixture(scope="module")
def chromium(debian_package: DebianPackages) -> Iterator[Browser]:
    debian_package("fonts-noto-cjk")
    with chromium_at(debian_package("chromium")) as browser:
        yield browser


class RunningCounty:
    """The whole county service but its broker: messages are handed to ingest as a receiver would."""

    def __init__(self, folder: Path, port: int, site: Site) -> None:
        self._config = CloudConfig(data=folder, county=CountyName(zh="云岭县", en="Yunling"))
        self.clock = SystemClock()
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._sent = 0
        self.county = self._open()
        self.county.writer.run(lambda transaction: load_site(transaction.connection, site))
        for name, display in (NURSE, DOCTOR):
            self._add(name, display)
        self._web = self._serve()

    def press_help(self, number: int) -> str:
        """Somebody presses the help button at home: the id of the alert."""
        now_ms = self.clock.wall_ms()
        found = finding(now_ms, number=number, first_ns=now_ms * 1000 + self._sent)
        self._sent += 1
        self._deliver(envelope((self._sent, found), gateway=f"home-{number:02}", lane="alert"))
        return found.alert_id

    def measure_oxygen(self, number: int, percents: list[int]) -> None:
        """A few good oximeter readings a minute apart, the last one now."""
        for each, percent in enumerate(percents):
            at_ms = self.clock.wall_ms() - 60_000 * (len(percents) - 1 - each)
            self._sent += 1
            reading = oximetry(at_ms, percent, number=number)
            self._deliver(envelope((self._sent, reading), gateway=f"home-{number:02}"))

    def beat(self, number: int) -> None:
        """A heartbeat of a gateway."""
        self._deliver(heartbeat(f"home-{number:02}", self.clock.wall_ms()))

    def stop(self) -> None:
        """End the service, as a power cut of the server room would for its browsers."""
        self._web.__exit__(None, None, None)
        self.county.close()

    def start(self) -> None:
        """Open the same files; screens are not served yet."""
        self.county = self._open()

    def serve(self) -> None:
        """Serve the screens at the same address as before."""
        self._web = self._serve()

    def _open(self) -> County:
        return open_county(self._config, pack=core_pack(), clock=self.clock, broker=lambda: "connected")

    def _serve(self) -> Served:
        services = self.county.services
        services = replace(services, settings=replace(services.settings, heartbeat_s=1.0))
        return Served(create_app(services), port=self.port).__enter__()

    def _add(self, name: str, display: str) -> None:
        self.county.writer.run(
            lambda transaction: add_account(
                transaction, name=name, display=display, role=Role.COUNTY, place=AREA, password=PASSWORD
            )
        )

    def _deliver(self, message: Message) -> None:
        self.county.writer.run(lambda transaction: self.county.ingest.take(transaction, [message]))


@pytest.fixture
def site() -> Site:
    return read_site(SITE)


@pytest.fixture
def county(tmp_path: Path, free_ports: Callable[[], int], site: Site) -> Iterator[RunningCounty]:
    running = RunningCounty(tmp_path / "county", free_ports(), site)
    yield running
    running.stop()


def _name_of(site: Site, number: int, *, language: str = "en") -> str:
    person = next(person for person in site.resident if person.id == f"r-{number:04}")
    return person.name_en if language == "en" else person.name


def _board(chromium: Browser, county: RunningCounty, user: str, *, language: str = "en") -> Page:
    _, page, _ = opened(chromium, county.url, language=language)
    signed_in(page, user, PASSWORD)
    expect(page.locator("#live")).to_contain_text("Live" if language == "en" else "实时")
    return page


@pytest.mark.parametrize(
    ("language", "title", "you", "closed"),
    [("zh", "求助", "我", "属实，已处理"), ("en", "elp", "You", "real, handled")],
)
def test_an_alert_arrives_without_reload_is_claimed_and_closed_with_an_outcome(
    chromium: Browser, county: RunningCounty, site: Site, language: str, title: str, you: str, closed: str
) -> None:
    page = _board(chromium, county, NURSE[0], language=language)
    page.evaluate("window.sameDocument = true")
    expect(page.locator("#empty")).to_be_visible()
    alert = county.press_help(5)
    row = page.locator(f"#row-{alert}")
    expect(row).to_contain_text(_name_of(site, 5, language=language))
    expect(row).to_contain_text(title)
    expect(page.locator(".main .badge")).to_have_text("1")
    expect(page.locator("#panel .why")).to_be_visible()
    row.locator(".claim button").click()
    expect(row.locator(".own")).to_contain_text(you)
    expect(page.locator("#said")).to_contain_text(_name_of(site, 5, language=language))
    expect(page.locator(".main .badge")).to_be_hidden()
    page.locator("#panel input[value=true_action]").check()
    page.locator("#panel textarea").fill("去看过，已送药")
    page.locator("#panel .close button").click()
    expect(page.locator("#panel")).to_contain_text(closed)
    expect(row).to_have_count(0, timeout=15_000)
    expect(page.locator("#empty")).to_be_visible()
    assert page.evaluate("window.sameDocument")
    with county.county.ledger.read() as connection:
        looked = connection.exec_driver_sql("SELECT count(*) FROM audit WHERE object = ?", (alert,)).scalar()
    assert looked, "each look at a person is in the audit"
    page.context.close()


def test_the_second_sees_who_took_it_and_when(chromium: Browser, county: RunningCounty) -> None:
    alert = county.press_help(5)
    first, second, third = (_board(chromium, county, user) for user in (NURSE[0], DOCTOR[0], DOCTOR[0]))
    third.route("**/rows*", lambda route: route.abort())  # the third screen does not hear of the claim in time
    first.locator(f"#row-{alert} .claim button").click()
    expect(second.locator(f"#row-{alert} .own")).to_contain_text(NURSE[1], timeout=2_000)
    expect(second.locator(f"#row-{alert} .claim")).to_have_count(0)
    third.locator(f"#row-{alert} .claim button").click()
    expect(third.locator("#said")).to_contain_text(f"{NURSE[1]} took this")
    expect(third.locator(f"#row-{alert} .own")).to_contain_text(NURSE[1])
    for page in (first, second, third):
        page.context.close()


def test_a_claim_taken_back_is_free_again_on_every_board(chromium: Browser, county: RunningCounty) -> None:
    alert = county.press_help(5)
    first, second = (_board(chromium, county, user) for user in (NURSE[0], DOCTOR[0]))
    first.locator(f"#row-{alert} .claim button").click()
    expect(second.locator(f"#row-{alert} .own")).to_contain_text(NURSE[1])
    first.locator("#said .undo button").click()
    expect(second.locator(f"#row-{alert} .claim button")).to_be_visible()
    expect(first.locator(f"#row-{alert} .claim button")).to_be_visible()
    first.context.close()
    second.context.close()


def test_the_board_recovers_when_the_server_comes_back(chromium: Browser, county: RunningCounty) -> None:
    before = [county.press_help(number) for number in (1, 2)]
    page = _board(chromium, county, NURSE[0])
    page.evaluate("window.sameDocument = true")
    county.stop()
    expect(page.locator("#bar")).to_be_visible(timeout=15_000)
    county.start()
    during = [county.press_help(number) for number in (3, 4, 5)]
    county.serve()
    for alert in (*before, *during):
        expect(page.locator(f"#row-{alert}")).to_have_count(1, timeout=20_000)
    expect(page.locator("#bar")).to_be_hidden(timeout=15_000)
    shown = page.evaluate("[...document.querySelectorAll('.row')].map(row => row.dataset.id)")
    told = county.county.services.desk.board(Viewer(NURSE[0], NURSE[1], Role.COUNTY, AREA))
    assert shown == [row.id for row in told.rows if row.priority is Priority.HIGH]
    assert page.evaluate("window.sameDocument")
    page.context.close()


def test_a_residents_page_shows_what_was_measured_and_the_alert(
    chromium: Browser, county: RunningCounty, site: Site
) -> None:
    county.beat(2)
    county.measure_oxygen(2, [96, 95, 96, 94, 95, 93])
    county.press_help(2)
    page = _board(chromium, county, NURSE[0])
    page.locator("#panel .head a").click()
    expect(page.locator("h1")).to_contain_text(_name_of(site, 2))
    expect(page.locator(".vital", has_text="oxygen saturation").locator(".v")).to_contain_text("93")
    page.locator(".chip", has_text="24 h").click()
    chart = page.locator(".chart", has_text="oxygen saturation")
    expect(chart.locator("path.trace")).not_to_have_count(0)
    expect(chart.locator(".span")).to_contain_text("from")
    expect(page.locator(".alertbar.p-high")).to_be_visible()
    page.locator(".main a", has_text="Equipment").click()
    expect(page.locator("tr", has_text="home-02")).to_contain_text("online")
    page.context.close()


def test_a_session_that_ends_leads_to_the_sign_in_page(chromium: Browser, county: RunningCounty) -> None:
    page = _board(chromium, county, NURSE[0])
    county.county.writer.run(lambda transaction: transaction.connection.exec_driver_sql("DELETE FROM session"))
    county.press_help(5)
    expect(page.locator("form[action='/login']")).to_be_visible(timeout=15_000)
    page.context.close()
