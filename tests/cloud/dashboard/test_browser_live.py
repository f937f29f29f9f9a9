"""The board while things happen: alerts arrive, streams freeze, servers err, hands are on the list, sounds are due."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page, expect

from kanhu.cloud.desk.model import Both
from kanhu.contract import Priority, SystemClock
from tests.cloud.dashboard.chromium import PHONE, chromium_at, opened, signed_in
from tests.cloud.dashboard.fake_desk import FakeStaff, Scene, scene
from tests.cloud.dashboard.scene import NURSE, alert_row, sos_row
from tests.cloud.dashboard.served import Faults, Served
from tests.debian import DebianPackages

pytestmark = pytest.mark.browser

HEARTBEAT_S = 0.4  # in production 15: a stream is stale after three


@pytest.fixture(scope="module")
def chromium(debian_package: DebianPackages) -> Iterator[Browser]:
    with chromium_at(debian_package("chromium")) as browser:
        yield browser


@pytest.fixture
def shown() -> Scene:
    return scene(clock=SystemClock(), heartbeat_s=HEARTBEAT_S)


@pytest.fixture
def faults(shown: Scene) -> Faults:
    return Faults(shown.app)


@pytest.fixture
def county(faults: Faults) -> Iterator[str]:
    with Served(faults) as served:
        yield served.url


@pytest.fixture
def page(chromium: Browser, county: str) -> Iterator[Page]:
    context, page, errors = opened(chromium, county)
    signed_in(page, NURSE.user, FakeStaff.PASSWORD)
    expect(page.locator("#live")).to_contain_text("Live")
    yield page
    context.close()
    assert [error for error in errors if "500" not in error and "ERR_" not in error] == []


def _ids(page: Page) -> list[str]:
    found: list[str] = page.evaluate("[...document.querySelectorAll('.row')].map(row => row.dataset.id)")
    return found


def _new(shown: Scene, alert_id: str, priority: Priority) -> None:
    text = Both("新", "new")
    shown.desk.put(alert_row(alert_id, priority, "r-0004", text, text, waited_min=0, now=shown.clock.now()))


def _start_shift(page: Page) -> None:
    page.click("#start")
    expect(page.locator("#sound-text")).to_contain_text("tested")


def _played(page: Page) -> list[int]:
    found: list[int] = page.evaluate("kanhu.sound.played")
    return found


def _until(page: Page, holds: str) -> None:
    """Wait for a condition in the page; `wait_for_function` would need eval, which the page's policy forbids."""
    deadline = time.monotonic() + 10
    while not page.evaluate(holds):
        assert time.monotonic() < deadline, f"not within 10 s: {holds}"
        page.wait_for_timeout(50)


def test_a_new_alert_is_a_row_within_a_second(shown: Scene, page: Page) -> None:
    shown.desk.put(sos_row(now=shown.clock.now()))
    expect(page.locator("#row-a-sos-new")).to_be_visible(timeout=1_000)
    expect(page.locator("#spoken")).to_have_text("3 Now alerts unclaimed")
    expect(page).to_have_title(re.compile(r"^\(3\) Triage"))


def test_the_order_is_the_servers(shown: Scene, page: Page) -> None:
    for each, priority in enumerate((Priority.LOW, Priority.MEDIUM, Priority.HIGH, Priority.TECHNICAL)):
        _new(shown, f"a-new-{each}", priority)
    expect(page.locator(".row")).to_have_count(13)
    assert _ids(page) == [row.id for row in shown.desk.board(NURSE).rows]


def test_under_a_hand_only_now_alerts_come_in_and_the_rest_is_announced(shown: Scene, page: Page) -> None:
    before = _ids(page)
    page.hover("#row-a-5")
    page.mouse.move(400, 420)
    _new(shown, "a-soon", Priority.MEDIUM)
    expect(page.locator("#newer")).to_have_text("1 new alert")
    _new(shown, "a-now", Priority.HIGH)
    expect(page.locator("#row-a-now")).to_be_visible()
    assert _ids(page) == ["a-now", *before]
    expect(page.locator(".row[aria-current=true]")).to_have_attribute("data-id", "a-1")
    page.click("#newer")
    expect(page.locator("#row-a-soon")).to_be_visible()
    expect(page.locator("#newer")).to_be_hidden()


