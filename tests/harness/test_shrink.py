"""A failing schedule shrinks to what makes it fail, found by a planted defect that is known."""

from collections.abc import Callable

import pytest

from kanhu.harness.faults import Fault, Kind, Place, Schedule, ScheduleRefused, Target, random_schedule
from kanhu.harness.faults.shrink import shrink

_TARGETS = {
    Target(Place.LINK, "gw-1"): 3.0,
    Target(Place.LINK, "gw-2"): 3.0,
    Target(Place.GATEWAY, "gw-1"): 1.0,
    Target(Place.BROKER): 1.0,
}
_LINK_2 = Target(Place.LINK, "gw-2")


def _planted(schedule: Schedule) -> bool:
    """Fails where, and only where, the broker is killed while the link of gateway 2 is silent."""
    silences = [fault for fault in schedule if fault.target == _LINK_2 and fault.kind is Kind.SILENT]
    kills = [fault for fault in schedule if fault.target.place is Place.BROKER and fault.kind is Kind.KILL]
    return any(silence.at_s <= kill.at_s <= silence.at_s + silence.for_s for silence in silences for kill in kills)


def _failing_schedules() -> list[Schedule]:
    drawn = [random_schedule(seed, seconds=60, targets=_TARGETS, rate=2) for seed in range(1, 60)]
    return [schedule for schedule in drawn if _planted(schedule)]


@pytest.mark.parametrize("schedule", _failing_schedules()[:5])
async def test_a_planted_defect_is_shrunk_to_the_two_faults_that_make_it(schedule: Schedule) -> None:
    runs = 0

    async def fails(part: Schedule) -> bool:
        nonlocal runs
        runs += 1
        return _planted(part)

    small = await shrink(schedule, fails)
    assert [fault.kind for fault in small] in ([Kind.SILENT, Kind.KILL], [Kind.KILL, Kind.SILENT])
    assert _planted(small)
    assert runs < len(schedule)


async def test_a_defect_that_shows_now_and_then_is_still_found_where_each_schedule_is_tried_again() -> None:
    schedule = _failing_schedules()[0]
    shows = iter([True, False] * 10_000)

    async def fails(part: Schedule) -> bool:
        return _planted(part) and next(shows)

    assert len(await shrink(schedule, fails, tries=2)) == 2


@pytest.mark.parametrize(
    ("always", "said"), [(lambda _: False, "does not fail"), (lambda _: True, "fails without any fault")]
)
async def test_what_the_faults_do_not_cause_is_not_shrunk(always: Callable[[Schedule], bool], said: str) -> None:
    async def fails(part: Schedule) -> bool:
        return always(part)

    schedule = (Fault(1.0, 1.0, Target(Place.BROKER), Kind.KILL),)
    with pytest.raises(ScheduleRefused, match=said):
        await shrink(schedule, fails)
