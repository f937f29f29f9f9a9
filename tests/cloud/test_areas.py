"""Every route of the API x every role x inside and outside: nobody sees or acts beyond the own place."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from kanhu.cloud.api.openapi import openapi
from kanhu.cloud.app import create_app
from kanhu.cloud.desk.model import Role, Viewer
from kanhu.contract import FakeClock, Priority
from tests.cloud.browser import Browser, sign_in
from tests.cloud.client import Client
from tests.cloud.town import Town, finding

# What the route matrix below asks of each route: a new route without a line here fails the first test.
_OPEN = {("GET", "/api/v1/health"), ("POST", "/api/v1/session")}
_OWN = {("GET", "/api/v1/session"), ("DELETE", "/api/v1/session")}
_LISTS = {
    ("GET", "/api/v1/board"),
    ("GET", "/api/v1/alerts"),
    ("GET", "/api/v1/equipment"),
    ("GET", "/api/v1/changes"),
    ("GET", "/api/v1/system"),
}
_OBJECTS = {("GET", "/api/v1/alerts/{alert_id}"), ("GET", "/api/v1/residents/{resident_id}")}
_ACTS = {("POST", f"/api/v1/alerts/{{alert_id}}/{act}") for act in ("claim", "undo", "close")}

_HOMES = {"r-0001": "liulin", "r-0002": "shiqiao", "r-0003": "heping"}
_SEES = {
    "county": {"r-0001", "r-0002", "r-0003"},
    "qingxi": {"r-0001", "r-0002"},
    "dongshan": {"r-0003"},
    "liulin": {"r-0001"},
    "shiqiao": {"r-0002"},
    "nowhere": set(),
}
_STAFF = {
    "county": ("yunling", Role.COUNTY),
    "qingxi": ("qingxi", Role.TOWNSHIP),
    "dongshan": ("dongshan", Role.TOWNSHIP),
    "liulin": ("liulin", Role.VILLAGE),
    "shiqiao": ("shiqiao", Role.VILLAGE),
    "nowhere": ("gone", Role.VILLAGE),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A town with one alert a resident, and a browser for anybody."""

    town: Town
    client: Client
    alerts: dict[str, str]

    def as_(self, who: str) -> Browser:
        """Signed in as one of the staff."""
        place, role = _STAFF[who]
        return sign_in(self.client, self.town, Viewer(who, who, role, place))


@pytest.fixture
def scene(town: Town, clock: FakeClock) -> Iterator[Scene]:
    alerts = {}
    for number in (1, 2, 3):
        one = finding(clock.wall_ms(), number=number, first_ns=number)
        town.send((number, one), gateway=f"home-{number:02}")
        alerts[one.subject.id] = one.alert_id
    with Client(create_app(town.county.services)) as client:
        yield Scene(town, client, alerts)


def test_every_route_has_a_policy_here() -> None:
    routes = {(method.upper(), path) for path, methods in openapi()["paths"].items() for method in methods}
    assert routes == _OPEN | _OWN | _LISTS | _OBJECTS | _ACTS


@pytest.mark.parametrize("who", _SEES)
def test_lists_hold_exactly_the_own_area(scene: Scene, who: str) -> None:
    browser, own = scene.as_(who), _SEES[who]
    wanted = "&".join(f"ids={alert}" for alert in scene.alerts.values())
    assert {row["subject"] for row in browser.get("/api/v1/board").json()["rows"]} == own
    assert browser.get("/api/v1/board").json()["watch"]["enrolled"] == len(own)
    assert {row["subject"] for row in browser.get(f"/api/v1/alerts?{wanted}").json()} == own
    changed = {change["alert_id"] for change in browser.get("/api/v1/changes?after=0").json()}
    assert changed == {scene.alerts[person] for person in own}
    gateways = {row["id"] for row in browser.get("/api/v1/equipment").json()["gateways"]}
    assert gateways == {f"home-{person[-2:]}" for person in own}
    assert browser.get("/api/v1/system").status_code == (200 if who == "county" else 404)


@pytest.mark.parametrize("who", _SEES)
def test_objects_and_acts_outside_the_area_are_not_found_and_audited(scene: Scene, who: str) -> None:
    browser = scene.as_(who)
    for person, alert in scene.alerts.items():
        inside = person in _SEES[who]
        assert browser.get(f"/api/v1/alerts/{alert}").status_code == (200 if inside else 404)
        assert browser.get(f"/api/v1/residents/{person}").status_code == (200 if inside else 404)
        assert browser.post(f"/api/v1/alerts/{alert}/claim", {"key": "1"}).status_code == (200 if inside else 404)
        assert browser.post(f"/api/v1/alerts/{alert}/undo", {"key": "2"}).status_code == (200 if inside else 404)
        end = {"key": "3", "outcome": "true_action"}
        assert browser.post(f"/api/v1/alerts/{alert}/close", end).status_code == (200 if inside else 404)
    acts = [(act, about, result) for _, _, user, act, about, result in scene.town.table("audit") if user == who]
    for person, alert in scene.alerts.items():
        shown, done = ("shown", "done") if person in _SEES[who] else ("not_found", "not_found")
        assert ("look alert", alert, shown) in acts
        assert ("look resident", person, shown) in acts
        assert ("claim", alert, done) in acts
        assert ("close true_action", alert, done) in acts