def test_focus_and_selection_survive_a_change_of_the_row(shown: Scene, page: Page) -> None:
    page.focus("#row-a-5 .who a")
    shown.desk.put(replace(shown.desk.alerts["a-5"], title=Both("变了", "Changed"), count=2))
    expect(page.locator("#row-a-5")).to_contain_text("Changed")
    assert page.evaluate("document.activeElement.closest('.row').dataset.id") == "a-5"


def test_a_note_being_written_survives_news_of_its_alert(shown: Scene, page: Page) -> None:
    page.click("#row-a-1 .claim button")
    page.locator("#panel input[value=true_action]").check()
    page.fill("#panel textarea", "half a sent")
    shown.desk.put(replace(shown.desk.alerts["a-1"], count=3))
    expect(page.locator("#row-a-1")).to_contain_text("3 times")
    expect(page.locator("#panel textarea")).to_have_value("half a sent")


def test_a_frozen_stream_is_called_stale_with_sound_and_clears_by_itself(
    shown: Scene, faults: Faults, page: Page
) -> None:
    _start_shift(page)
    for alert in list(shown.desk.alerts):
        shown.desk.put(replace(shown.desk.alerts[alert], handling="closed"))
    expect(page.locator("#empty")).to_be_visible(timeout=15_000)
    _until(page, "document.getElementById('bar').hidden && [kanhu.sound.played.length = 0]")
    faults.frozen = True
    bar = page.locator("#bar.stale")
    expect(bar).to_contain_text("Alerts may be late. No server heartbeat for")
    expect(page.locator("#live")).to_contain_text("no heartbeat")
    _until(page, "kanhu.sound.played.includes(4)")
    faults.frozen = False
    expect(page.locator("#bar")).to_be_hidden(timeout=10_000)
    expect(page.locator("#live")).to_contain_text("Live")


def test_a_sound_asked_for_under_a_more_urgent_one_follows_it(page: Page) -> None:
    page.evaluate("kanhu.state.alarms = []")  # else Now sounds again every ten seconds
    _start_shift(page)
    assert page.evaluate("kanhu.sound.isPlaying() && [kanhu.sound.sound(4), kanhu.sound.sound(2)] && true")
    _until(page, "kanhu.sound.played.length >= 3")
    assert _played(page) == [1, 2, 4], "one at a time, the most urgent of those that waited first"


def test_a_county_that_cannot_hear_its_gateways_is_never_called_live(shown: Scene, page: Page) -> None:
    shown.desk.broker = "backing_off: refused"
    shown.desk.put(sos_row(now=shown.clock.now()))
    expect(page.locator("#bar.deaf")).to_contain_text(
        "cannot hear its gateways (the message broker cannot be reached, trying again)"
    )
    expect(page.locator("#live")).to_have_text("list not current")
    shown.desk.broker = "connected"
    page.evaluate("kanhu.refresh()")
    expect(page.locator("#bar")).to_be_hidden()


def test_an_empty_board_is_no_good_news_while_it_cannot_be_loaded(shown: Scene, faults: Faults, page: Page) -> None:
    for alert in list(shown.desk.alerts):
        shown.desk.put(replace(shown.desk.alerts[alert], handling="closed"))
    expect(page.locator("#empty")).to_be_visible(timeout=15_000)
    faults.broken = True
    for _ in range(25):  # what was being fetched before still brings whatever it finds
        shown.desk.put(sos_row(now=shown.clock.now()))
        page.wait_for_timeout(200)
        if page.locator("#bar.error").is_visible():
            break
    expect(page.locator("#bar.error")).to_be_visible()
    expect(page.locator("#empty")).to_be_hidden()


def test_a_server_error_keeps_the_list_and_says_from_when_it_is(shown: Scene, faults: Faults, page: Page) -> None:
    before = _ids(page)
    faults.broken = True
    shown.desk.put(sos_row(now=shown.clock.now()))
    said = re.compile(r"the list from \d\d:\d\d. Server error, reference 500")
    expect(page.locator("#bar.error")).to_contain_text(said)
    assert _ids(page) == before
    expect(page.locator("#empty")).to_be_hidden()
    faults.broken = False
    expect(page.locator("#row-a-sos-new")).to_be_visible(timeout=20_000)
    expect(page.locator("#bar")).to_be_hidden()


