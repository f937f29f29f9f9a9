"""Medicine: reminded of once, taken or missed, and never judged where nobody could have known the hour."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from kanhu.contract import ClockState
from kanhu.gateway.daily.keeper import KEPT
from tests.gateway.daily_people import RESIDENT, Home

MakeHome = Callable[..., Home]
TAKEN = ("dosage", "1", RESIDENT.id)
MISSED = ("dosage", "2", RESIDENT.id)


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[MakeHome]:
    homes: list[Home] = []

    def build(**settings: object) -> Home:
        homes.append(Home(tmp_path, by=None, times=("08:00", "20:00"), **settings))  # type: ignore[arg-type]  # as a test names them
        return homes[-1]

    yield build
    for home in homes:
        await home.end()


async def test_dose_that_nobody_acknowledges_is_missed_once_and_is_no_alert(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 08:59")
    assert await home.told() == []
    await home.until("2026-03-02 21:10")
    assert home.reminders() == ["02 08:00", "02 20:00"]
    assert await home.told() == [MISSED, MISSED]


async def test_press_in_time_is_the_taken_dose_itself_and_nothing_is_missed(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 08:20")
    await home.observe("dosage", 1)
    await home.until("2026-03-02 19:00", every_s=300)
    assert home.reminders() == ["02 08:00"]
    assert await home.told() == []  # the button's own record says it


async def test_page_says_taken_once_and_only_while_a_dose_is_due(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 07:30")
    home.keeper.acknowledge(RESIDENT.id)
    await home.until("2026-03-02 08:10")
    assert home.keeper.is_due(RESIDENT.id)
    home.keeper.acknowledge(RESIDENT.id)
    home.keeper.acknowledge(RESIDENT.id)
    home.keeper.acknowledge("somebody else")
    assert not home.keeper.is_due(RESIDENT.id)
    await home.until("2026-03-02 10:00", every_s=300)
    assert await home.told() == [TAKEN]


async def test_who_took_it_shortly_before_is_not_reminded(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 07:40")
    await home.observe("dosage", 1)
    await home.until("2026-03-02 10:00", every_s=300)
    assert home.reminders() == []
    assert await home.told() == []


async def test_press_by_somebody_else_takes_nothing(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 08:10")
    other = type(RESIDENT)(RESIDENT.kind, "r-0004")
    await home.observe("dosage", 1, subject=other)
    await home.until("2026-03-02 09:01")
    assert await home.told() == [MISSED]


async def test_restarts_remind_once_and_end_the_dose_in_time(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 07:59")
    for _ in range(7):
        await home.wait(600)
        await home.restart()
    assert home.reminders() == ["02 08:09"]
    assert await home.told() == [MISSED]


async def test_dose_whose_whole_time_was_dark_is_neither_taken_nor_missed(make: MakeHome) -> None:
    home = make()
    await home.power_cut(until="2026-03-02 10:00")
    await home.until("2026-03-02 19:00", every_s=600)
    assert home.reminders() == []
    assert await home.told() == []


async def test_dose_is_reminded_of_late_where_the_power_comes_back_in_its_time(make: MakeHome) -> None:
    home = make()
    await home.power_cut(until="2026-03-02 08:40")
    assert home.reminders() == ["02 08:40"]


async def test_unset_clock_reminds_of_nothing_and_misses_nothing(make: MakeHome) -> None:
    home = make(start="1970-01-01 07:00", state=ClockState.UNSET)
    for _ in range(30):
        await home.wait(3600)
    assert home.reminders() == []
    assert await home.told() == []


async def test_clock_set_back_by_an_hour_reminds_nobody_twice(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 08:30")
    home.clock.step_wall(-3600)
    await home.until("2026-03-02 12:00", every_s=300)
    assert home.reminders() == ["02 08:00"]


async def test_clock_set_back_by_years_does_not_stop_the_reminders(make: MakeHome) -> None:
    home = make(start="2028-03-02 07:59", state=ClockState.RESTORED)
    await home.wait(120)
    home.clock.step_wall((home.instant("2026-03-02 09:00") - home.clock.now()).total_seconds())
    home.clock.set_state(ClockState.SYNCED)
    await home.until("2026-03-02 20:01", every_s=300)
    assert home.reminders() == ["02 08:01", "02 20:00"]
    assert await home.told() == []


async def test_new_card_repeats_no_dose_that_was_due_before_it_and_reminds_of_the_next(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 08:05")
    await home.observe("dosage", 1)
    await home.wait(5)
    await home.until("2026-03-02 08:30")
    await home.new_card()
    await home.until("2026-03-02 08:35")
    await home.restart()
    await home.until("2026-03-02 20:10")
    assert home.reminders() == ["02 08:00", "02 20:00"]
    assert await home.told() == []


async def test_new_card_repeats_no_dose_where_the_time_becomes_known_later(make: MakeHome) -> None:
    home = make(start="2025-11-01 00:00", state=ClockState.RESTORED, known=False)  # the clock of the image
    await home.wait(5)
    await home.restart()
    await home.wait(5)
    home.clock.step_wall((home.instant("2026-03-02 08:30") - home.clock.now()).total_seconds())
    home.clock.set_state(ClockState.SYNCED)
    await home.until("2026-03-02 08:40")
    await home.power_cut(until="2026-03-02 08:50")
    await home.until("2026-03-02 20:10")
    assert home.reminders() == ["02 20:00"]


async def test_new_card_repeats_no_dose_where_the_time_becomes_known_after_another_start(make: MakeHome) -> None:
    home = make(start="2025-11-01 00:00", state=ClockState.RESTORED, known=False)
    await home.wait(5)
    await home.power_cut(until="2026-03-02 08:20", shows="2025-11-01 00:10", state=ClockState.RESTORED)
    await home.wait(5)
    home.clock.step_wall((home.instant("2026-03-02 08:30") - home.clock.now()).total_seconds())
    home.clock.set_state(ClockState.SYNCED)
    await home.until("2026-03-02 08:40")
    await home.power_cut(until="2026-03-02 08:50")
    await home.until("2026-03-02 20:10")
    assert home.reminders() == ["02 20:00"]


async def test_damaged_note_of_the_day_repeats_no_dose(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 08:05")
    home.outbox.keep_text(KEPT, "{")
    await home.restart()
    await home.until("2026-03-02 20:10")
    assert home.reminders() == ["02 08:00", "02 20:00"]


async def test_press_before_the_first_look_after_a_start_is_the_dose(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 08:10")
    await home.restart()
    await home.observe("dosage", 1)
    await home.until("2026-03-02 09:10")
    assert await home.told() == []


async def test_press_before_the_first_look_after_a_start_with_an_unset_clock_is_the_dose(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 08:10")
    await home.power_cut(until="2026-03-02 08:20", shows="1970-01-01 08:00", state=ClockState.UNSET)
    await home.restart()
    await home.observe("dosage", 1)
    await home.wait(5)
    home.clock.step_wall((home.instant("2026-03-02 08:21") - home.clock.now()).total_seconds())
    home.clock.set_state(ClockState.SYNCED)
    await home.until("2026-03-02 09:10")
    assert await home.told() == []
