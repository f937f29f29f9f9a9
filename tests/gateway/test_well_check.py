"""The agreed sign: two prompts, then one medium alert, whatever the power and the clock do meanwhile."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kanhu.contract import ClockState, Quality, QualityLevel, QualityReason
from kanhu.gateway import OutboxFailed
from kanhu.gateway.daily.keeper import KEPT, UNHEARD
from kanhu.gateway.daily.settings import Sign
from tests.gateway.daily_people import DWELLING, RESIDENT, Home

START = ("WELL-CHECK", "start", "medium")
END = ("WELL-CHECK", "end", "medium")
MakeHome = Callable[..., Home]


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[MakeHome]:
    homes: list[Home] = []

    def build(**settings: object) -> Home:
        homes.append(Home(tmp_path, **settings))  # type: ignore[arg-type]  # as a test names them
        return homes[-1]

    yield build
    for home in homes:
        await home.end()


async def test_no_sign_is_two_prompts_a_quarter_of_an_hour_apart_and_then_one_alert_a_day(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 08:29")
    assert home.prompts() == ["02 08:00", "02 08:15"]
    assert await home.alerts() == []
    await home.until("2026-03-03 07:59")
    assert home.prompts() == ["02 08:00", "02 08:15"]
    assert await home.alerts() == [START]
    await home.until("2026-03-03 08:31")
    assert home.prompts()[2:] == ["03 08:00", "03 08:15"]
    assert await home.alerts() == [START, START]


@pytest.mark.parametrize(
    ("metric", "step", "subject", "agreed"),
    [
        ("well_check", 0, RESIDENT, Sign.BUTTON),
        ("help_button", 2, RESIDENT, Sign.BUTTON),
        ("motion", 1, DWELLING, Sign.MOTION),
        ("usage", 1, DWELLING, Sign.MOTION),
        ("weight", 61_000, RESIDENT, Sign.MEASUREMENT),
    ],
)
async def test_each_agreed_sign_keeps_the_morning_quiet(
    make: MakeHome, metric: str, step: int, subject: object, agreed: Sign
) -> None:
    home = make(signs=[agreed])
    await home.until("2026-03-02 06:30")
    await home.observe(metric, step, subject=subject)  # type: ignore[arg-type]  # one of two subjects
    await home.until("2026-03-02 12:00", every_s=300)
    assert home.prompts() == []
    assert await home.alerts() == []


@pytest.mark.parametrize("steps", [(0, 1), (1, 0)])
async def test_a_door_that_moved_is_a_sign(make: MakeHome, steps: tuple[int, int]) -> None:
    home = make(signs=[Sign.CONTACT])
    for minute, step in enumerate(steps):
        await home.until(f"2026-03-02 06:3{minute}")
        await home.observe("contact", step, subject=DWELLING)
    await home.until("2026-03-02 12:00", every_s=300)
    assert home.prompts() == []
    assert await home.alerts() == []


@pytest.mark.parametrize("step", [0, 1])
async def test_a_door_that_only_stands_there_keeps_nothing_quiet(make: MakeHome, step: int) -> None:
    """Its sensor tells every ten minutes how it stands, whoever lies on the floor."""
    home = make(signs=[Sign.CONTACT])
    for hour in (4, 5, 6, 7, 8):
        for minute in (0, 10, 20, 30, 40, 50):
            await home.until(f"2026-03-02 {hour:02}:{minute:02}")
            await home.observe("contact", step, subject=DWELLING)
    assert home.prompts() == ["02 08:00", "02 08:15"]
    assert await home.alerts() == [START]


async def test_two_doors_that_stand_differently_are_no_door_that_moved(make: MakeHome) -> None:
    home = make(signs=[Sign.CONTACT])
    for minute, (door, step) in enumerate((("front", 0), ("back", 1), ("front", 0), ("back", 1))):
        await home.until(f"2026-03-02 06:3{minute}")
        await home.observe("contact", step, subject=DWELLING, device=door)
    await home.until("2026-03-02 08:01")
    assert home.prompts() == ["02 08:00"]


async def test_sign_that_was_not_agreed_keeps_nothing_quiet(make: MakeHome) -> None:
    home = make(signs=[Sign.BUTTON])
    await home.until("2026-03-02 06:30")
    await home.observe("motion", 1, subject=DWELLING)
    await home.observe("contact", 1, subject=DWELLING)
    await home.observe("weight", 61_000)
    await home.until("2026-03-02 08:01")
    assert home.prompts() == ["02 08:00"]


async def test_a_call_for_help_and_the_weather_of_the_room_are_no_sign(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 06:30")
    await home.observe("help_button", 1)
    await home.observe("room_temperature", 2100, subject=DWELLING)
    await home.observe("room_temperature", 2100)
    await home.observe("motion", 0, subject=DWELLING)
    await home.until("2026-03-02 08:01")
    assert home.prompts() == ["02 08:00"]


async def test_sign_after_the_first_prompt_is_enough_and_after_the_alert_ends_it(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 08:05")
    await home.observe("well_check", 0)
    await home.until("2026-03-03 08:40")
    assert home.prompts() == ["02 08:00", "03 08:00", "03 08:15"]
    await home.observe("motion", 1, subject=DWELLING)
    await home.wait(5)
    assert await home.alerts() == [START, END]
    await home.until("2026-03-03 20:00", every_s=600)
    assert await home.alerts() == [START, END]


async def test_sign_of_the_night_before_does_not_count_for_the_morning(make: MakeHome) -> None:
    home = make(start="2026-03-01 23:00")
    await home.observe("motion", 1, subject=DWELLING)
    await home.until("2026-03-02 03:50", every_s=600)
    await home.observe("motion", 1, subject=DWELLING)  # ten minutes before the day begins
    await home.until("2026-03-02 08:31")
    assert home.prompts() == ["02 08:00", "02 08:15"]
    assert await home.alerts() == [START]


async def test_reading_that_a_cuff_had_kept_or_that_is_doubted_is_no_sign(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 06:30")
    local_ms = home.clock.wall_ms() + 8 * 3_600_000
    await home.observe("weight", 61_000, device_ms=local_ms - 9 * 3_600_000)
    await home.observe("weight", 61_000, device_ms=local_ms + 3_600_000)
    doubted = Quality(QualityLevel.QUESTIONABLE, (QualityReason.STUCK,))
    await home.observe("weight", 61_000, quality=doubted)
    await home.until("2026-03-02 08:01")
    assert home.prompts() == ["02 08:00"]
    local_ms = home.clock.wall_ms() + 8 * 3_600_000
    await home.observe("weight", 61_000, device_ms=local_ms - 120_000)
    await home.until("2026-03-02 09:00")
    assert home.prompts() == ["02 08:00"]


async def test_restarts_neither_forget_nor_repeat_nor_delay(make: MakeHome) -> None:
    home = make(start="2026-03-02 07:58")
    while home.clock.now() < home.instant("2026-03-02 08:31"):
        await home.wait(60)
        await home.restart()
    assert home.prompts() == ["02 08:00", "02 08:15"]
    assert await home.alerts() == [START]
    await home.restart()
    await home.observe("well_check", 0)
    await home.wait(5)
    assert await home.alerts() == [START, END]


async def test_reboots_every_ten_minutes_do_not_put_the_alert_off(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 08:01")
    for minute in (8, 16, 24, 32):
        await home.power_cut(until=f"2026-03-02 08:{minute:02}")
    assert home.prompts() == ["02 08:00", "02 08:16"]
    assert await home.alerts() == [START]


async def test_power_cut_over_the_hour_is_asked_about_late_and_not_never(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 06:00")
    await home.power_cut(until="2026-03-02 11:20")
    await home.until("2026-03-02 12:00")
    assert home.prompts() == ["02 11:20", "02 11:35"]
    assert await home.alerts() == [START]


async def test_check_that_was_begun_late_at_night_is_ended_before_the_next_day_begins(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 06:00")
    await home.power_cut(until="2026-03-03 03:50")
    await home.until("2026-03-03 08:31")
    assert home.prompts() == ["03 03:50", "03 04:05", "03 08:00", "03 08:15"]
    assert (await home.alerts())[0] == START


async def test_days_without_power_are_not_made_up_for(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 06:00")
    await home.power_cut(until="2026-03-05 05:00")
    await home.observe("motion", 1, subject=DWELLING)
    await home.until("2026-03-05 12:00", every_s=300)
    assert home.prompts() == []
    assert await home.alerts() == []


async def test_restored_clock_is_behind_so_the_hour_comes_late_and_the_news_of_the_time_at_once(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 05:10")
    await home.power_cut(until="2026-03-02 09:00", shows="2026-03-02 05:10", state=ClockState.RESTORED)
    await home.wait(60)
    assert home.prompts() == []
    home.clock.step_wall(3 * 3600 + 50 * 60)  # a time server answers: it is 9:01
    home.clock.set_state(ClockState.SYNCED)
    await home.wait(5)
    assert home.prompts() == ["02 09:01"]


async def test_clock_that_was_ahead_makes_no_sign_for_days_to_come(make: MakeHome) -> None:
    home = make(start="2026-03-04 05:00", state=ClockState.RESTORED)  # in truth it is the second
    await home.observe("motion", 1, subject=DWELLING)
    await home.wait(5)
    await home.power_cut(until="2026-03-04 05:10", shows="2026-03-02 05:10")
    for day in ("02", "03", "04"):
        await home.until(f"2026-03-{day} 08:31")
    assert home.prompts() == [f"{day} 08:{at}" for day in ("02", "03", "04") for at in ("00", "15")]


async def test_sign_moves_with_the_clock_that_is_set_after_it(make: MakeHome) -> None:
    home = make(start="2026-03-02 05:00", state=ClockState.RESTORED)  # in truth two hours earlier
    await home.observe("motion", 1, subject=DWELLING)
    await home.wait(5)
    home.clock.step_wall(-2 * 3600)
    home.clock.set_state(ClockState.SYNCED)
    await home.until("2026-03-02 08:01")
    assert home.prompts() == ["02 08:00"]


async def test_clock_set_back_by_a_second_at_the_turn_of_the_day_asks_nobody_again(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 09:00")
    await home.until("2026-03-03 04:00", every_s=600)
    home.clock.step_wall(-2)
    await home.wait(1)
    await home.wait(1)
    assert home.prompts() == ["02 08:00", "02 08:15"]
    assert await home.alerts() == [START]


async def test_unset_clock_has_no_hour_and_a_day_without_any_sign_is_asked_about(make: MakeHome) -> None:
    home = make(start="1970-01-01 08:30", state=ClockState.UNSET)
    for _ in range(23):
        await home.wait(3600)
    assert home.prompts() == []
    await home.observe("motion", 1, subject=DWELLING)
    for _ in range(47):
        await home.wait(1800)
    assert home.prompts() == []
    await home.wait(900)
    await home.wait(900)
    assert len(home.prompts()) == 1
    await home.wait(900)
    assert len(home.prompts()) == 2
    await home.wait(900)
    assert await home.alerts() == [START]
    await home.observe("well_check", 0)
    await home.wait(5)
    assert await home.alerts() == [START, END]
    for _ in range(100):  # and once more: one answer is no answer for ever
        await home.wait(900)
    assert await home.alerts() == [START, END, START]


async def test_check_goes_on_where_the_power_took_the_clock_away_in_the_middle(make: MakeHome) -> None:
    home = make()
    await home.until("2026-03-02 08:02")
    await home.power_cut(until="2026-03-02 08:05", shows="1970-01-01 08:00", state=ClockState.UNSET)
    for _ in range(31):
        await home.wait(60)
    assert len(home.prompts()) == 2
    assert await home.alerts() == [START]


@pytest.mark.parametrize(
    ("start", "day"), [("2026-03-28 20:00", "29"), ("2026-10-24 20:00", "25")], ids=["23 hours", "25 hours"]
)
async def test_day_of_another_length_is_asked_at_the_hour_on_the_wall(make: MakeHome, start: str, day: str) -> None:
    home = make(zone=ZoneInfo("Europe/Berlin"), start=start)
    await home.observe("motion", 1, subject=DWELLING)
    await home.until(f"{start[:8]}{day} 09:00", every_s=300)
    assert home.prompts() == [f"{day} 08:00", f"{day} 08:15"]


async def test_broken_loudspeaker_is_counted_and_the_alert_comes_all_the_same(make: MakeHome) -> None:
    home = make()
    home.loudspeaker = False
    await home.until("2026-03-02 08:31")
    assert home.outbox.notes()[UNHEARD] == 2
    assert await home.alerts() == [START]


@pytest.mark.parametrize("damage", ["{", '{"r-0003":{"well":{"day":"2026-03-0B"}}}', '{"r-0003":{"well":7}}'])
async def test_damaged_note_on_the_card_asks_once_more_rather_than_not_at_all(make: MakeHome, damage: str) -> None:
    home = make()
    await home.until("2026-03-02 08:01")
    home.outbox.keep_text(KEPT, damage)
    await home.restart()
    await home.wait(60)
    assert home.prompts() == ["02 08:00", "02 08:02"]


async def test_card_that_takes_no_alert_is_asked_again_after_the_judge_was_restored(
    make: MakeHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make()
    await home.until("2026-03-02 08:29")
    whole = home.outbox.accept

    def refuse(*_: object, **__: object) -> list[int]:
        raise OutboxFailed("no space")

    monkeypatch.setattr(home.outbox, "accept", refuse)
    monkeypatch.setattr(home.intake._uplink, "carry", lambda _: False)
    with pytest.raises(OutboxFailed):
        await home.until("2026-03-02 08:31")
    monkeypatch.setattr(home.outbox, "accept", whole)
    await home.restart()
    await home.wait(5)
    assert await home.alerts() == [START]
    assert home.prompts() == ["02 08:00", "02 08:15"]


async def test_new_card_asks_for_no_sign_that_may_have_come_before_it_and_for_that_of_the_next_day(
    make: MakeHome,
) -> None:
    home = make()
    await home.until("2026-03-02 07:00")
    await home.observe("well_check", 0)
    await home.wait(5)
    await home.new_card()
    await home.wait(5)
    await home.restart()
    await home.until("2026-03-02 12:00")
    await home.power_cut(until="2026-03-02 13:00")
    await home.until("2026-03-03 08:31")
    assert home.prompts() == ["03 08:00", "03 08:15"]
    assert await home.alerts() == [START]


async def test_new_card_takes_a_sign_of_its_first_day(make: MakeHome) -> None:
    home = make(known=False)
    await home.until("2026-03-02 07:00")
    await home.observe("motion", 1, subject=DWELLING)
    await home.wait(5)
    assert await home.told() == [("well_check", "0", RESIDENT.id)]


async def test_new_card_whose_clock_is_set_later_asks_about_no_day_that_began_before_it(make: MakeHome) -> None:
    home = make(start="2025-11-01 00:00", state=ClockState.RESTORED, known=False)  # the clock of the image
    await home.wait(5)
    home.clock.step_wall((home.instant("2026-03-02 09:30") - home.clock.now()).total_seconds())
    home.clock.set_state(ClockState.SYNCED)
    await home.until("2026-03-02 12:00")
    await home.power_cut(until="2026-03-02 13:00")
    await home.until("2026-03-03 08:01")
    assert home.prompts() == ["03 08:00"]


async def test_new_card_that_never_learns_the_time_asks_from_its_second_day_on_whatever_the_power_does(
    make: MakeHome,
) -> None:
    home = make(state=ClockState.RESTORED, known=False)
    await home.until("2026-03-02 20:00", every_s=600)
    await home.power_cut(until="2026-03-03 11:20", state=ClockState.RESTORED)
    await home.until("2026-03-03 11:40")
    assert home.prompts() == ["03 11:20", "03 11:35"]


async def test_new_card_without_a_clock_waits_a_day_of_its_own(make: MakeHome) -> None:
    home = make(start="1970-01-01 08:30", state=ClockState.UNSET)
    await home.observe("motion", 1, subject=DWELLING)
    for _ in range(40):
        await home.wait(1800)
    await home.observe("motion", 1, subject=DWELLING)
    await home.new_card()
    for _ in range(47):
        await home.wait(1800)
    assert home.prompts() == []
    await home.wait(3600)
    assert len(home.prompts()) == 1
