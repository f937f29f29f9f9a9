"""Debian's chromium under Playwright, and what every screen is held to: no console error, no axe finding."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

__all__ = ["DESK", "PHONE", "axe_findings", "chromium_at", "opened", "signed_in"]

DESK = (1366, 768)
PHONE = (390, 844)

_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
]
_AXE = Path(__file__).parent / "axe" / "axe.min.js"


@contextmanager
def chromium_at(path: Path) -> Iterator[Browser]:
    """One browser process."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def opened(
    browser: Browser,
    url: str,
    *,
    language: str = "en",
    theme: str = "light",
    size: tuple[int, int] = DESK,
    text: str = "normal",
    script: str = "on",
) -> tuple[BrowserContext, Page, list[str]]:
    """A fresh profile with one page; the list fills with what its console complains about."""
    context = browser.new_context(
        base_url=url,
        viewport={"width": size[0], "height": size[1]},
        locale="zh-CN" if language == "zh" else "en-GB",
        color_scheme="dark" if theme == "dark" else "light",
        java_script_enabled=script == "on",
        bypass_csp=False,
    )
    context.set_default_timeout(10_000)
    if text != "normal":
        context.add_cookies([{"name": "kanhu_size", "value": text, "url": url}])
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    return context, page, errors


def signed_in(page: Page, name: str, password: str) -> Page:
    """Go through the sign-in page to the board."""
    page.goto("/login")
    page.fill("[name=name]", name)
    page.fill("[name=password]", password)
    page.click("form[action='/login'] button")
    page.wait_for_selector("#list")
    return page


def axe_findings(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA and its best practices, one line each."""
    page.evaluate(_AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {node['target']} {node.get('failureSummary', '')}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
