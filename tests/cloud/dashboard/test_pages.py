"""Pages show what the desk says, to who may see it, as text and nothing but text."""

import re
from html.parser import HTMLParser

import pytest

from kanhu.contract import Priority
from tests.cloud.dashboard.client import SCRIPTED, Browser
from tests.cloud.dashboard.fake_desk import scene
from tests.cloud.dashboard.fake_nameless import KEY
from tests.cloud.dashboard.scene import HOSTILE, PEOPLE, alert_row, sos_row

READING = f"/readings/one?gateway={KEY.gateway}&epoch={KEY.epoch}&session={KEY.subject}"
PAGES = [
    "/",
    "/alerts/a-1",
    "/alerts/a-9",
    "/residents/r-0002?days=1",
    "/residents/r-0002?days=7",
    "/residents/r-0002?days=90",
    "/readings",
    READING,
    "/equipment",
    "/me",
    "/help",
]
FRAGMENTS = ["/rows", "/rows?after=3", "/rows?ids=a-1,a-4", "/rows?ids=-"]


class _Markup(HTMLParser):
    """Collects what a content policy without inline script or style would refuse, and every address."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.addresses: list[str] = []
        self.title = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self._inside = tag
        if tag == "style" or (tag == "script" and "src" not in names):
            self.refused.append(tag)
        self.refused += [f"{tag} {name}" for name in names if name == "style" or name.startswith(("on", "hx-on"))]
        self.addresses += [
            value or "" for name, value in attrs if name in {"href", "src", "action", "hx-post", "hx-get"}
        ]

    def handle_data(self, data: str) -> None:
        if self._inside == "title":
            self.title += data


@pytest.mark.parametrize("path", [*PAGES, *FRAGMENTS])
async def test_nobody_sees_anything_without_signing_in(path: str) -> None:
    async with Browser(scene()) as browser:
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        assert answer.content == b""


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
async def test_no_page_needs_inline_script_or_style_or_another_host(path: str, language: str) -> None:
    async with Browser(scene(), language=language) as browser:
        await browser.sign_in()
        answer = await browser.get(path)
        markup = _Markup(answer.text)
        assert (answer.status_code, markup.refused) == (200, [])
        assert all(address.startswith(("/", "#", "tel:")) for address in markup.addresses)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "style-src 'self'" in policy
        assert "unsafe" not in policy


@pytest.mark.parametrize("path", [*PAGES, *FRAGMENTS])
async def test_names_stand_in_no_address_and_no_title(path: str) -> None:
    async with Browser(scene(), language="zh") as browser:
        await browser.sign_in()
        markup = _Markup((await browser.get(path)).text)
        names = [person.name for person in PEOPLE.values()]
        assert not [name for name in names for address in markup.addresses if name in address]
        assert not [name for name in names if name in markup.title]


@pytest.mark.parametrize("path", [*PAGES, *FRAGMENTS])
async def test_no_cache_keeps_a_page_about_people(path: str) -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        assert (await browser.get(path)).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/", "/rows", "/alerts/a-hostile", "/residents/r-0666?days=7", "/residents/r-0666?days=90"]
)
async def test_markup_in_names_and_texts_is_text_everywhere(path: str) -> None:
    shown = scene()
    person = PEOPLE["r-0666"]
    text = person.village
    shown.desk.put(alert_row("a-hostile", Priority.HIGH, "r-0666", text, text, waited_min=1))
    async with Browser(shown) as browser:
        await browser.sign_in()
        page = (await browser.get(path)).text
        assert "<b>\"'&" not in page
        assert "<script>window" not in page
        assert "&lt;script&gt;window.broken=1&lt;/script&gt;{{7*7}}" in page
        claimed = await browser.send("/alerts/a-hostile/claim", {"key": "k" * 12}, target="li#row-a-hostile")
        assert HOSTILE not in claimed.text


async def test_a_hostile_name_in_the_sign_in_form_comes_back_as_text() -> None:
    async with Browser(scene()) as browser:
        answer = await browser.client.post("/login", data={"name": '"><script>x()</script>', "password": "x"})
        assert answer.status_code == 401
        assert "<script>x()" not in answer.text


async def test_the_board_shows_every_open_alert_in_order_with_digit_shape_word_and_time() -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        page = (await browser.get("/")).text
        ids = re.findall(r'<li id="row-([^"]+)"', page)
        assert ids == ["a-1", "a-2", "a-3", "a-5", "a-6", "a-4", "a-7", "a-8", "a-9"]
        for row in re.findall(r'<li id="row-.*?</li>', page, re.DOTALL):
            priority = re.search(r'data-group="(\w+)"', row)
            assert priority is not None
            assert f'href="#p-{priority.group(1)}"' in row
            assert re.search(r'<span class="vh">(Now|Soon|Today|Equipment)</span>', row)
        assert 'class="wait late"><b>17 min</b><span>late 2 min</span>' in page


async def test_an_empty_board_says_how_many_people_are_unseen() -> None:
    shown = scene()
    shown.desk.alerts.clear()
    async with Browser(shown) as browser:
        await browser.sign_in()
        page = (await browser.get("/")).text
        assert "1,062 of 1,083 people reported within the hour." in page
        assert "21 people have no data" in page
        assert 'id="empty" class="empty" data-morph>' in page


async def test_a_board_with_alerts_never_says_that_nothing_is_needed() -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        assert 'id="empty" class="empty" data-morph hidden>' in (await browser.get("/")).text


async def test_rows_after_a_revision_are_those_that_changed_since() -> None:
    shown = scene()
    before = len(shown.desk.log)
    shown.desk.put(sos_row())
    async with Browser(shown) as browser:
        await browser.sign_in()
        page = (await browser.get(f"/rows?after={before}")).text
        assert re.findall(r'<li id="row-([^"]+)"', page) == ["a-sos-new"]
        assert f'data-revision="{before + 1}"' in page
        assert "high:a-sos-new" in page


async def test_rows_after_a_forgotten_revision_are_the_whole_board() -> None:
    shown = scene()
    shown.desk.first_kept_revision = 5
    async with Browser(shown) as browser:
        await browser.sign_in()
        page = (await browser.get("/rows?after=4")).text
        assert len(re.findall(r'<li id="row-', page)) == 9
        assert 'data-whole="1"' in page


async def test_a_closed_alert_comes_once_more_as_closed_and_leaves_the_order() -> None:
    shown = scene()
    before = len(shown.desk.log)
    async with Browser(shown) as browser:
        await browser.sign_in()
        await browser.send("/alerts/a-5/claim", {"key": "k" * 12})
        await browser.send("/alerts/a-5/close", {"key": "c" * 12, "outcome": "true_action"})
        page = (await browser.get(f"/rows?after={before}")).text
        assert re.findall(r'<li id="row-(\S+)" class="[^"]*done', page) == ["a-5"]
        assert ":a-5" not in page


@pytest.mark.parametrize(("language", "now"), [("zh", "情况仍在"), ("en", "still so")])
async def test_a_closed_alert_says_nothing_of_how_it_is_now(language: str, now: str) -> None:
    async with Browser(scene(), language=language) as browser:
        await browser.sign_in()
        assert now in (await browser.get("/alerts/a-5")).text
        await browser.send("/alerts/a-5/claim", {"key": "k" * 12})
        await browser.send("/alerts/a-5/close", {"key": "c" * 12, "outcome": "true_action"})
        assert now not in (await browser.get("/alerts/a-5")).text


async def test_what_scripts_are_told_of_the_board_holds_no_name() -> None:
    async with Browser(scene(), language="zh") as browser:
        await browser.sign_in()
        page = (await browser.get("/rows")).text
        told = re.search(r'<div id="sync".*?>', page)
        assert told is not None
        assert not [person.name for person in PEOPLE.values() if person.name in told.group(0)]


@pytest.mark.parametrize("path", ["/alerts/a-nobody", "/residents/r-nobody"])
async def test_what_lies_outside_the_area_does_not_exist(path: str) -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        page, fragment = await browser.get(path), await browser.client.get(path, headers=SCRIPTED)
        assert (page.status_code, fragment.status_code) == (404, 404)
        assert "not in your area" in page.text


@pytest.mark.parametrize(
    ("language", "said"), [("zh", "这个地址没有页面。"), ("en", "There is no page at this address.")]
)
async def test_an_unknown_page_says_so_in_words_and_leads_back_to_the_board(language: str, said: str) -> None:
    async with Browser(scene(), language=language) as browser:
        page = await browser.client.get("/alert/a-1", headers={"accept": "text/html,*/*;q=0.8"})
        assert (page.status_code, page.headers["cache-control"]) == (404, "no-store")
        assert said in page.text
        assert '<a class="btn" href="/">' in page.text
        assert _Markup(page.text).refused == []


@pytest.mark.parametrize(("path", "accept"), [("/api/v1/nothing", "text/html"), ("/nothing", "application/json")])
async def test_a_program_is_told_of_an_unknown_address_in_json(path: str, accept: str) -> None:
    async with Browser(scene()) as browser:
        answer = await browser.client.get(path, headers={"accept": accept})
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


async def test_a_phone_number_waits_behind_the_call_button() -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        page = (await browser.get("/alerts/a-1")).text
        for hidden in re.findall(r'<details class="call">.*?</details>', page, re.DOTALL):
            page = page.replace(hidden, "")
        assert "000-0001" not in page
        assert "000-0001" not in (await browser.get("/")).text


async def test_an_old_value_and_a_doubtful_one_say_so() -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        page = (await browser.get("/residents/r-0002")).text
        assert "too old, please retest" in page
        assert "doubtful reading, finger out, weak signal" in page


async def test_one_line_says_what_became_of_the_readings() -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        page = (await browser.get("/residents/r-0002")).text
        assert "Readings: 1,204 received, 3 of them late; 12 still on the gateway, 5 lost." in page
        assert "7 more were on a card that is not in use any more: what became of them is not known." in page
        assert "2 do not add up" in page


async def test_the_chart_and_its_table_hold_the_same_numbers() -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        page = (await browser.get("/residents/r-0002?days=1")).text
        newest = re.search(r"<tbody>\s*<tr><td>[^<]+</td><td class=\"r\">([\d.]+) %</td>", page)
        assert newest is not None
        assert float(newest.group(1)) < 92


async def test_each_chart_says_from_when_to_when_and_beats_are_drawn_as_dots() -> None:
    async with Browser(scene(), language="zh") as browser:
        await browser.sign_in()
        page = (await browser.get("/residents/r-0002?days=1")).text
        assert len(re.findall(r'<p class="span">从 [\d: -]+ 到 [\d: -]+</p>', page)) == page.count(
            '<figure class="chart">'
        )
        beats = page[page.index("<b>心跳间期</b>") :]
        assert "从 14:01 到 14:0" in beats
        dots = re.search(r'<path class="dots" d="([^"]+)"/>', beats)
        assert dots is not None
        assert dots.group(1).count("M") > 200
        assert 'class="trace"' not in beats


@pytest.mark.parametrize(("language", "shown", "hidden"), [("en", "Wang Xiuying", "王秀英"), ("zh", "王秀英", "Wang")])
@pytest.mark.parametrize("path", ["/", "/alerts/a-2", "/residents/r-0002"])
async def test_a_name_is_written_in_the_readers_letters(path: str, language: str, shown: str, hidden: str) -> None:
    async with Browser(scene(), language=language) as browser:
        await browser.sign_in()
        page = (await browser.get(path)).text
        assert shown in page
        assert hidden not in page
        if path == "/":
            assert PEOPLE["r-0005"].name in page, "without a name in Latin letters the register's name stands"


async def test_the_value_an_alert_is_about_carries_its_priority() -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        page = (await browser.get("/residents/r-0002")).text
        tinted = re.findall(r'<li class="vital([^"]*)">\s*<p class="k"><span>([^<]+)', page)
        assert [name for classes, name in tinted if "p-high" in classes] == ["SpO₂"]
        pressure = (await browser.get("/residents/r-0003")).text
        assert re.search(r'<li class="vital p-medium">\s*<p class="k"><span>Blood pressure', pressure)


async def test_the_source_of_a_limit_is_said_to_be_english_where_the_page_is_not() -> None:
    async with Browser(scene(), language="zh") as browser:
        await browser.sign_in()
        assert '<dt>依据（英文）</dt><dd lang="en">' in (await browser.get("/alerts/a-2")).text


@pytest.mark.parametrize(("language", "place"), [("zh", "云岭县"), ("en", "Yunling")])
async def test_who_is_signed_in_reads_their_county_in_words(language: str, place: str) -> None:
    async with Browser(scene(), language=language) as browser:
        await browser.sign_in()
        assert f" · {place}</p>" in (await browser.get("/me")).text


async def test_english_tags_are_words() -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        page = (await browser.get("/")).text
        assert '<span class="tag">Hypertension</span>' in page
        assert "HTN" not in page


async def test_a_period_nobody_offers_becomes_a_week() -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        assert 'days=7" aria-current="true"' in (await browser.get("/residents/r-0002?days=4000")).text


async def test_equipment_shows_people_unseen_first_and_every_refusal() -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        page = (await browser.get("/equipment")).text
        assert page.index("<b>home-09</b>") < page.index("<b>home-01</b>")
        assert "contradicts itself" not in page
        assert "clock of cuff-04 15 min behind" in page
        assert "clock of cuff-05 1 h 5 m ahead" in page
        for flaw in ("modem: no network", "voice: player usb gone", "1 alarm without the county"):
            assert f"<li>{flaw}</li>" in page
        assert "nothing fitted" in page
        assert '<td>malformed</td><td class="r">3</td>' in page
        assert '<td>gateway not enrolled</td><td class="r">1</td>' in page
