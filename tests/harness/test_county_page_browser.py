"""The county's page as a reader has it: on a phone and a desk, by day and by night."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from kanhu.firmware_sim.truth import HappeningKind
from kanhu.harness.county.page import Making, page
from kanhu.harness.scoring.comparing import compare_outcomes
from kanhu.harness.scoring.figures import score
from tests.cloud.dashboard.chromium import DESK, PHONE, axe_findings, chromium_at, opened
from tests.debian import DebianPackages
from tests.harness.hand_made import County, alert, happening, told

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser(debian_package: DebianPackages) -> Iterator[Browser]:
    with chromium_at(debian_package("chromium")) as process:
        yield process


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with something of everything."""
    county = County([happening(kind, 300 * number) for number, kind in enumerate(HappeningKind)])
    before = score(county.judged(alert("SPO2-LOW", told(20)), alert("BP-SEVERE", told(4000))))
    after = score(county.judged(alert("SOS", told(4100, priority="high")), alert("TREND", told(4200, priority="low"))))
    path = tmp_path_factory.mktemp("page") / "county.html"
    made = Making("./run county", {"cores": 2}, {"record": 1.0})
    path.write_text(page(after, made, comparison=compare_outcomes(before, after)), encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_fits_its_screen_and_axe_finds_nothing(
    browser: Browser, address: str, size: tuple[int, int], theme: str
) -> None:
    context, opened_page, errors = opened(browser, address, size=size, theme=theme)
    try:
        opened_page.goto(address)
        opened_page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        assert opened_page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert axe_findings(opened_page) == []
        assert errors == []
    finally:
        context.close()