def test_offline_says_so_and_returns_with_what_was_missed(shown: Scene, page: Page) -> None:
    page.context.set_offline(True)
    expect(page.locator("#bar.offline")).to_contain_text("You are offline. Showing data from")
    shown.desk.put(sos_row(now=shown.clock.now()))
    page.context.set_offline(False)
    expect(page.locator("#row-a-sos-new")).to_be_visible(timeout=20_000)
    expect(page.locator("#bar")).to_be_hidden(timeout=10_000)


def test_a_failed_claim_says_so_and_leaves_the_row(page: Page) -> None:
    page.route("**/claim", lambda route: route.fulfill(status=500, body="<p>broken</p>"))
    page.click("#row-a-2 .claim button")
    expect(page.locator("#said")).to_contain_text("That did not work")
    expect(page.locator("#row-a-2 .claim button")).to_be_visible()
    assert "broken" not in page.content()


def test_start_shift_sounds_and_a_claim_everywhere_ends_the_repetition(shown: Scene, page: Page) -> None:
    expect(page.locator("#bar-sound")).to_be_visible()
    _start_shift(page)
    expect(page.locator("#bar-sound")).to_be_hidden()
    assert _played(page) == [1]
    for alert in ("a-1", "a-2"):
        assert shown.desk.claim(NURSE, alert, key="k" + alert)[1] is not None
    expect(page.locator(".main .badge")).to_be_hidden()
    assert page.evaluate("kanhu.state.alarms.filter(alarm => alarm.p === 1).length") == 0
    page.evaluate("kanhu.sound.tick()")
    assert _played(page) == [1]


def test_a_new_now_alert_breaks_the_mute_and_nothing_else_does(shown: Scene, page: Page) -> None:
    _start_shift(page)
    page.keyboard.press("m")
    expect(page.locator("#sound-text")).to_contain_text("muted")
    _new(shown, "a-soon", Priority.MEDIUM)
    expect(page.locator("#row-a-soon")).to_be_visible(timeout=15_000)
    expect(page.locator("#sound-text")).to_contain_text("muted")
    page.wait_for_function("() => !kanhu.sound.isPlaying()")
    heard = len(_played(page))
    shown.desk.put(sos_row(now=shown.clock.now()))
    expect(page.locator("#sound-text")).to_contain_text("tested")
    assert _played(page)[heard:] == [1]


def test_a_now_alert_sounds_again_until_somebody_takes_it(shown: Scene, page: Page) -> None:
    _start_shift(page)
    page.wait_for_function("() => !kanhu.sound.isPlaying()")
    page.evaluate("performance.now = (now => () => now.call(performance) + 10_001)(performance.now)")
    page.wait_for_function("() => kanhu.sound.played.filter(each => each === 1).length === 2", timeout=5_000)
    assert _played(page)[-1] == 1, "it breaks into any lower sound"


def test_a_medium_alert_held_for_the_night_is_shown_and_silent(shown: Scene, page: Page) -> None:
    for alert in ("a-1", "a-2"):
        shown.desk.claim(NURSE, alert, key="k" + alert)
    expect(page.locator(".main .badge")).to_be_hidden()
    _start_shift(page)
    heard = len(_played(page))
    text = Both("夜", "night")
    row = alert_row("a-night", Priority.MEDIUM, "r-0004", text, text, waited_min=0, now=shown.clock.now())
    shown.desk.put(replace(row, held_until=row.due_at))
    expect(page.locator("#row-a-night")).to_contain_text("sounds from", timeout=15_000)
    page.evaluate("kanhu.sound.tick()")
    assert _played(page)[heard:] == []