def test_without_a_session_nothing_is_shown(scene: Scene) -> None:
    scene.client.cookies.clear()
    for method, path in _OWN | _LISTS | _OBJECTS | _ACTS:
        url = path.format(alert_id="a" * 26, resident_id="r-0001")
        assert scene.client.request(method, url).status_code == 401, url
    assert scene.client.get("/events").status_code == 401
    assert scene.client.get("/api/v1/health").json()["broker"] == "connected"


def test_acts_without_the_sessions_token_or_from_elsewhere_are_refused(scene: Scene) -> None:
    browser = scene.as_("county")
    url = f"/api/v1/alerts/{scene.alerts['r-0001']}/claim"
    assert browser.get("/api/v1/session").status_code == 200
    assert scene.client.post(url, json={"key": "1"}).status_code == 403
    assert scene.client.post(url, json={"key": "1"}, headers={"x-csrf-token": "guess"}).status_code == 403
    for header in ({"origin": "https://elsewhere.example"}, {"sec-fetch-site": "cross-site"}):
        assert browser.post(url, {"key": "1"}, headers=header).status_code == 403
    assert scene.client.delete("/api/v1/session").status_code == 403
    assert browser.post(url, {"key": "1"}).status_code == 200


def test_first_claim_wins_and_a_key_gets_its_first_answer(scene: Scene, clock: FakeClock) -> None:
    first, second = scene.as_("county"), scene.as_("qingxi")
    url = f"/api/v1/alerts/{scene.alerts['r-0001']}"
    assert first.post(f"{url}/claim", {"key": "k"}).json()["result"] == "done"
    clock.advance(3)
    late = second.post(f"{url}/claim", {"key": "k"})
    assert late.status_code == 409
    assert (late.json()["result"], late.json()["claim"]["user"]) == ("taken_by_other", "county")
    assert first.post(f"{url}/claim", {"key": "k"}).json()["result"] == "done"
    assert first.post(f"{url}/claim", {"key": "other"}).json()["result"] == "replayed"
    assert second.post(f"{url}/undo", {"key": "k"}).json()["result"] == "not_yours"
    assert second.post(f"{url}/close", {"key": "k", "outcome": "test"}).json()["result"] == "not_yours"
    clock.advance(8)
    assert first.post(f"{url}/undo", {"key": "k"}).json()["result"] == "undo_too_late"
    assert first.post(f"{url}/close", {"key": "k", "outcome": "unreachable"}).status_code == 422
    assert first.post(f"{url}/close", {"key": "k", "outcome": "true_action", "note": "好了"}).status_code == 200
    assert first.post(f"{url}/close", {"key": "l", "outcome": "test"}).json()["result"] == "not_open"
    assert first.post(f"{url}/claim", {"key": "m"}).json()["result"] == "not_open"
    page = first.get(url).json()
    assert [event["kind"] for event in page["events"]] == ["found", "claimed", "closed"]
    assert page["row"]["outcome"] == "true_action"


def test_undo_within_ten_seconds_gives_the_alert_back(scene: Scene, clock: FakeClock) -> None:
    browser = scene.as_("county")
    url = f"/api/v1/alerts/{scene.alerts['r-0001']}"
    browser.post(f"{url}/claim", {"key": "k"})
    clock.advance(9)
    assert browser.post(f"{url}/undo", {"key": "k"}).json()["result"] == "done"
    row = browser.get(url).json()["row"]
    assert (row["claim"], row["handling"]) == (None, "new")
    assert scene.as_("qingxi").post(f"{url}/claim", {"key": "k"}).json()["result"] == "done"


def test_only_high_cannot_be_closed_as_not_reached(scene: Scene, clock: FakeClock) -> None:
    medium = finding(clock.wall_ms(), rule="SPO2-LOW", priority=Priority.MEDIUM)
    scene.town.send((9, medium))
    answer = scene.as_("county").post(f"/api/v1/alerts/{medium.alert_id}/close", {"key": "k", "outcome": "unreachable"})
    assert answer.json()["result"] == "done"


def test_answers_carry_the_headers_that_keep_a_page_its_own(scene: Scene) -> None:
    headers = scene.client.get("/api/v1/health").headers
    assert headers["content-security-policy"].startswith("default-src 'self'; script-src 'self'; style-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"
    assert "unsafe" not in headers["content-security-policy"]


def test_a_body_over_the_limit_is_refused_stated_or_not(scene: Scene) -> None:
    browser = scene.as_("county")
    url = f"/api/v1/alerts/{scene.alerts['r-0001']}/claim"
    assert browser.post(url, {"key": "x" * 300_000}).status_code == 413
    assert scene.client.post("/api/v1/session", content=b"{" * 300_000).status_code == 413
    assert browser.post(url, {"key": "x" * 65}).status_code == 422
    assert scene.client.get("/api/v1/board").status_code == 200
