"""What tests of several parts share: the --require-all option, Debian packages, free ports."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from kanhu.harness.ports import free_port as one_free_port
from tests.debian import DebianPackages

# Bounded by their number of examples, not by the speed of a busy machine; each run draws others.
settings.register_profile("suite", max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

_LONG = (Path(__file__).parent / "end_to_end", Path(__file__).parent / "harness")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-all",
        action="store_true",
        help="fail, instead of skipping, where a Debian package a test needs is missing",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What starts whole villages comes first: begun last, it ends on one process while the other has nothing left."""
    items.sort(key=lambda item: not any(item.path.is_relative_to(folder) for folder in _LONG))


@pytest.fixture(scope="session")
def debian_package(pytestconfig: pytest.Config) -> DebianPackages:
    """Call with a package's name for the path of its program; skips, or fails under --require-all."""
    return DebianPackages(required=bool(pytestconfig.getoption("--require-all")))


@pytest.fixture
def free_port(free_ports: Callable[[], int]) -> int:
    """Return one TCP port on loopback that nobody listened on a moment ago."""
    return free_ports()


@pytest.fixture(scope="session")
def free_ports() -> Callable[[], int]:
    """Return a function that gives another free port at each call."""
    given: set[int] = set()

    def another() -> int:
        while True:
            port = one_free_port()
            if port not in given:
                given.add(port)
                return port

    return another
