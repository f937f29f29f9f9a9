"""What updates know of the gateway's moment."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kanhu.contract import FakeClock, Lane
from kanhu.gateway.outbox import Outbox
from kanhu.gateway.updates.facts import Facts, facts_of
from tests.gateway.records import sos

NOW_MS = 1_772_400_000_000


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox.open(tmp_path / "outbox.db", clock=FakeClock(), max_bytes=1 << 20)
    yield outbox
    outbox.close()


def facts(outbox: Outbox, *, reading_ms: int | None = None, in_memory: int = 0) -> Facts:
    return facts_of(
        outbox, receipts=0, receipt_ms=None, reading_ms=reading_ms, restarts={}, time=None, wall_ms=NOW_MS,
        heartbeat_s=60, in_memory=in_memory,
    )  # fmt: skip  # one moment


@pytest.mark.parametrize(
    ("reading_ms", "come"),
    [(NOW_MS - 59_000, True), (NOW_MS - 61_000, False), (NOW_MS + 3_600_000, False), (None, False)],
)
def test_readings_come_where_one_was_accepted_in_the_last_minute(
    outbox: Outbox, reading_ms: int | None, come: bool
) -> None:
    assert facts(outbox, reading_ms=reading_ms).readings_come is come


def test_alerts_that_no_card_took_are_owed_as_well(outbox: Outbox) -> None:
    outbox.accept([(Lane.ALERT, sos(1))])
    found = facts(outbox, in_memory=2)
    assert (found.alerts_owed, found.alerts_in_memory) == (3, 2)
