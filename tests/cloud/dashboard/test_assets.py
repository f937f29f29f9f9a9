"""What browsers load is ours, unchanged, small, and readable in both themes."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest

from kanhu.cloud.dashboard.assets import STATIC, assets, url_of
from tests.cloud.dashboard.client import Browser
from tests.cloud.dashboard.fake_desk import scene
from tests.cloud.dashboard.scene import alert_row, morning_rows

_HTMX = "vendor/htmx-4.0.1.min.js"


def _zipped(name: str) -> int:
    return len(gzip.compress((STATIC / name).read_bytes(), 9, mtime=0))


@pytest.mark.parametrize("folder", [STATIC / "vendor", Path(__file__).parent / "axe"], ids=["shipped", "for tests"])
def test_vendored_scripts_are_the_published_ones(folder: Path) -> None:
    table = (folder / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\S+\.js) \|.*\| ([0-9a-f]{64}) \|$", table, re.MULTILINE))
    assert sorted(path.name for path in folder.glob("*.js")) == sorted(rows)
    for name, digest in rows.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert list(folder.glob("*LICENSE*"))


def test_the_alarm_stream_script_fits_three_kilobytes() -> None:
    assert _zipped("live.js") <= 3_000


def test_all_scripts_fit_twenty_five_kilobytes() -> None:
    assert sum(_zipped(name) for name in (_HTMX, "app.js", "sound.js", "live.js")) <= 25_000


def test_the_style_fits_eight_kilobytes() -> None:
    assert _zipped("app.css") <= 8_000


async def test_the_first_view_with_forty_alerts_fits_sixty_kilobytes() -> None:
    shown = scene()
    for each in range(40 - len(shown.desk.alerts)):
        like = morning_rows()[each % 8]
        shown.desk.put(
            alert_row(
                f"a-more-{each:016x}",
                like.priority,
                like.subject,
                like.title,
                like.detail,
                waited_min=each,
                spark=like.spark,
                spark_band=like.spark_band,
            )
        )
    async with Browser(shown) as browser:
        await browser.sign_in()
        page = await browser.get("/")
        assert page.text.count('class="row ') == 40
        total = browser.sent_bytes("/")
        loaded = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
        for url in loaded:
            await browser.get(url)
            total += browser.sent_bytes(url)
    assert len(loaded) == 6
    assert total <= 60_000


@pytest.mark.parametrize("path", ["/residents/r-0002?days=90", "/equipment", "/alerts/a-2", "/me", "/help"])
async def test_a_later_page_fits_twenty_five_kilobytes(path: str) -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        await browser.get(path)
        assert browser.sent_bytes(path) <= 25_000


async def test_an_asset_is_kept_for_ever_under_the_name_of_its_content() -> None:
    async with Browser(scene()) as browser:
        url = url_of("app.css")
        answer = await browser.get(url)
        assert re.fullmatch(r"/static/app\.[0-9a-f]{12}\.css", url)
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-type"] == "text/css; charset=utf-8"
        again = await browser.client.get(url, headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_only_listed_files_are_served() -> None:
    async with Browser(scene()) as browser:
        for name in ("app.css", "README.md", "..%2fpages.py", "%2e%2e/pages.py", "x" * 500):
            assert (await browser.get("/static/" + name)).status_code in {404, 422}
    assert {Path(name).suffix for name in assets()} == {".css", ".js", ".svg"}


# Text needs 4.5:1, shapes 3:1; the pairs are those the style puts together.
_TEXT = [
    ("ink", "sf"), ("ink", "bg"), ("ink2", "sf"), ("ink2", "sf2"), ("ink2", "bg"), ("ink", "act-bg"),
    ("ink2", "act-bg"),
    ("act", "sf"), ("act", "act-bg"), ("act-ink", "act"),
    ("p1-ink", "p1-bg"), ("p1-ink", "sf"), ("p1-ink", "act-bg"),
    ("p2-ink", "p2-bg"), ("p3-ink", "sf"), ("t-ink", "t-bg"), ("t-ink", "sf"), ("on", "p1"), ("sf", "ink"),
    ("ink2", "t-bg"), ("act", "p2-bg"),
]  # fmt: skip  # pairs read by rows
_SHAPES = [("p1", "sf"), ("p3", "sf"), ("t", "sf"), ("used", "line2"), ("trace", "band"), ("act", "sf"), ("used", "sf")]


def _tokens(theme: str) -> dict[str, str]:
    style = (STATIC / "app.css").read_text(encoding="utf-8")
    start = ":root{" if theme == "light" else ":root[data-theme=dark]{"
    block = style[style.index(start) :].split("}", 1)[0]
    return dict(re.findall(r"--([\w-]+):(#[0-9a-f]{3,6})", block))


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_shapes_stand_out_in_both_themes(theme: str) -> None:
    tokens = _tokens(theme)
    weak_text = [pair for pair in _TEXT if _contrast(tokens[pair[0]], tokens[pair[1]]) < 4.5]
    weak_shapes = [pair for pair in _SHAPES if _contrast(tokens[pair[0]], tokens[pair[1]]) < 3]
    assert (weak_text, weak_shapes) == ([], [])


def test_amber_always_has_an_outline_that_stands_out() -> None:
    """Amber on white is 2.4:1, so its shape carries a dark edge on light, and amber itself stands out on dark."""
    assert "--o:#7a4700" in (STATIC / "app.css").read_text(encoding="utf-8")
    assert _contrast("#7a4700", _tokens("light")["sf"]) >= 3
    assert _contrast(_tokens("dark")["p2"], _tokens("dark")["sf"]) >= 3


def test_the_dark_theme_by_system_is_the_dark_theme_by_choice() -> None:
    style = (STATIC / "app.css").read_text(encoding="utf-8")
    chosen = style[style.index(":root[data-theme=dark]{") :].split("{", 1)[1].split("}", 1)[0]
    system = style[style.index(":root:not([data-theme=light]){") :].split("{", 1)[1].split("}", 1)[0]
    assert chosen == system
