"""A town for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kanhu.contract import FakeClock
from tests.cloud.town import Town


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that begins on a Monday, 08:00 in the county."""
    return FakeClock()


@pytest.fixture
def town(tmp_path: Path, clock: FakeClock) -> Iterator[Town]:
    """Yield a running county that hears its broker."""
    place = Town(tmp_path / "county", clock)
    place.connected()
    yield place
    place.stop()
