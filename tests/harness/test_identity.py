"""Identity of gateways at both real brokers: everything holds, and a lock that was taken off is noticed."""

from pathlib import Path

import pytest

from kanhu.harness.prove.broken_county import BROKEN
from kanhu.harness.prove.gatehouse_rig import BROKERS, rig
from kanhu.harness.prove.identity_checks import CHECKS, REVOCATION_S, prepare
from kanhu.harness.report import read_limits
from tests.debian import DebianPackages

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

_NOTICED = {
    "acl": ("topics: writes as another", "topics: reads what is for another"),
    "cn": ("takeover: another's client id",),
}


async def tried(folder: Path, kind: str, *names: str, broken: str | None = None) -> dict[str, str]:
    """What came of these checks; "" where one held."""
    async with rig(folder, kind, broken=broken) as county:
        cast = await prepare(county)
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


def test_seventeen_checks_at_each_broker_are_asked_for() -> None:
    limits = read_limits("prove-identity")
    assert len({check.name for check in CHECKS}) == 17
    assert limits["checks"].bound == 17 * len(BROKERS)
    assert limits["slowest_revocation_s"].bound == REVOCATION_S
