"""The silence of a home at the gateway: asked about, told, ended by a sign, and kept on the card."""

from pathlib import Path

from kanhu.contract import ClockState
from kanhu.gateway.daily import silence
from kanhu.gateway.daily.words import Reminder
from tests.gateway.daily_people import DWELLING, Home

_DAYS = 8


async def lived(folder: Path) -> Home:
    """A week and a day with a sign each half-hour from seven to ten; then it is 07:00 on the 10th."""
    home = Home(folder, by=None, start="2026-03-02 07:00", watched=True)
    for day in range(2, 2 + _DAYS):
        for half in range(31):
            await home.observe("motion", 1 - half % 2, subject=DWELLING, device="hall")
            for _ in range(7):
                await home.wait(257)
        await home.until(f"2026-03-{day + 1:02} 07:00", every_s=290)
    return home


async def silent(home: Home, until: str) -> None:
    await home.observe("motion", 1, subject=DWELLING, device="bed")
    await home.observe("motion", 0, subject=DWELLING, device="bed")
    await home.until(until)


def inact(told: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
    return [(phase, priority) for rule, phase, priority in told if rule == "INACT"]


async def test_a_silence_is_asked_about_once_told_told_again_and_a_sign_ends_it(tmp_path: Path) -> None:
    home = await lived(tmp_path)
    assert await home.told() == []
    await silent(home, "2026-03-10 12:00")
    (asked,) = home.said
    assert asked[1] is Reminder.SILENCE
    assert inact(await home.told()) == [("start", "medium")]
    minutes = [int(step) for metric, step, _ in await home.told() if metric == "inactivity"]
    assert 180 <= minutes[0] <= 300
    await home.restart()
    await home.until("2026-03-10 16:00")
    assert inact(await home.told()) == [("start", "medium"), ("continue", "high")]
    await home.observe("motion", 1, subject=DWELLING, device="bed")
    await home.wait(60)
    assert [phase for phase, _ in inact(await home.told())].count("end") == 1
    assert len(home.said) == 1
    await home.end()


async def test_a_short_restart_in_the_middle_counts_on_and_a_long_power_cut_begins_anew(tmp_path: Path) -> None:
    for number, (dark, found) in enumerate((("2026-03-10 09:01", True), ("2026-03-10 09:30", False))):
        folder = tmp_path / str(number)
        folder.mkdir()
        home = await lived(folder)
        await silent(home, "2026-03-10 09:00")
        await home.power_cut(until=dark)
        await home.until("2026-03-10 11:20")
        assert (inact(await home.told()) == [("start", "medium")]) is found
        await home.end()


async def test_without_the_time_nothing_is_looked_at_and_a_damaged_card_learns_anew(tmp_path: Path) -> None:
    home = await lived(tmp_path)
    await silent(home, "2026-03-10 07:30")
    await home.power_cut(until="2026-03-10 07:35", shows="1970-01-01 08:00", state=ClockState.UNSET)
    await home.wait(60)
    for _ in range(12):
        await home.wait(3600)
    assert home.said == []
    home.outbox.keep_text(silence.KEPT, "?" * 30)
    await home.restart()
    await home.wait(60)
    assert inact(await home.told()) == []
    await home.end()
