"""Claim, undo and close by plain form and by script; sign-in, and how the screens look."""

import pytest

from kanhu.cloud.dashboard.look import safe_path
from kanhu.cloud.desk.model import LIVE_MINUTES
from kanhu.contract import FakeClock
from tests.cloud.dashboard.client import SCRIPTED, Browser
from tests.cloud.dashboard.fake_desk import scene
from tests.cloud.dashboard.scene import NOW

KEY = {"key": "k" * 12}


async def test_a_plain_form_claims_and_leads_to_the_alert() -> None:
    shown = scene()
    async with Browser(shown) as browser:
        await browser.sign_in()
        answer = await browser.send("/alerts/a-1/claim", {"key": await browser.key_of("a-1")})
        assert (answer.status_code, answer.headers["location"]) == (303, "/alerts/a-1")
        claim = shown.desk.alerts["a-1"].claim
        assert claim is not None
        assert claim.user == "lijing"
        page = (await browser.get("/alerts/a-1")).text
        assert "Undo" in page
        assert "Close alert" in page


async def test_a_form_sent_twice_claims_once() -> None:
    shown = scene()
    async with Browser(shown) as browser:
        await browser.sign_in()
        revisions = len(shown.desk.log)
        for _ in range(2):
            answer = await browser.send("/alerts/a-1/claim", KEY)
            assert answer.status_code == 303
        assert len(shown.desk.log) == revisions + 1


async def test_a_scripted_claim_brings_the_row_back_with_an_undo() -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        answer = await browser.send("/alerts/a-1/claim", KEY, target="li#row-a-1")
        assert answer.text.strip().startswith('<li id="row-a-1" class="row p-high taken mine"')
        assert 'id="said" hx-swap-oob="innerHTML"' in answer.text
        assert 'action="/alerts/a-1/undo"' in answer.text


async def test_the_second_is_told_who_came_first_and_when() -> None:
    clock = FakeClock(NOW)
    async with Browser(scene(clock=clock)) as browser:
        await browser.sign_in()
        answer = await browser.send("/alerts/a-3/claim", KEY, target="li#row-a-3")
        assert "周建平 took this 3 min ago" in answer.text
        page = await browser.send("/alerts/a-3/claim", KEY)
        assert (page.status_code, "周建平 took this 3 min ago" in page.text) == (200, True)


async def test_the_second_is_told_in_seconds_when_it_was_just_now() -> None:
    clock = FakeClock(NOW)
    shown = scene(clock=clock)
    async with Browser(shown) as first, Browser(shown, language="zh") as second:
        await first.sign_in("zhou")
        await first.client.post("/alerts/a-1/claim", data={"csrf": "csrf-zhou", **KEY})
        clock.advance(3)
        await second.sign_in()
        answer = await second.send("/alerts/a-1/claim", {"key": "j" * 12}, target="section#panel")
        assert "周建平已在 3 秒前接手" in answer.text


async def test_undo_works_at_once_and_not_later() -> None:
    clock = FakeClock(NOW)
    shown = scene(clock=clock)
    async with Browser(shown) as browser:
        await browser.sign_in()
        await browser.send("/alerts/a-1/claim", KEY)
        clock.advance(5)
        await browser.send("/alerts/a-1/undo", KEY)
        assert shown.desk.alerts["a-1"].claim is None
        await browser.send("/alerts/a-1/claim", {"key": "l" * 12})
        clock.advance(11)
        late = await browser.send("/alerts/a-1/undo", KEY, target="section#panel")
        assert "Too late to undo" in late.text
        assert shown.desk.alerts["a-1"].claim is not None


async def test_closing_needs_an_outcome() -> None:
    shown = scene()
    async with Browser(shown) as browser:
        await browser.sign_in()
        await browser.send("/alerts/a-1/claim", KEY)
        for fields in (KEY, {**KEY, "outcome": "because"}):
            answer = await browser.send("/alerts/a-1/close", fields)
            assert "Choose how it ended" in answer.text
        assert shown.desk.alerts["a-1"].handling != "closed"


async def test_not_reached_cannot_close_a_now_alert() -> None:
    shown = scene()
    async with Browser(shown) as browser:
        await browser.sign_in()
        await browser.send("/alerts/a-1/claim", KEY)
        page = (await browser.get("/alerts/a-1")).text
        assert 'value="unreachable" required disabled' in page
        answer = await browser.send("/alerts/a-1/close", {**KEY, "outcome": "unreachable"})
        assert "cannot be closed as not reached" in answer.text


async def test_a_close_with_outcome_and_note_ends_the_alert() -> None:
    shown = scene()
    async with Browser(shown) as browser:
        await browser.sign_in()
        await browser.send("/alerts/a-1/claim", KEY)
        answer = await browser.send("/alerts/a-1/close", {**KEY, "outcome": "true_referral", "note": " 已转诊 "})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert shown.desk.notes == ["已转诊"]
        assert shown.desk.alerts["a-1"].outcome == "true_referral"