def test_every_key_works_and_single_keys_can_be_turned_off(page: Page) -> None:
    current = page.locator(".row[aria-current=true]")
    expect(current).to_have_attribute("data-id", "a-1")
    page.keyboard.press("j")
    expect(current).to_have_attribute("data-id", "a-2")
    assert page.evaluate("document.activeElement.closest('.row').dataset.id") == "a-2"
    expect(page.locator("#panel")).to_contain_text("Wang Xiuying")
    page.keyboard.press("k")
    expect(current).to_have_attribute("data-id", "a-1")
    expect(page.locator("#panel .why")).to_be_visible()
    page.keyboard.press("Enter")
    assert page.evaluate("document.getElementById('panel').contains(document.activeElement)")
    page.keyboard.press("c")
    expect(page.locator("#panel .tel").first).to_be_focused()
    page.keyboard.press("t")
    expect(page.locator("#row-a-1")).to_have_class(re.compile("mine"))
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.locator("#single-keys").uncheck()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("j")
    expect(current).to_have_attribute("data-id", "a-1")


def test_a_filter_shows_its_rows_at_once_and_its_address_can_be_sent(page: Page, county: str) -> None:
    page.click("#row-a-1 .claim button")
    expect(page.locator("#row-a-1")).to_have_class(re.compile("mine"))
    page.click(".chip[data-show=mine]")
    expect(page.locator(".row:visible")).to_have_count(1)
    assert page.url == county + "/?show=mine"
    page.reload()
    expect(page.locator(".row:visible")).to_have_count(1)
    page.click(".chip[data-show=unclaimed]")
    expect(page.locator("#row-a-1")).to_be_hidden()


def test_names_are_covered_when_nobody_is_there_and_a_touch_shows_them(page: Page) -> None:
    page.evaluate("performance.now = (now => () => now.call(performance) + 301000)(performance.now)")
    expect(page.locator("html")).to_have_class(re.compile("locked"), timeout=3_000)
    assert page.locator("#row-a-2 .name").evaluate("name => getComputedStyle(name).color") == "rgba(0, 0, 0, 0)"
    page.mouse.move(700, 600)
    expect(page.locator("html")).not_to_have_class(re.compile("locked"))


def test_two_tabs_of_one_browser_share_one_stream_and_both_stay_fresh(shown: Scene, page: Page) -> None:
    streams: list[str] = []
    second = page.context.new_page()
    second.on("request", lambda request: streams.append(request.url) if "/events" in request.url else None)
    second.goto("/equipment")
    expect(second.locator("#live")).to_contain_text("Live")
    shown.desk.put(sos_row(now=shown.clock.now()))
    expect(second.locator(".main .badge")).to_have_text("3")
    expect(page.locator(".main .badge")).to_have_text("3")
    assert streams == []
    page.goto("about:blank")
    shown.desk.put(sos_row("a-second", now=shown.clock.now()))
    expect(second.locator(".main .badge")).to_have_text("4")
    assert len(streams) == 1


def test_a_phone_opens_an_alert_as_a_page_and_claims_there(chromium: Browser, county: str, shown: Scene) -> None:
    context, page, _ = opened(chromium, county, size=PHONE, language="zh")
    signed_in(page, NURSE.user, FakeStaff.PASSWORD)
    page.click("#row-a-2 .who a")
    expect(page.locator("#panel.alone .why")).to_be_visible()
    page.click("#panel .claim button")
    expect(page.locator("#panel .close")).to_be_visible()
    expect(page.locator("#panel .note")).to_contain_text("已接手")
    claim = shown.desk.alerts["a-2"].claim
    assert claim is not None
    page.go_back()
    expect(page.locator("#row-a-2")).to_have_class(re.compile("mine"))
    context.close()


def test_readings_come_as_they_are_measured_without_a_reload(shown: Scene, page: Page, county: str) -> None:
    page.goto(f"{county}/residents/r-0002")
    expect(page.locator(".vital .v").first).to_contain_text("84")
    page.get_by_role("button", name="Show readings as they come").click()
    expect(page.locator("#newest .note")).to_contain_text("each reading is shown a moment after")
    shown.desk.newest = "91"
    expect(page.locator(".vital .v").first).to_contain_text("91", timeout=8000)
    shown.desk.newest = "93"
    expect(page.locator(".vital .v").first).to_contain_text("93", timeout=8000)
