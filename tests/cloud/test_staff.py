"""Signing in: Argon2id as stated, growing delays without lockout, sessions that end."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from kanhu.cloud.app import create_app
from kanhu.cloud.desk.model import Role
from kanhu.cloud.errors import StaffRefused
from kanhu.cloud.services import Settings, Transport
from kanhu.cloud.staff import passwords
from kanhu.cloud.staff.accounts import FREE_TRIES, WrongTries, add_account
from kanhu.cloud.staff.book import SESSION_S
from kanhu.contract import FakeClock
from tests.cloud.client import Client
from tests.cloud.town import Town

_PASSWORD = "a long enough password"


@pytest.fixture
def client(town: Town) -> Iterator[Client]:
    _add(town, "li.jing", _PASSWORD)
    with Client(create_app(town.county.services)) as found:
        yield found


def _add(town: Town, name: str, password: str, place: str = "yunling") -> None:
    town.county.writer.run(
        lambda transaction: add_account(
            transaction, name=name, display="李静", role=Role.COUNTY, place=place, password=password
        )
    )


def _try(client: Client, password: str, user: str = "li.jing") -> int:
    return client.post("/api/v1/session", json={"user": user, "password": password}).status_code


def test_passwords_are_argon2id_with_19_mib_two_passes_one_lane(town: Town, client: Client) -> None:
    ((_, _, _, _, kept),) = town.table("staff")
    found = extract_parameters(kept)
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (Type.ID, 19 * 1024, 2, 1)
    assert passwords.AT_ONCE == 2
    assert _PASSWORD not in kept


def test_the_right_password_opens_a_session_that_lasts_a_shift(client: Client, clock: FakeClock) -> None:
    answer = client.post("/api/v1/session", json={"user": "li.jing", "password": _PASSWORD})
    assert answer.json()["name"] == "李静"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    clock.advance(SESSION_S - 1)
    assert client.get("/api/v1/session").status_code == 200
    clock.advance(2)
    assert client.get("/api/v1/session").status_code == 401


def test_behind_https_the_cookie_is_secure_and_bound_to_the_host(town: Town, client: Client) -> None:
    own = town.county.services
    https = replace(own, settings=Settings(transport=Transport.HTTPS))
    with Client(create_app(https), base_url="https://county") as secure:
        answer = secure.post("/api/v1/session", json={"user": "li.jing", "password": _PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-kanhu=")
        assert "Secure" in cookie
        assert secure.get("/api/v1/session").status_code == 200


def test_the_ledger_holds_no_token_and_a_signed_out_session_is_over(town: Town, client: Client) -> None:
    csrf = client.post("/api/v1/session", json={"user": "li.jing", "password": _PASSWORD}).json()["csrf"]
    token = client.cookies["kanhu"]
    assert token.encode() not in (town.folder / "ledger.db").read_bytes()
    assert client.delete("/api/v1/session", headers={"x-csrf-token": csrf}).status_code == 204
    client.cookies.set("kanhu", token)
    assert client.get("/api/v1/session").status_code == 401
    assert [act for _, _, _, act, _, _ in town.table("audit")] == ["sign in", "sign out"]


def test_wrong_tries_slow_down_and_never_lock_out(client: Client, clock: FakeClock) -> None:
    assert [_try(client, "wrong") for _ in range(FREE_TRIES)] == [401] * FREE_TRIES
    refused = client.post("/api/v1/session", json={"user": "li.jing", "password": _PASSWORD})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    clock.advance(1)
    assert _try(client, _PASSWORD) == 200


def test_delays_grow_to_a_minute_and_are_forgotten_in_peace() -> None:
    wrong, keys, now_ms = WrongTries(), ("account x",), 0
    waits = []
    for _ in range(15):
        waits.append(wrong.begin(keys, now_ms=now_ms))
        now_ms += 1000 * waits[-1]
        assert waits[-1] == 0 or wrong.begin(keys, now_ms=now_ms) == 0
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    now_ms += 180_000
    assert [wrong.begin(keys, now_ms=now_ms) for _ in range(FREE_TRIES)] == [0] * FREE_TRIES


def test_many_guesses_at_once_get_no_more_tries_than_one_after_the_other() -> None:
    wrong, keys = WrongTries(), ("account x", "address y")
    assert [wrong.begin(keys, now_ms=0) for _ in range(40)].count(0) == FREE_TRIES
    wrong.right(*keys)
    assert wrong.begin(("account x", "address z"), now_ms=0) == 0, "the account's owner came"
    assert wrong.begin(("account w", "address y"), now_ms=0) == 0, "and does not count against the address"


def test_an_answer_never_repeats_what_was_sent(client: Client) -> None:
    long = client.post("/api/v1/session", json={"user": "li.jing", "password": "secret" * 50})
    assert long.status_code == 422
    assert "secret" not in long.text
    body = b'{"user": "li.jing", "password": "\\ud800"}'
    lone = client.post("/api/v1/session", content=body, headers={"content-type": "application/json"})
    assert lone.status_code == 422, "half a character is refused like any other nonsense"


def test_names_nobody_has_cost_the_same_work(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    honest = passwords.is_right

    def counting(kept: str, password: str) -> bool:
        checked.append(kept)
        return honest(kept, password)

    monkeypatch.setattr("kanhu.cloud.staff.accounts.is_right", counting)
    assert _try(client, "wrong", user="nobody") == 401
    assert checked == [passwords.stranger()]


def test_a_changed_account_ends_its_sessions(town: Town, client: Client) -> None:
    assert _try(client, _PASSWORD) == 200
    _add(town, "li.jing", "another long password")
    assert client.get("/api/v1/session").status_code == 401


@pytest.mark.parametrize(
    ("name", "password", "place"),
    [("Li Jing", _PASSWORD, "yunling"), ("li", "short", "yunling"), ("li", _PASSWORD, "atlantis")],
)
def test_accounts_that_cannot_be_are_refused(town: Town, name: str, password: str, place: str) -> None:
    with pytest.raises(StaffRefused):
        _add(town, name, password, place)
