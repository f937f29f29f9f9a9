"""Disks and clocks that fail under a running gateway: what was accepted arrives, or is named as missing."""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from kanhu.contract import ClockState, Finding, SystemClock
from kanhu.gateway.unwritten import MEMORY_ONLY
from kanhu.harness.faults import CannotBeHad
from kanhu.harness.faults.clock import FakedClock
from kanhu.harness.faults.disk import Disk, Medium, fail_writes, let_write
from tests.debian import DebianPackages
from tests.gateway.broker import Broker
from tests.gateway.county import County
from tests.harness.fed import Fed, fed_gateway, gap_numbers, readings

_YEAR_S = 365 * 86_400

pytestmark = pytest.mark.broker


@pytest.fixture
def broker(tmp_path: Path, free_ports: Callable[[], int]) -> Iterator[Broker]:
    made = Broker(tmp_path / "broker", free_ports())
    made.start()
    yield made
    made.kill()


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[Disk]:
    try:
        async with Disk(tmp_path / "disk", mib=16) as made:
            yield made
    except CannotBeHad as missing:
        pytest.skip(str(missing))


async def test_a_full_disk_refuses_and_what_it_dropped_is_exactly_what_its_gaps_name(
    tmp_path: Path, broker: Broker, disk: Disk
) -> None:
    async with fed_gateway(tmp_path, broker, data=disk.folder, max_mib=1, prefix=disk.prefix) as fed:
        await fed.feed(200, until=lambda: fed.accepted >= 50)
        disk.fill()
        emitted = fed.books.emitted
        await fed.feed(500, until=lambda: fed.books.emitted >= emitted + 300)
        disk.empty()
        await fed.feed(200, until=lambda: fed.books.refused.total() > 0)
        await fed.feed(6000, until=lambda: fed.accepted >= 5000)  # more than fits: the outbox thins itself
        await fed.wait(lambda: fed.feeding.unanswered == 0)  # what is dropped on its way would be stored and named
        async with County(broker.port) as county:
            await fed.wait(lambda: fed.missing_from(county) == gap_numbers(county)[0])
            named, counted = gap_numbers(county)
            assert counted == len(named) > 500
            assert set(fed.books.refused) <= {"outbox_full", "outbox_failed"}
            assert county.conflicts == 0


async def test_while_writes_fail_only_calls_for_help_arrive_and_all_goes_on_afterwards(
    tmp_path: Path, broker: Broker
) -> None:
    async with fed_gateway(tmp_path, broker) as fed, County(broker.port) as county:
        await fed.feed(500, until=lambda: fed.accepted >= 100)
        fail_writes(fed.pid)
        fed.feeding.pace(500)
        emitted = fed.books.emitted
        await fed.wait(lambda: fed.books.emitted >= emitted + 200 and bool(_from_memory(county)))
        assert fed.books.refused == {}  # that could not be written either: it is counted once it can be
        let_write(fed.pid)
        before = fed.accepted
        await fed.wait(lambda: fed.accepted > before and fed.books.refused["outbox_failed"] > 0)
        fed.feeding.pace(0)
        await fed.wait(lambda: not fed.missing_from(county))
        assert gap_numbers(county) == (set(), 0)
        assert county.conflicts == 0


async def test_a_file_system_that_turned_read_only_lost_nothing_it_had_accepted(tmp_path: Path, broker: Broker) -> None:
    try:
        await _read_only(tmp_path, broker)
    except CannotBeHad as missing:
        pytest.skip(str(missing))


async def _read_only(folder: Path, broker: Broker) -> None:
    async with (
        Disk(folder / "disk", mib=16, medium=Medium.IMAGE) as disk,
        fed_gateway(folder, broker, data=disk.folder, prefix=disk.prefix) as fed,
    ):
        await fed.feed(500, until=lambda: fed.accepted >= 100)
        fed.feeding.pace(500)
        await disk.spoil()
        emitted = fed.books.emitted
        await fed.wait(lambda: fed.books.emitted >= emitted + 100)
        await fed.kill()
        await disk.mend()
        fed.feeding.pace(0)
        await fed.start(disk.folder, max_mib=64, prefix=disk.prefix)
        async with County(broker.port) as county:
            await fed.wait(lambda: not fed.missing_from(county))
            assert county.conflicts == 0


def _from_memory(county: County) -> list[Finding]:
    """Findings of other epochs than the card's."""
    findings = [record for stored in county.apart.values() for record in stored.values() if isinstance(record, Finding)]
    assert all(MEMORY_ONLY in finding.actions for finding in findings)
    return findings


def _accepted_more(fed: Fed, goal: int) -> bool:
    return fed.accepted >= goal


@pytest.fixture
def clock(tmp_path: Path, debian_package: DebianPackages) -> FakedClock:
    debian_package("libfaketime")
    return FakedClock(tmp_path / "clock")


async def test_whatever_the_clock_says_every_reading_arrives_once_and_says_how_far_to_trust_it(
    tmp_path: Path, broker: Broker, clock: FakedClock
) -> None:
    clock.set_1970()
    async with fed_gateway(tmp_path, broker, environment=clock.environment) as fed, County(broker.port) as county:
        ahead, behind = partial(clock.step, 10 * _YEAR_S), partial(clock.step, -10 * _YEAR_S)
        for set_clock in (clock.set_1970, clock.set_true, ahead, behind, partial(clock.drift, 100)):
            set_clock()
            await fed.feed(500, until=partial(_accepted_more, fed, fed.accepted + 60))
        await fed.wait(lambda: not fed.missing_from(county))
        assert gap_numbers(county) == (set(), 0)
        assert county.conflicts == 0
        times = [reading.times for reading in readings(county)]
        unset = [at for at in times if at.arrival_ms < _YEAR_S * 1000]
        assert len(unset) >= 60
        assert {at.clock for at in unset} == {ClockState.UNSET}
        assert [at.mono_ns for at in times] == sorted(at.mono_ns for at in times)
        now_ms = SystemClock().wall_ms()
        assert {round((at.arrival_ms - now_ms) / 1000 / _YEAR_S) for at in times} >= {-10, 0, 10}
