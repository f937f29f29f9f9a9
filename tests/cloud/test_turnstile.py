"""The door of enrolment under guessing and flood: bounded, counted, and no matter for anybody else."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from kanhu.cloud.authority.store import open_authority
from kanhu.cloud.authority.turnstile import ASK_EVERY_S, ASKS_AT_ONCE, LONGEST_ROW, MOST_ADDRESSES, Turnstile
from kanhu.contract import FakeClock
from tests.cloud.box import Box, door_of
from tests.cloud.test_enrolment import invite
from tests.cloud.town import Town

Client = Callable[[str], httpx.AsyncClient]


@pytest.fixture
async def client(town: Town, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Client]:
    """Return a function that makes a client with this address."""
    authority = open_authority(tmp_path / "county", name="Yunling", now=clock.now())
    door = door_of(town, authority, updates=tmp_path)
    made: list[httpx.AsyncClient] = []

    def make(host: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(door, client=(host, 4711))
        made.append(httpx.AsyncClient(transport=transport, base_url="https://county.example:8884"))
        return made[-1]

    yield make
    for one in made:
        await one.aclose()


def asked(token: str, gateway: str = "home-01") -> dict[str, Any]:
    return {"gateway": gateway, "token": token, "request": Box().request.decode()}


async def test_who_guesses_is_turned_away_and_the_installer_next_door_is_not(
    town: Town, client: Client, clock: FakeClock
) -> None:
    bad, good = client("203.0.113.7"), client("203.0.113.8")
    answers = [await bad.post("/enrol", json=asked(f"guess-{n}")) for n in range(ASKS_AT_ONCE + 40)]
    assert [answer.status_code for answer in answers] == [403] * ASKS_AT_ONCE + [429] * 40
    assert answers[-1].json()["answer"] == "too_many"
    assert answers[-1].headers["retry-after"] == "30"
    granted = await good.post("/enrol", json=asked(invite(town)))
    assert granted.status_code == 200
    clock.advance(ASK_EVERY_S)
    again = [(await bad.post("/enrol", json=asked("guess"))).status_code for _ in range(2)]
    assert again == [403, 429]
    assert town.counter("identity.unknown_token") == ASKS_AT_ONCE + 1
    clock.advance(10)
    await good.post("/renew", content=b"{")
    town.county.writer.run(lambda _: None)  # what was handed to the writer before this is written
    assert town.counter("identity.too_many") == 41, "all of them, in few writes"


async def test_a_right_token_counts_even_from_an_address_that_has_guessed_before(
    town: Town, client: Client, clock: FakeClock
) -> None:
    bad = client("203.0.113.7")
    for n in range(ASKS_AT_ONCE + 5):
        await bad.post("/enrol", json=asked(f"guess-{n}"))
    clock.advance(ASK_EVERY_S)
    assert (await bad.post("/enrol", json=asked(invite(town)))).status_code == 200


async def test_a_village_behind_one_address_enrols_whole(town: Town, client: Client) -> None:
    """What is granted costs nothing: also the same answer asked for again and again on a bad link."""
    house = client("203.0.113.9")
    body = asked(invite(town))
    for _ in range(5 * ASKS_AT_ONCE):
        assert (await house.post("/enrol", json=body)).status_code == 200


def test_no_more_than_four_asks_of_one_address_are_under_way(clock: FakeClock) -> None:
    turnstile = Turnstile(clock)
    entered = [turnstile.passing("203.0.113.7") for _ in range(LONGEST_ROW + 1)]
    asks = [each.__enter__() for each in entered]
    assert [ask is not None for ask in asks] == [True] * LONGEST_ROW + [False]
    with turnstile.passing("203.0.113.8") as other:
        assert other is not None
    for each in entered:
        each.__exit__(None, None, None)
    with turnstile.passing("203.0.113.7") as ask:
        assert ask is not None
    assert turnstile.turned_away() == 1
    assert turnstile.waiting == 0


def test_an_ask_that_fails_in_the_middle_leaves_no_place_taken(clock: FakeClock) -> None:
    turnstile = Turnstile(clock)
    for _ in range(LONGEST_ROW):
        with pytest.raises(ConnectionError), turnstile.passing("203.0.113.7"):
            raise ConnectionError
    with turnstile.passing("203.0.113.7") as ask:
        assert ask is not None


def test_memory_is_bounded_whoever_comes(clock: FakeClock) -> None:
    turnstile = Turnstile(clock)
    for number in range(MOST_ADDRESSES + 1000):
        with turnstile.passing(f"2001:db8:{number:x}::1"):
            pass
    assert len(turnstile) == MOST_ADDRESSES


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("fe80::1%eth0", "fe80::2%wlan0", True),
        ("", "", True),
        ("unix", "x" * 500, False),
    ],
)
def test_a_house_is_one_address(clock: FakeClock, first: str, second: str, same: bool) -> None:
    turnstile = Turnstile(clock)
    for _ in range(ASKS_AT_ONCE):
        with turnstile.passing(first):
            pass
    with turnstile.passing(second) as ask:
        assert (ask is None) is same