async def test_closing_what_another_holds_is_refused_in_words() -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        answer = await browser.send("/alerts/a-3/close", {**KEY, "outcome": "test"}, target="section#panel")
        assert "claim it first" in answer.text


@pytest.mark.parametrize("act", ["claim", "undo", "close"])
async def test_no_act_without_the_sessions_token(act: str) -> None:
    shown = scene()
    async with Browser(shown) as browser:
        await browser.sign_in()
        before = len(shown.desk.log)
        fields = {**KEY, "outcome": "test"}
        for token in ("", "csrf-zhou"):
            answer = await browser.client.post(f"/alerts/a-1/{act}", data={**fields, "csrf": token})
            assert answer.status_code == 403
        assert len(shown.desk.log) == before


async def test_an_act_on_what_does_not_exist_is_not_found() -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        for target in ("", "section#panel"):
            assert (await browser.send("/alerts/a-nobody/claim", KEY, target=target)).status_code == 404


async def test_a_wrong_password_says_nothing_about_the_name() -> None:
    async with Browser(scene()) as browser:
        texts = []
        for name in ("lijing", "nobody"):
            answer = await browser.client.post("/login", data={"name": name, "password": "wrong"})
            assert answer.status_code == 401
            assert "set-cookie" not in answer.headers
            texts.append(answer.text.replace(f'value="{name}"', ""))
        assert texts[0] == texts[1]


async def test_too_many_attempts_say_how_long_to_wait() -> None:
    shown = scene()
    shown.staff.refuse_s = 30
    async with Browser(shown) as browser:
        answer = await browser.client.post("/login", data={"name": "lijing", "password": "x"})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
        assert "Try again in 30 s" in answer.text


async def test_signing_out_ends_the_session() -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        answer = await browser.send("/logout", {})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        assert (await browser.get("/")).status_code == 303


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"language": "zh"}, 'lang="zh-CN" data-theme="auto"'),
        ({"theme": "dark"}, 'data-theme="dark"'),
        ({"size": "large"}, 'data-size="large"'),
        ({"theme": '"><script>'}, 'data-theme="auto"'),
    ],
)
async def test_a_look_is_kept_before_and_after_signing_in(fields: dict[str, str], found: str) -> None:
    async with Browser(scene()) as browser:
        answer = await browser.client.post("/look", data={"to": "/login", **fields})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        assert found in (await browser.get("/login")).text
        await browser.sign_in()
        assert found in (await browser.get("/")).text


@pytest.mark.parametrize(
    "wanted",
    [
        "https://elsewhere.test/",
        "//elsewhere.test",
        "/\\elsewhere.test",
        "javascript:x()",
        "",
        "/a\nb",
        "\\\\x",
        "/\t/x",
    ],
)
def test_nobody_is_led_to_another_site(wanted: str) -> None:
    assert safe_path(wanted) == "/"


def test_a_path_of_this_site_is_kept() -> None:
    assert safe_path("/residents/r-0002?days=7") == "/residents/r-0002?days=7"


async def test_a_fragment_for_scripts_holds_no_whole_page() -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        for path in ("/alerts/a-1", "/help"):
            assert "<html" not in (await browser.client.get(path, headers=SCRIPTED)).text


async def test_a_live_view_is_asked_for_by_a_form_and_ends_by_itself() -> None:
    clock = FakeClock(NOW)
    shown = scene(clock=clock)
    async with Browser(shown) as browser:
        await browser.sign_in()
        assert 'action="/residents/r-0002/live"' in (await browser.get("/residents/r-0002")).text
        answer = await browser.send("/residents/r-0002/live", {})
        assert (answer.status_code, shown.desk.asked_live) == (303, ["r-0002"])
        address = answer.headers["location"]
        assert 'hx-trigger="every 5s"' in (await browser.get(address)).text
        clock.advance(60 * LIVE_MINUTES)
        assert "hx-trigger" not in (await browser.get(address)).text


@pytest.mark.parametrize("ends", ["1", "0", str(2**53 - 1)])
async def test_an_address_that_no_live_view_made_shows_the_page_as_ever(ends: str) -> None:
    async with Browser(scene()) as browser:
        await browser.sign_in()
        page = await browser.get(f"/residents/r-0002?days=1&live={ends}")
        assert (page.status_code, "hx-trigger" in page.text) == (200, False)


async def test_a_live_view_of_nobody_here_does_not_exist_and_one_that_cannot_be_kept_says_so() -> None:
    shown = scene()
    async with Browser(shown) as browser:
        await browser.sign_in()
        assert (await browser.send("/residents/r-nobody/live", {})).status_code == 404
        shown.desk.asked_live = None
        answer = await browser.send("/residents/r-0002/live", {})
        assert (answer.status_code, "could not be asked" in answer.text) == (503, True)
