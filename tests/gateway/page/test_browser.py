"""The screens in a real browser at 800 x 480: what a finger of sixty years can hit and its eyes can read."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from kanhu.contract import ClockState, Observation, Part, QualityReason, Subject, SubjectKind, Times
from kanhu.edge.devices import DeviceSeen
from kanhu.edge.errors import LinkReason
from tests.cloud.dashboard.chromium import axe_findings, chromium_at, opened
from tests.debian import DebianPackages
from tests.gateway.page.running import Bench, RunningPage, settings

pytestmark = pytest.mark.browser

SCREEN = (800, 480)
_SMALLEST_TEXT_PX = 22
_SMALLEST_TARGET_PX = 48  # the line at the foot
_USUAL_TARGET_PX = 64
_LATE_S = 70.0  # a second cuff reading after its minute of rest

# Every piece of text with the size it is drawn in, and every thing to press with its box, as the browser laid them out.
_TEXTS = """() => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.data.trim(), box = walk.currentNode.parentElement;
    if (text && box.checkVisibility() && !box.closest("svg"))
      found.push([text, parseFloat(getComputedStyle(box).fontSize)]);
  }
  return found;
}"""
_TARGETS = """() => [...document.querySelectorAll("button, a, input:not([type=hidden])")]
  .filter((each) => each.checkVisibility())
  .map((each) => [each.closest("footer") ? "foot" : "", each.offsetWidth, each.offsetHeight, each.outerHTML])"""
# What is cut off sideways without a way to scroll to it.
_CUT = """() => [...document.querySelectorAll("header, main, footer, header *, main *")].filter((each) => {
  const style = getComputedStyle(each);
  return each.checkVisibility() && !each.closest("svg, .unseen")
    && each.clientWidth && each.scrollWidth > each.clientWidth + 1
    && !["auto", "scroll"].includes(style.overflowX) && style.display !== "inline" && style.textOverflow !== "ellipsis";
}).map((each) => each.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def chromium(debian_package: DebianPackages) -> Iterator[Browser]:
    debian_package("fonts-noto-cjk")
    with chromium_at(debian_package("chromium")) as browser:
        yield browser


@pytest.fixture(params=["zh", "en"])
def running(request: pytest.FixtureRequest, tmp_path: Path, free_ports: Callable[[], int]) -> Iterator[RunningPage]:
    page = RunningPage(settings(tmp_path, port=free_ports(), language=request.param))
    yield page
    page.stop()


@pytest.fixture
def page(chromium: Browser, running: RunningPage) -> Iterator[Page]:
    language = running.config.page.language if running.config.page else "zh"
    context, page, errors = opened(chromium, running.url, language=language, size=SCREEN)
    page.goto("/")
    yield page
    assert errors == []
    context.close()


def held_to_the_screen(page: Page) -> None:
    """Large enough to read and to hit, inside the screen, and nothing that axe finds."""
    page.wait_for_load_state("load")
    small = [(text, size) for text, size in page.evaluate(_TEXTS) if size < _SMALLEST_TEXT_PX]
    assert small == []
    least = {"": _USUAL_TARGET_PX, "foot": _SMALLEST_TARGET_PX}
    assert [each for each in page.evaluate(_TARGETS) if min(each[1], each[2]) < least[each[0]]] == []
    assert page.evaluate(_CUT) == []
    now = page.locator("#now")
    hidden_px = now.evaluate("each => each.scrollHeight - each.clientHeight") if now.count() else 0
    assert hidden_px <= 1, "seen at one glance, but for the fraction of a pixel"
    who = page.locator(".who")
    assert not who.count() or who.evaluate("each => each.scrollHeight - each.clientHeight") <= 1, (
        "both buttons are seen"
    )
    assert page.evaluate("document.documentElement.scrollHeight") <= SCREEN[1]
    assert page.evaluate("document.documentElement.scrollWidth") <= SCREEN[0]
    assert axe_findings(page) == []


def in_trouble(running: RunningPage) -> None:
    """A cuff whose battery is low, and an oximeter that is not plugged in."""
    cuff = DeviceSeen("cuff-01", "cuff-ble", connected=False, reason=LinkReason.DISCONNECTED, battery_percent=9)
    oximeter = DeviceSeen("ox-01", "oximeter-cms50d", connected=False, reason=LinkReason.UNPLUGGED)
    running.call(lambda bench: bench.seen.update({"cuff-01": cuff, "ox-01": oximeter}))


def test_every_screen_can_be_read_and_hit(page: Page, running: RunningPage) -> None:
    held_to_the_screen(page)
    running.call(lambda bench: bench.measure(118, 74))
    expect(page.locator(".note")).to_contain_text("118/74")
    held_to_the_screen(page)
    page.locator("#who-r-0003").click()
    expect(page.locator("ol.how")).to_be_visible()
    held_to_the_screen(page)
    running.call(lambda bench: bench.measure(128, 76))
    expect(page.locator("#value")).to_have_text("128/76")
    held_to_the_screen(page)
    doubts = [QualityReason.MOTION, QualityReason.CUFF_LOOSE, QualityReason.POSITION]
    running.call(lambda bench: bench.measure(143, 88, reasons=doubts))
    expect(page.locator("#advice")).to_be_visible()
    held_to_the_screen(page)
    in_trouble(running)
    running.call(lambda bench: bench.measure(218, 112, later_s=20))
    expect(page.locator("#limit")).to_be_visible()
    expect(page.locator(".trouble")).to_be_visible()
    held_to_the_screen(page)
    running.call(lambda bench: bench.measure(222, 114, later_s=20 + _LATE_S))
    expect(page.locator("#value")).to_have_text("222/114")
    held_to_the_screen(page)
    for address in ("/today", "/equipment"):
        page.goto(address)
        held_to_the_screen(page)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_many_rooms_long_names_and_long_words_fit_as_well(
    chromium: Browser, tmp_path: Path, free_ports: Callable[[], int], language: str
) -> None:
    people = [
        (f"r-{number:04}", f"{100 + number // 4}-{number % 4 + 1}", str(100 + number // 4)) for number in range(48)
    ]
    long_label = "东头三号院第二排左边第一间靠窗上铺王奶奶"
    config = settings(tmp_path, port=free_ports(), language=language, people=[*people, ("r-0099", long_label, None)])
    running = RunningPage(config)
    context, page, errors = opened(chromium, running.url, language=language, size=SCREEN)
    page.goto("/")
    held_to_the_screen(page)
    page.locator(".chip", has_text="103").click()
    expect(page.locator(".tile")).to_have_count(4)
    held_to_the_screen(page)
    running.call(lambda bench: bench.clinic.choose("r-0099"))
    page.goto("/now")
    expect(page.locator("h1")).to_have_text(long_label)
    for _ in range(3):
        running.call(oxygen_of_r_0099)
    expect(page.locator("#value")).to_have_text("91")
    expect(page.locator("#limit")).to_be_visible()
    held_to_the_screen(page)
    running.call(lambda bench: bench.clinic.not_kept(bench.clinic.sitting[-1]))
    expect(page.locator(".note")).to_be_visible()
    held_to_the_screen(page)
    page.goto("/today")
    held_to_the_screen(page)
    assert errors == []
    context.close()
    running.stop()


async def oxygen_of_r_0099(bench: Bench) -> None:
    parts = (Part("spo2", (910,)), Part("pulse_oximeter", (1020,)))
    times = Times(bench.clock.wall_ms(), bench.clock.mono_ns(), bench.clock.boot, ClockState.SYNCED)
    subject = Subject(SubjectKind.RESIDENT, "r-0099")
    await bench.take(Observation("oximetry", parts, subject, "ox-01", times))


def test_a_reading_comes_by_itself_and_within_a_second(page: Page, running: RunningPage) -> None:
    page.locator("#who-r-0003").click()
    page.evaluate("window.sameDocument = true")
    for systolic in (121, 124, 119):
        running.call(lambda bench, systolic=systolic: bench.measure(systolic, 76))  # type: ignore[misc]  # a default
        expect(page.locator("#value")).to_have_text(f"{systolic}/76", timeout=1_000)
    assert page.evaluate("window.sameDocument"), "without a reload"
    assert page.locator("#value").evaluate("each => parseFloat(getComputedStyle(each).fontSize)") > 100


def test_a_scanner_works_on_every_screen_and_presses_no_button(page: Page, running: RunningPage) -> None:
    page.locator("#who-r-0003").click()
    page.locator("#done").focus()
    page.wait_for_load_state("load")  # the button is there before the script that keeps a scanner off it
    page.keyboard.type("KH0004")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("2-2")
    page.goto("/today")
    page.keyboard.type("KH0005")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("3-1")
    page.goto("/")
    page.locator("#code").fill("nobody")
    page.locator("#code").press("Enter")
    expect(page.locator(".note")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("nobody")
    assert running.call(lambda bench: bench.clinic.present().resident) == "r-0005", "nobody was sent away"


def test_the_keyboard_alone_is_enough_and_what_is_typed_survives_news(page: Page, running: RunningPage) -> None:
    page.locator("#code").focus()
    page.keyboard.type("KH00")
    running.call(lambda bench: bench.measure(118, 74))
    expect(page.locator(".note")).to_be_visible()
    expect(page.locator("#code")).to_have_value("KH00")
    expect(page.locator("#code")).to_be_focused()
    page.keyboard.type("06")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("3-2")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "done":
            break
    page.keyboard.press("Enter")
    expect(page.locator("#tiles")).to_be_visible()
    assert running.call(lambda bench: bench.clinic.present().resident) is None


def test_the_language_changes_with_one_press(page: Page, running: RunningPage) -> None:
    assert running.config.page is not None
    before, after = ("选人", "People") if running.config.page.language == "zh" else ("People", "选人")
    expect(page.locator("nav.main")).to_contain_text(before)
    page.locator("button[name=language]").click()
    expect(page.locator("nav.main")).to_contain_text(after)


def test_a_row_tells_when_the_county_has_it_without_a_reload(page: Page, running: RunningPage) -> None:
    page.locator("#who-r-0003").click()
    seq = running.call(lambda bench: bench.measure(128, 76))
    page.goto("/today")
    expect(page.locator("td.waiting")).to_have_count(1)
    running.call(lambda bench: bench.confirm(int(str(seq))))
    expect(page.locator("td.delivered")).to_have_count(1, timeout=15_000)


def test_a_screen_that_lost_the_box_says_so(chromium: Browser, running: RunningPage) -> None:
    context, page, _ = opened(chromium, running.url, size=SCREEN)
    page.clock.install()
    page.goto("/")
    page.clock.run_for(5_000)
    expect(page.locator("#lost")).to_be_hidden()
    running.stop()
    page.clock.run_for(20_000)
    expect(page.locator("#lost")).to_be_visible()
    context.close()


def test_everything_works_without_the_script(chromium: Browser, running: RunningPage) -> None:
    context, page, _ = opened(chromium, running.url, size=SCREEN, script="off")
    page.goto("/")
    page.locator("#who-r-0003").click()
    running.call(lambda bench: bench.measure(128, 76))
    page.goto("/now")
    expect(page.locator("#value")).to_have_text("128/76")
    page.locator("#done").click()
    expect(page.locator("#tiles")).to_be_visible()
    context.close()
