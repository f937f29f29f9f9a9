"""What the page knows: whose reading, what waits for the county, what is wrong with the box; on a fake clock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from kanhu.contract import ClockState, FakeClock, Lane, QualityReason, SeqRanges, SubjectKind
from kanhu.edge.cards import Scan
from kanhu.edge.devices import DeviceSeen
from kanhu.edge.errors import DecodeReason, LinkReason
from kanhu.edge.whose import Choice, WhoseReason
from kanhu.gateway.page.clinic import Attempt
from kanhu.gateway.page.day import MOST_ROWS, Day, RowState, Whereabouts
from kanhu.gateway.page.screens import Screens
from kanhu.gateway.page.troubles import TroubleKind, troubles
from kanhu.gateway.page.words import Tongue, Words
from kanhu.vitals import core_pack
from tests.gateway.page.running import Bench, settings
from tests.gateway.records import heart_rate

MORNING = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)  # 08:30 in Shanghai


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(settings(tmp_path), clock=FakeClock(MORNING))
    yield bench
    await bench.close()


def clock_of(bench: Bench) -> FakeClock:
    assert isinstance(bench.clock, FakeClock)
    return bench.clock


def screens(bench: Bench, tongue: Tongue = "en") -> Screens:
    return Screens(bench.clinic, words=Words(tongue), token="token", pack=core_pack())


async def watched(bench: Bench, seconds: int = 1) -> None:
    """Let the clinic look about for so many seconds."""
    watch = asyncio.create_task(bench.clinic.watch())
    for _ in range(seconds + 1):
        for _ in range(20):
            await asyncio.sleep(0.001)
        clock_of(bench).advance(1)
    watch.cancel()
    with suppress(asyncio.CancelledError):
        await watch


async def test_a_reading_is_shown_to_the_person_who_was_chosen(bench: Bench) -> None:
    assert screens(bench).measuring() is None
    assert bench.clinic.choose("r-0003") is Choice.BEGAN
    page = screens(bench).measuring() or ""
    assert "<h1>2-1</h1>" in page
    assert "Ready to measure" in page
    clock_of(bench).advance(40)
    await bench.measure(128, 76)
    page = screens(bench).measuring() or ""
    assert '<b id="value">128/76</b>' in page
    assert "mmHg" in page
    assert "Good reading" in page
    assert "128/76" in screens(bench).today()


async def test_the_next_person_does_not_see_the_last_ones_reading(bench: Bench) -> None:
    bench.clinic.choose("r-0003")
    clock_of(bench).advance(40)
    await bench.measure(128, 76)
    bench.clinic.choose("r-0004")
    assert "128/76" not in (screens(bench).measuring() or "")
    clock_of(bench).advance(40)
    await bench.measure(143, 88)
    page = screens(bench).measuring() or ""
    assert "143/88" in page
    assert "128/76" not in page


async def test_two_people_interleaved_have_their_own_rows(bench: Bench) -> None:
    for who, systolic in (("r-0003", 120), ("r-0004", 150), ("r-0003", 122), ("r-0004", 152)):
        bench.clinic.choose(who)
        clock_of(bench).advance(40)
        await bench.measure(systolic, 80)
    found = [(row.observation.subject.id, int(row.observation.value("systolic") or 0)) for row in bench.clinic.rows()]
    assert found == [("r-0004", 152), ("r-0003", 122), ("r-0004", 150), ("r-0003", 120)]


async def test_nobodys_reading_is_kept_said_and_never_shown_as_somebodys(bench: Bench) -> None:
    seq = await bench.measure(118, 74)
    page = screens(bench).people(room=None)
    assert "had nobody chosen" in page
    assert "118/74 mmHg" in page
    assert bench.people.reasons == {WhoseReason.NOBODY_CHOSEN: 1}
    ((kept, record),) = await bench.committer.call(lambda outbox: outbox.batch(Lane.LIVE))
    assert kept == seq
    assert getattr(record, "subject").kind is SubjectKind.UNIDENTIFIED  # noqa: B009  # of any record
    bench.clinic.choose("r-0003")
    assert "118/74" not in (screens(bench).measuring() or "")
    clock_of(bench).advance(3)
    bench.clinic.choose("r-0004")
    await bench.measure(131, 70)
    assert bench.people.latest["cuff-01"] is WhoseReason.CHOSEN, "its whose was asked at a moment of its own"


async def test_time_that_is_over_is_said_by_name_of_the_screen(bench: Bench) -> None:
    bench.clinic.choose("r-0003")
    clock_of(bench).advance(301)
    assert screens(bench).measuring() is None
    assert "The time of 2-1 is over" in screens(bench).people(room=None)
    bench.clinic.done()
    assert "is over" not in screens(bench).people(room=None)


async def test_a_card_at_a_reader_on_a_port_is_shown_as_a_press_is(bench: Bench) -> None:
    assert bench.clinic.scan("KH9999") is Scan.UNKNOWN
    revision = bench.clinic.revision
    assert bench.people.cards is not None
    assert bench.people.cards.read("KH0003") is Scan.CHOSEN
    assert bench.clinic.revision > revision, "the screen is told"
    assert "not known here" not in screens(bench).people(room=None)
    assert bench.clinic.present().resident == "r-0003"
    bench.people.cards.misread()
    assert "Scan it again" in screens(bench).people(room=None)


async def test_an_identity_card_is_said_to_be_of_no_use_here(bench: Bench) -> None:
    assert bench.clinic.scan("11010519491231002X") is Scan.IDENTITY
    page = screens(bench).people(room=None)
    assert "identity card" in page
    assert "11010519491231002X" not in page


async def test_a_scanned_card_chooses_and_an_unknown_one_is_not_repeated(bench: Bench) -> None:
    assert bench.clinic.scan("KH0003") is Scan.CHOSEN
    assert bench.clinic.scan("r-0004") is Scan.CHOSEN
    assert bench.clinic.present().resident == "r-0004"
    bench.clinic.done()
    assert bench.clinic.scan("110101199003070000") is Scan.UNKNOWN
    page = screens(bench).people(room=None)
    assert "not known here" in page
    assert "110101199003070000" not in page
    clock_of(bench).advance(121)
    assert "not known here" not in screens(bench).people(room=None)


async def test_a_doubtful_reading_says_why_and_what_to_do(bench: Bench) -> None:
    bench.clinic.choose("r-0003")
    clock_of(bench).advance(40)
    await bench.measure(143, 88, reasons=[QualityReason.MOTION, QualityReason.CUFF_LOOSE])
    english, chinese = (screens(bench, tongue).measuring() or "" for tongue in ("en", "zh"))
    for text in ("Doubtful, please measure again", "The body moved", "one finger", "sit still, arm at heart height"):
        assert text in english
    for text in ("读数存疑，请重测", "测量时动了", "袖带松了", "请坐好不动，手臂与心脏同高"):
        assert text in chinese
    assert 'class="reading doubt"' in english


async def test_a_reading_at_the_limit_says_so_in_the_words_of_the_rule(bench: Bench) -> None:
    bench.clinic.choose("r-0003")
    clock_of(bench).advance(40)
    await bench.measure(186, 112)
    page = screens(bench).measuring() or ""
    assert "Blood pressure reading above the set limit" in page
    assert "Rest, measure again in 1 to 5 minutes" in page
    assert 'class="limit p-medium"' in page
    clock_of(bench).advance(30)
    await bench.measure(186, 112)
    assert "Too soon" in (screens(bench).measuring() or "")
    clock_of(bench).advance(60)
    await bench.measure(188, 114)
    assert "An alert was raised" in (screens(bench).measuring() or "")
    assert "血压读数高于设定界限" in (screens(bench, "zh").measuring() or "")


async def test_each_row_tells_whether_the_county_has_it(bench: Bench) -> None:
    bench.clinic.choose("r-0003")
    numbers = []
    for systolic in (120, 122, 124):
        clock_of(bench).advance(40)
        numbers.append(await bench.measure(systolic, 70))
    await bench.confirm(numbers[0])
    await bench.committer.call(lambda outbox: outbox.quarantine([numbers[1]], reason="malformed"))
    await watched(bench)
    assert [row.state for row in bench.clinic.rows()] == [RowState.WAITING, RowState.SET_ASIDE, RowState.DELIVERED]
    page = screens(bench).today()
    for words in ("kept here", "county refused", "at the county"):
        assert words in page


async def test_what_left_without_a_receipt_is_not_called_delivered(tmp_path: Path) -> None:
    day = Day(tmp_path / "today.json", zone=UTC, epoch="e1")
    day.add(heart_rate(1, metric="weight"), seq=7, state=RowState.WAITING)
    gone = Whereabouts(frozenset(), frozenset())
    assert day.place(gone, asked=[], named=SeqRanges()) is False, "nobody asked for it"
    assert day.place(gone, asked=[7], named=SeqRanges())
    day.place(gone, asked=[7], named=SeqRanges(((1, 9),)))
    (row,) = day.rows(datetime.fromtimestamp(heart_rate(1).times.arrival_ms / 1000, tz=UTC))
    assert row.state is RowState.DROPPED


def test_the_day_survives_a_restart_ends_at_midnight_and_forgives_a_broken_file(tmp_path: Path) -> None:
    file = tmp_path / "today.json"
    day = Day(file, zone=UTC, epoch="e1")
    reading = heart_rate(1, metric="weight")
    at = datetime.fromtimestamp(reading.times.arrival_ms / 1000, tz=UTC)
    day.add(reading, seq=1, state=RowState.WAITING)
    day.save()
    again = Day(file, zone=UTC, epoch="e1")
    assert [row.seq for row in again.rows(at)] == [1]
    again.place(Whereabouts(frozenset(), frozenset()), asked=[1], named=SeqRanges())
    assert again.rows(at)[0].state is RowState.DELIVERED
    assert Day(file, zone=UTC, epoch="e2").rows(at)[0].state is RowState.DROPPED
    assert again.rows(at.replace(day=at.day + 1)) == []
    for broken in (b"", b"[1]", b"\xff", b"[" * 5000):
        file.write_bytes(broken)
        assert Day(file, zone=UTC, epoch="e1").rows(at) == []


def test_a_strap_that_tells_every_second_is_one_row_and_rows_are_bounded(tmp_path: Path) -> None:
    day = Day(tmp_path / "today.json", zone=UTC, epoch="e1")
    first = msgspec.structs.replace(heart_rate(0), metric="heart_rhythm")
    now = datetime.fromtimestamp(first.times.arrival_ms / 1000, tz=UTC)
    for second in range(60):
        day.add(msgspec.structs.replace(heart_rate(second), metric="heart_rhythm"), seq=second, state=RowState.WAITING)
    assert [row.seq for row in day.rows(now)] == [59]
    for number in range(MOST_ROWS + 10):
        day.add(heart_rate(number % 50, metric="weight"), seq=100 + number, state=RowState.WAITING)
    assert len(day.rows(now)) == MOST_ROWS


async def test_the_county_is_in_reach_while_it_answers_and_what_waits_is_counted(bench: Bench) -> None:
    assert "County: no link, keep measuring" in screens(bench).people(room=None)
    await bench.confirm(0)
    await watched(bench)
    assert "County: connected" in screens(bench).people(room=None)
    clock_of(bench).advance(150)
    bench.clinic.choose("r-0003")
    clock_of(bench).advance(40)
    await bench.measure(120, 70)
    page = screens(bench).people(room=None)
    assert "no link since 08:30" in page
    assert "1 waiting" in page


async def test_a_clock_a_battery_and_a_plug_are_said_in_words(bench: Bench) -> None:
    bench.seen["ox"] = DeviceSeen("ox", "oximeter-cms50d", connected=False, reason=LinkReason.UNPLUGGED)
    bench.seen["cuff-01"] = DeviceSeen(
        "cuff-01", "cuff-ble", connected=False, reason=LinkReason.DISCONNECTED, battery_percent=12
    )
    clock_of(bench).set_state(ClockState.UNSET)
    page = screens(bench).equipment()
    for words in ("the clock is not set", "oximeter ox is not plugged in", "cuff cuff-01: battery 12 %"):
        assert words in page
    assert "+2" in screens(bench).people(room=None)
    clock_of(bench).set_state(ClockState.RESTORED)
    assert "is it 08:30?" in screens(bench).equipment()
    await bench.confirm(0)
    assert "is it 08:30?" not in screens(bench).equipment(), "the county has told the time"


def test_a_cuff_that_sleeps_is_no_trouble_and_a_radio_that_is_gone_is_one() -> None:
    sleeping = DeviceSeen("cuff-01", "cuff-ble", connected=False, reason=LinkReason.LISTENING)
    gone = [
        DeviceSeen(f"cuff-{number}", "cuff-ble", connected=False, reason=LinkReason.RADIO_LOST) for number in range(3)
    ]
    fine = {"clock": ClockState.SYNCED, "card_failed": False, "fullness": 0.1, "confirmed": True}
    assert troubles([sleeping], **fine) == ()  # type: ignore[arg-type]  # keywords of several kinds
    assert [one.kind for one in troubles(gone, **fine)] == [TroubleKind.RADIO_LOST]  # type: ignore[arg-type]  # the same
    full = troubles([], clock=ClockState.SYNCED, card_failed=True, fullness=0.95, confirmed=True)
    assert [one.kind for one in full] == [TroubleKind.CARD_FAILED, TroubleKind.CARD_FULL]


async def test_a_measurement_without_a_result_is_said_while_somebody_waits_for_it(bench: Bench) -> None:
    bench.clinic.refused("cuff-01", DecodeReason.NOT_A_NUMBER.value)
    assert bench.clinic.attempt is None
    bench.clinic.choose("r-0003")
    bench.clinic.refused("strap", DecodeReason.NO_CONTACT.value)
    assert bench.clinic.attempt is None, "a strap on the table says so every second"
    bench.clinic.refused("cuff-01", DecodeReason.NOT_A_NUMBER.value)
    assert "No result" in (screens(bench).measuring() or "")
    clock_of(bench).advance(40)
    await bench.measure(120, 70)
    assert "No result" not in (screens(bench).measuring() or "")
    bench.clinic.refused("cuff-01", DecodeReason.WINDOW_INCOMPLETE.value)
    assert bench.clinic.attempt is None, "the finger came out after its reading"
    bench.clinic.refused("ox", DecodeReason.WINDOW_INCOMPLETE.value)
    assert bench.clinic.attempt is Attempt.TOO_SHORT


async def test_a_reading_that_the_card_did_not_take_is_shown_and_called_lost(bench: Bench) -> None:
    bench.clinic.choose("r-0003")
    clock_of(bench).advance(40)
    await bench.measure(120, 70)
    bench.clinic.not_kept(bench.clinic.sitting[-1])
    page = screens(bench).measuring() or ""
    assert "Not stored. Write it down" in page
    assert bench.clinic.rows()[0].state is RowState.NOT_KEPT
    assert "card takes no readings" in page


async def test_rooms_narrow_the_list_and_labels_are_text_whatever_stands_in_them(tmp_path: Path) -> None:
    people = (("r-0001", "<b>&\"'", None), ("r-0002", "1-1", "1"), ("r-0003", "2-1", "2"))
    bench = Bench(settings(tmp_path, people=people), clock=FakeClock(MORNING))
    try:
        every, one = (screens(bench).people(room=room) for room in (None, "2"))
        assert "&lt;b&gt;&amp;&quot;&#x27;" in every
        assert "<b><b>" not in every
        assert "<b>2-1</b>" in one
        assert "<b>1-1</b>" not in one
        assert 'href="/?room=2" aria-current="true">2</a>' in one
    finally:
        await bench.close()


class DueDose:
    """One dose, due until somebody says that it was taken."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def is_due(self, resident: str) -> bool:
        return resident == "r-0003" and not self.taken

    def acknowledge(self, resident: str) -> None:
        self.taken.append(resident)


async def test_dose_is_asked_for_at_the_chosen_person_only_and_said_once(bench: Bench) -> None:
    doses = DueDose()
    bench.clinic._doses = doses
    bench.clinic.dose_taken()
    assert doses.taken == []
    bench.clinic.choose("r-0003")
    assert 'action="/dose"' in (screens(bench).measuring() or "")
    bench.clinic.dose_taken()
    assert doses.taken == ["r-0003"]
    assert 'action="/dose"' not in (screens(bench).measuring() or "")
