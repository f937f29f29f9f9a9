"""Every screen in a real browser: reachable by everybody, never sideways, without a complaint in the console."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from kanhu.contract import Priority, SystemClock
from tests.cloud.dashboard.chromium import DESK, PHONE, axe_findings, chromium_at, opened, signed_in
from tests.cloud.dashboard.fake_desk import FakeStaff, Scene, scene
from tests.cloud.dashboard.fake_nameless import KEY
from tests.cloud.dashboard.scene import PEOPLE, alert_row
from tests.cloud.dashboard.served import Served
from tests.debian import DebianPackages

pytestmark = pytest.mark.browser

READING = f"/readings/one?gateway={KEY.gateway}&epoch={KEY.epoch}&session={KEY.subject}"
PAGES = [
    *("/", "/alerts/a-2", "/residents/r-0002", "/readings", READING),
    *("/equipment", "/me", "/help", "/residents/r-nobody"),
]


@pytest.fixture(scope="module")
def chromium(debian_package: DebianPackages) -> Iterator[Browser]:
    debian_package("fonts-noto-cjk")
    with chromium_at(debian_package("chromium")) as browser:
        yield browser


@pytest.fixture(scope="module")
def shown() -> Scene:
    morning = scene(clock=SystemClock())
    village = PEOPLE["r-0666"].village
    morning.desk.put(
        alert_row("a-hostile", Priority.MEDIUM, "r-0666", village, village, waited_min=3, now=morning.clock.now())
    )
    claimed = morning.desk.claim(morning.staff.people["lijing"], "a-4", key="k" * 12)
    assert claimed[1] is not None
    return morning


@pytest.fixture(scope="module")
def county(shown: Scene) -> Iterator[str]:
    with Served(shown.app) as served:
        yield served.url


@pytest.mark.parametrize(
    ("language", "theme", "size", "text"),
    [
        ("zh", "light", DESK, "normal"),
        ("zh", "dark", DESK, "normal"),
        ("en", "light", DESK, "normal"),
        ("en", "dark", DESK, "normal"),
        ("zh", "light", PHONE, "large"),
        ("en", "dark", PHONE, "normal"),
    ],
)
def test_axe_finds_nothing_on_any_screen(
    chromium: Browser, county: str, language: str, theme: str, size: tuple[int, int], text: str
) -> None:
    context, page, errors = opened(chromium, county, language=language, theme=theme, size=size, text=text)
    page.goto("/login")
    found = {"/login": axe_findings(page)}
    signed_in(page, "lijing", FakeStaff.PASSWORD)
    for path in PAGES:
        page.goto(path)
        page.locator("#live", has_text=re.compile(r"\d")).wait_for()
        if path == "/" and size == DESK:
            page.wait_for_selector("#panel .why")
        found[path] = axe_findings(page)
        width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, f"{path} is {width} px too wide"
    assert {path: lines for path, lines in found.items() if lines} == {}
    assert [error for error in errors if "404" not in error] == []
    assert page.evaluate("window.broken") is None
    context.close()


@pytest.mark.parametrize("width", [320, 768, 1241, 1920])
def test_no_screen_scrolls_sideways_at_any_width(chromium: Browser, county: str, width: int) -> None:
    context, page, _ = opened(chromium, county, language="en", size=(width, 768))
    signed_in(page, "lijing", FakeStaff.PASSWORD)
    for path in PAGES:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
    context.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_desk_shows_seven_alerts_and_a_phone_two_with_their_buttons(
    chromium: Browser, county: str, language: str
) -> None:
    visible = """() => [...document.querySelectorAll('.row')].filter(row => {
        const edge = document.querySelector('.tabs').getBoundingClientRect().top || innerHeight;
        return row.getBoundingClientRect().bottom <= edge + 1;
    }).length"""
    context, page, _ = opened(chromium, county, language=language)
    signed_in(page, "lijing", FakeStaff.PASSWORD)
    page.click("#start")
    page.wait_for_selector("#bar-sound", state="hidden")
    assert page.evaluate(visible) >= 7
    context.close()
    context, page, _ = opened(chromium, county, language=language, size=PHONE)
    signed_in(page, "lijing", FakeStaff.PASSWORD)
    assert page.evaluate(visible) >= 2
    context.close()


@pytest.mark.parametrize("text", ["normal", "large"])
def test_a_long_value_keeps_clear_of_its_cards_edge_on_a_phone(chromium: Browser, county: str, text: str) -> None:
    context, page, _ = opened(chromium, county, size=PHONE, text=text)
    signed_in(page, "lijing", FakeStaff.PASSWORD)
    page.goto("/residents/r-0003")
    page.locator(".vital", has_text="mmHg").locator(".v").evaluate(
        "line => [...line.childNodes].filter(node => /\\d/.test(node.data))[0].data = '184/110 '"
    )
    clearance = """() => Math.min(...[...document.querySelectorAll('.vital .v')].map(line => {
        const inside = document.createRange();
        inside.selectNodeContents(line);
        return line.parentElement.getBoundingClientRect().right - inside.getBoundingClientRect().right;
    }))"""
    assert page.evaluate(clearance) >= 8
    context.close()


def test_a_touch_screen_shows_no_key_on_a_button(chromium: Browser, county: str) -> None:
    context = chromium.new_context(
        base_url=county, viewport={"width": PHONE[0], "height": PHONE[1]}, is_mobile=True, has_touch=True
    )
    page = signed_in(context.new_page(), "lijing", FakeStaff.PASSWORD)
    page.goto("/alerts/a-6")
    assert page.locator("#panel .claim kbd").count() == 1
    assert not page.locator("#panel .claim kbd").is_visible()
    context.close()


def test_the_board_stays_light_for_an_old_phone(chromium: Browser, county: str) -> None:
    context, page, _ = opened(chromium, county, size=PHONE)
    signed_in(page, "lijing", FakeStaff.PASSWORD)
    assert page.evaluate("document.querySelectorAll('*').length") < 2_500
    hosts = page.evaluate("performance.getEntriesByType('resource').map(entry => new URL(entry.name).origin)")
    assert set(hosts) == {county}
    context.close()


def test_by_keys_alone_it_is_said_where_a_gateway_stands(chromium: Browser, county: str) -> None:
    """The answer that takes something away is behind a second key."""
    context, page, _ = opened(chromium, county, script="off")
    signed_in(page, "lijing", FakeStaff.PASSWORD)
    page.goto("/equipment")
    page.locator("form[action$='/confirm'] button").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("details[open] form[action$='/take-away'] button").is_visible()
    page.keyboard.press("Tab")
    for answer in ("take-away", "confirm"):
        with page.expect_response(f"**/gateways/home-07/{answer}") as answered:
            page.keyboard.press("Enter")
        assert answered.value.status == 303
        page.wait_for_url("**/equipment")
        page.locator("form[action$='/confirm'] button").focus()
    context.close()


def test_without_scripts_an_alert_is_read_claimed_and_closed(chromium: Browser, county: str) -> None:
    context, page, _ = opened(chromium, county, script="off")
    signed_in(page, "lijing", FakeStaff.PASSWORD)
    page.click("#row-a-6 a")
    page.click("#panel .claim button")
    page.check("input[value=true_action]", force=True)
    page.click(".close button")
    page.wait_for_selector("#list")
    assert page.locator("#row-a-6").count() == 0
    context.close()


def test_without_scripts_a_reading_of_nobody_is_given_to_a_person(chromium: Browser, county: str) -> None:
    context, page, _ = opened(chromium, county, script="off", size=PHONE)
    signed_in(page, "lijing", FakeStaff.PASSWORD)
    page.goto("/readings")
    page.locator("tr", has_text="cuff-01").locator("a.btn").first.click()
    page.fill("#words", "王")
    page.click(".find button")
    page.check("input[name=resident]")
    page.click(".pri")
    page.wait_for_url("**/readings")
    assert page.locator("a.name", has_text="Wang Xiuying").count() == 2
    context.close()
