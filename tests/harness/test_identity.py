"""Identity of gateways at both real brokers: everything holds, and a lock that was taken off is noticed."""

from pathlib import Path
from random import Random

import pytest

from kanhu.contract import Down, Up, down_topic, up_topic
from kanhu.harness.prove.broken_county import BROKEN
from kanhu.harness.prove.gatehouse_rig import BROKERS, rig
from kanhu.harness.prove.identity_checks import CHECKS, REVOCATION_S, prepare
from kanhu.harness.prove.topic_drawing import draw_topics
from kanhu.harness.report import read_limits
from tests.debian import DebianPackages

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

_TOPICS = 150
"""Drawn at each broker: `./run prove identity` draws ten thousand."""
_NOTICED = {
    "acl": (
        "topics: writes as another",
        "topics: reads what is for another",
        "topics: drawn ones, published and willed",
        "topics: drawn ones, subscribed to",
    ),
    "cn": ("takeover: another's client id",),
}


async def tried(folder: Path, kind: str, *names: str, broken: str | None = None) -> dict[str, str]:
    """What came of these checks; "" where one held."""
    async with rig(folder, kind, broken=broken) as county:
        cast = await prepare(county, topics=_TOPICS)
        return {check.name: await check.tries(cast) for check in CHECKS if check.name in names}


@pytest.fixture(params=BROKERS)
def kind(request: pytest.FixtureRequest, debian_package: DebianPackages) -> str:
    if request.param == "mosquitto":
        debian_package("mosquitto")
    return str(request.param)


async def test_nobody_is_another(tmp_path: Path, kind: str) -> None:
    names = [check.name for check in CHECKS]
    assert await tried(tmp_path, kind, *names) == dict.fromkeys(names, "")


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_lock_taken_off_is_noticed(tmp_path: Path, kind: str, broken: str) -> None:
    found = await tried(tmp_path, kind, *_NOTICED[broken], broken=broken)
    assert all(found.values()), found


def test_topics_are_drawn_by_seed_and_keep_near_the_victims_own() -> None:
    drawn = draw_topics(Random(1), 2000, mine="home-01", victim="home-02")
    assert drawn == draw_topics(Random(1), 2000, mine="home-01", victim="home-02")
    assert len(set(drawn)) == 2000
    assert {up_topic("home-02", Up.LIVE), down_topic("home-02", Down.RECEIPT)} <= set(drawn)
    for near in ("/down/+/", "kanhu.v1.up.home-02.live", "home-01/../home-02", "home-02/#", "$SYS", "\0", "*", ">"):
        assert any(near in topic for topic in drawn), near


def test_nineteen_checks_at_each_broker_are_asked_for() -> None:
    limits = read_limits("prove-identity")
    assert len({check.name for check in CHECKS}) == 19
    assert limits["checks"].bound == 19 * len(BROKERS)
    assert limits["slowest_revocation_s"].bound == REVOCATION_S
