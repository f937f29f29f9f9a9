"""What is under way: windows, receipts, early sends, refusals, silence. No clock, no network."""

from collections import Counter, deque

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kanhu.contract import Lane, Receipt, Refusal, RefusalReason
from kanhu.contract.receipt import RECEIPT_VERSION
from kanhu.gateway.flight import WINDOW, Again, Answer, Condemned, Flight, _Parcel

SECOND = 1_000_000_000
TIMEOUT_S = 20
ROUTINE_S = 5


def receipt(
    *, contiguous: int = 0, ranges: tuple[tuple[int, int], ...] = (), refused: tuple[tuple[int, int], ...] = ()
) -> Receipt:
    refusals = tuple(Refusal(first, last, RefusalReason.NOT_STORABLE) for first, last in refused)
    return Receipt(RECEIPT_VERSION, "home-03", "0" * 32, contiguous, ranges, refusals)


def flight(kind: type[Flight] = Flight) -> Flight:
    begun = kind(timeout_s=TIMEOUT_S, routine_s=ROUTINE_S)
    begun.begin(0)
    return begun


def test_alerts_have_a_window_of_their_own() -> None:
    under_way = flight()
    for number in range(WINDOW):
        assert under_way.has_room(Lane.LIVE)
        under_way.launch(Lane.BACKFILL if number % 2 else Lane.LIVE, [number + 1], now_ns=0)
    assert not under_way.has_room(Lane.LIVE)
    assert not under_way.has_room(Lane.BACKFILL)
    assert under_way.has_room(Lane.ALERT)
    under_way.answer(receipt(contiguous=1), now_ns=0)
    assert under_way.has_room(Lane.LIVE)


def test_a_part_stored_leaves_the_rest_under_way() -> None:
    under_way = flight()
    under_way.launch(Lane.LIVE, [1, 2, 3, 9], now_ns=0)
    under_way.answer(receipt(contiguous=2, ranges=((9, 9),)), now_ns=SECOND)
    assert not under_way.is_empty()
    under_way.answer(receipt(contiguous=3), now_ns=SECOND)
    assert under_way.is_empty()


def test_no_answer_in_time_means_a_silent_link_and_any_progress_puts_it_off() -> None:
    under_way = flight()
    assert under_way.check(100 * SECOND)[0] is Answer.WAIT, "nothing is under way"
    under_way.launch(Lane.LIVE, [1], now_ns=100 * SECOND)
    under_way.launch(Lane.LIVE, [2], now_ns=101 * SECOND)
    assert under_way.check(119 * SECOND)[0] is Answer.WAIT
    under_way.answer(receipt(contiguous=1), now_ns=119 * SECOND)
    assert under_way.check(125 * SECOND)[0] is Answer.WAIT
    assert under_way.check(140 * SECOND)[0] is Answer.SILENT


@pytest.mark.parametrize("answered", ["stored", "refused"])
def test_each_silence_in_a_row_doubles_the_time_for_an_answer_up_to_four_times_until_one_comes(answered: str) -> None:
    under_way = flight()
    begins_s, waited_s = 0.0, []
    for turn in range(6):
        under_way.begin(round(begins_s * SECOND))
        under_way.launch(Lane.LIVE, [1], now_ns=round(begins_s * SECOND))
        if turn == 4:  # what names nothing that is under way is no answer
            under_way.answer(receipt(contiguous=0, ranges=((7, 9),)), now_ns=round(begins_s * SECOND))
        second = begins_s
        while under_way.check(round(second * SECOND))[0] is Answer.WAIT:
            second += 5
        waited_s.append(second - begins_s)
        begins_s = second
    assert waited_s == [20, 40, 80, 80, 80, 80]
    under_way.begin(round(begins_s * SECOND))
    under_way.launch(Lane.LIVE, [1, 2], now_ns=round(begins_s * SECOND))
    answer = receipt(contiguous=1) if answered == "stored" else receipt(refused=((1, 1),))
    under_way.answer(answer, now_ns=round(begins_s * SECOND))
    assert under_way.check(round((begins_s + TIMEOUT_S) * SECOND))[0] is Answer.SILENT


def test_an_overloaded_county_gets_little_twice() -> None:
    """It answers after 300 s whatever it is sent; without the growing time it would get everything fifteen times."""
    under_way, sends, second = flight(), 0, 0
    while second < 300:
        under_way.begin(second * SECOND)
        under_way.launch(Lane.LIVE, [1], now_ns=second * SECOND)
        sends += 1
        while second < 300 and under_way.check(second * SECOND)[0] is Answer.WAIT:
            second += 1
    assert sends == 5


def test_a_refused_parcel_is_sent_again_then_halved_until_one_record_is_condemned() -> None:
    under_way = flight()
    bad, seqs = 6, tuple(range(1, 9))
    under_way.launch(Lane.LIVE, seqs, now_ns=0)
    under_way.answer(receipt(refused=((1, 8),)), now_ns=0)
    stored: set[int] = set()
    condemned: list[Condemned] = []
    rounds = 0
    while suspect := under_way.next_suspect(Lane.LIVE):
        rounds += 1
        under_way.launch(suspect.lane, suspect.seqs, now_ns=0, suspect=suspect)
        if bad in suspect.seqs:
            condemned += under_way.answer(receipt(refused=((suspect.seqs[0], suspect.seqs[-1]),)), now_ns=0)
        else:
            stored |= set(suspect.seqs)
            condemned += under_way.answer(receipt(ranges=tuple((seq, seq) for seq in suspect.seqs)), now_ns=0)
    assert condemned == [Condemned(bad, "not_storable")]
    assert stored == set(seqs) - {bad}
    assert under_way.is_empty()
    assert rounds < 16


def test_a_repeated_receipt_does_not_condemn_halves_for_the_refusal_of_the_whole() -> None:
    under_way = flight()
    under_way.launch(Lane.LIVE, (1, 2, 3, 4), now_ns=0)
    stale = receipt(refused=((1, 4),))
    under_way.answer(stale, now_ns=0)
    for _ in range(3):
        while suspect := under_way.next_suspect(Lane.LIVE):
            under_way.launch(suspect.lane, suspect.seqs, now_ns=0, suspect=suspect)
        assert under_way.answer(stale, now_ns=0) == []
    assert not under_way.is_empty()


def test_what_a_parcel_leaves_out_of_a_suspect_flies_later_and_its_refusals_are_not_forgotten() -> None:
    under_way = flight()
    under_way.launch(Lane.LIVE, (1, 2, 3, 4), now_ns=0)
    under_way.answer(receipt(refused=((1, 4),)), now_ns=0)
    suspect = under_way.next_suspect(Lane.LIVE)
    assert suspect is not None
    under_way.launch(Lane.LIVE, (1,), now_ns=0, suspect=suspect)  # a slow link had no room for more
    assert under_way.suspected() == {1, 2, 3, 4}
    assert under_way.answer(receipt(refused=((1, 1),)), now_ns=0) == [Condemned(1, "not_storable")]
    rest = under_way.next_suspect(Lane.LIVE)
    assert rest is not None
    assert (rest.seqs, rest.refusals) == ((2, 3, 4), 1)


def test_suspects_are_left_out_of_ordinary_parcels_and_survive_a_reconnection() -> None:
    under_way = flight()
    under_way.launch(Lane.ALERT, (1, 2), now_ns=0)
    under_way.answer(receipt(refused=((1, 2),)), now_ns=0)
    assert under_way.suspected() == {1, 2}
    assert under_way.next_suspect(Lane.LIVE) is None
    suspect = under_way.next_suspect(Lane.ALERT)
    assert suspect is not None
    under_way.launch(Lane.ALERT, suspect.seqs, now_ns=0, suspect=suspect)
    under_way.begin(SECOND)
    assert under_way.suspected() == {1, 2}


def test_a_parcel_passed_over_is_asked_for_again() -> None:
    under_way = flight()
    under_way.launch(Lane.LIVE, (1,), now_ns=0)
    under_way.launch(Lane.LIVE, (2,), now_ns=0)
    under_way.answer(receipt(ranges=((2, 2),)), now_ns=5 * SECOND)
    assert under_way.check(10 * SECOND) == (Answer.WAIT, [])
    assert under_way.suspected() == frozenset()
    assert under_way.check(21 * SECOND) == (Answer.WAIT, [])
    assert under_way.suspected() == {1}


def test_a_faster_lane_speaks_against_nobody() -> None:
    under_way = flight()
    for attempt in range(40):
        now_ns = attempt * 100 * SECOND
        suspect = under_way.next_suspect(Lane.BACKFILL)
        under_way.launch(Lane.BACKFILL, (1, 2, 3), now_ns=now_ns, suspect=suspect)
        under_way.launch(Lane.ALERT, (10 + attempt,), now_ns=now_ns)
        under_way.answer(receipt(ranges=((10, 10 + attempt),)), now_ns=now_ns)
        assert under_way.check(now_ns + 21 * SECOND) == (Answer.WAIT, [])
        assert under_way.suspected() == {1, 2, 3}, "it is asked for again, whole"


def test_silence_condemns_one_record_only_after_many_chances() -> None:
    under_way = flight()
    condemned: list[Condemned] = []
    for attempt in range(8):
        assert not condemned, "a county killed in the wrong moment now and then is no refusal"
        now_ns = attempt * 100 * SECOND
        suspect = under_way.next_suspect(Lane.ALERT)
        under_way.launch(Lane.ALERT, (1,), now_ns=now_ns, suspect=suspect)
        under_way.launch(Lane.ALERT, (10 + attempt,), now_ns=now_ns)
        under_way.answer(receipt(ranges=((10, 10 + attempt),)), now_ns=now_ns)
        condemned += under_way.check(now_ns + 21 * SECOND)[1]
    assert condemned == [Condemned(1, "unanswered")]


def test_what_was_sent_is_remembered_in_few_ranges() -> None:
    under_way = flight()
    for seq in range(1, 2001, 4):  # the rest was thinned away
        under_way.launch(Lane.BACKFILL, (seq,), now_ns=0)
    assert len(under_way.sent) == 500
    under_way.forget_below(1990)
    assert len(under_way.sent) <= 4
    assert 1991 not in under_way.sent


def test_a_receipt_too_full_to_name_everything_condemns_nobody() -> None:
    under_way = flight()
    full = receipt(ranges=tuple((10 + 2 * number, 10 + 2 * number) for number in range(2000)))
    for attempt in range(6):
        suspect = under_way.next_suspect(Lane.LIVE)
        under_way.launch(Lane.LIVE, (1,), now_ns=attempt * 100 * SECOND, suspect=suspect)
        under_way.launch(Lane.LIVE, (10,), now_ns=attempt * 100 * SECOND)
        assert under_way.answer(full, now_ns=attempt * 100 * SECOND) == []
        assert under_way.check((attempt * 100 + 30) * SECOND) == (Answer.WAIT, [])


def sends(under_way: Flight, lane: Lane, *, receipts_s: set[int], until_s: int) -> list[int]:
    """Seconds at which a lane sends something again while receipts that name nothing come at these seconds."""
    found: list[int] = []
    for second in range(until_s):
        if second in receipts_s:
            under_way.answer(receipt(), now_ns=second * SECOND)
        while under_way.next_again(lane, now_ns=second * SECOND) is not None:
            found.append(second)
    return found


def test_an_alert_that_a_later_receipt_does_not_name_is_sent_again_at_once() -> None:
    under_way = flight()
    under_way.launch(Lane.ALERT, (1, 2), now_ns=0)
    assert under_way.next_again(Lane.ALERT, now_ns=5 * SECOND) is None, "the county has said nothing"
    under_way.answer(receipt(contiguous=1), now_ns=0)
    under_way.answer(receipt(contiguous=1), now_ns=5 * SECOND)
    assert under_way.again_in_s(Lane.ALERT, now_ns=5 * SECOND) == 0
    assert under_way.next_again(Lane.ALERT, now_ns=5 * SECOND) == Again(Lane.ALERT, (2,))
    assert under_way.next_again(Lane.ALERT, now_ns=15 * SECOND) is None, "once a receipt"
    under_way.answer(receipt(contiguous=2), now_ns=15 * SECOND)
    assert under_way.is_empty()


def test_a_receipt_within_a_second_of_the_sending_is_remembered_for_later() -> None:
    under_way = flight()
    under_way.launch(Lane.ALERT, (1,), now_ns=0)
    under_way.answer(receipt(), now_ns=SECOND // 10)
    assert under_way.next_again(Lane.ALERT, now_ns=SECOND // 10) is None
    assert under_way.again_in_s(Lane.ALERT, now_ns=SECOND // 10) == pytest.approx(0.9)
    assert under_way.next_again(Lane.ALERT, now_ns=SECOND) == Again(Lane.ALERT, (1,))


def test_an_alert_is_sent_again_less_and_less_often_and_only_once_a_receipt() -> None:
    under_way = flight()
    under_way.launch(Lane.ALERT, (1,), now_ns=0)
    assert sends(under_way, Lane.ALERT, receipts_s={2}, until_s=TIMEOUT_S) == [2]
    under_way = flight()
    under_way.launch(Lane.ALERT, (1,), now_ns=0)
    assert sends(under_way, Lane.ALERT, receipts_s=set(range(TIMEOUT_S)), until_s=TIMEOUT_S) == [1, 3, 7, 15]
    assert under_way.check(TIMEOUT_S * SECOND)[0] is Answer.SILENT, "sending again does not put the last net off"


def test_a_new_connection_knows_no_doubt_of_the_last() -> None:
    under_way = flight()
    under_way.launch(Lane.ALERT, (1,), now_ns=0)
    under_way.answer(receipt(), now_ns=5 * SECOND)
    under_way.begin(6 * SECOND)
    under_way.launch(Lane.ALERT, (1,), now_ns=6 * SECOND)
    assert under_way.next_again(Lane.ALERT, now_ns=15 * SECOND) is None
    assert under_way.again_in_s(Lane.ALERT, now_ns=15 * SECOND) == float("inf")


@pytest.mark.parametrize("lane", [Lane.LIVE, Lane.BACKFILL])
def test_routine_records_are_sent_again_in_their_own_rhythm(lane: Lane) -> None:
    under_way = flight()
    under_way.launch(lane, (1,), now_ns=0)
    assert under_way.next_again(Lane.ALERT, now_ns=0) is None
    assert sends(under_way, lane, receipts_s=set(range(TIMEOUT_S)), until_s=TIMEOUT_S) == [ROUTINE_S, 3 * ROUTINE_S]


def test_of_routine_parcels_the_oldest_is_sent_again_and_with_proof_all() -> None:
    under_way = flight()
    for seq in range(1, 5):
        under_way.launch(Lane.LIVE, (seq,), now_ns=0)
    under_way.answer(receipt(), now_ns=ROUTINE_S * SECOND)
    assert under_way.next_again(Lane.LIVE, now_ns=ROUTINE_S * SECOND) == Again(Lane.LIVE, (1,))
    assert under_way.next_again(Lane.LIVE, now_ns=ROUTINE_S * SECOND) is None
    under_way.answer(receipt(ranges=((1, 1), (4, 4))), now_ns=ROUTINE_S * SECOND)
    found = [under_way.next_again(Lane.LIVE, now_ns=ROUTINE_S * SECOND) for _ in range(3)]
    assert found == [Again(Lane.LIVE, (2,)), Again(Lane.LIVE, (3,)), None]


def test_a_county_on_its_way_to_an_alert_is_not_asked_again() -> None:
    under_way = flight()
    for seq in range(1, 8):
        under_way.launch(Lane.LIVE, (seq,), now_ns=0)
    under_way.launch(Lane.ALERT, (9,), now_ns=0)
    for tenth in range(1, 70):
        now_ns = tenth * SECOND // 10
        under_way.answer(receipt(contiguous=1 + tenth // 10), now_ns=now_ns)
        assert under_way.next_again(Lane.ALERT, now_ns=now_ns) is None
    assert under_way.again_in_s(Lane.ALERT, now_ns=7 * SECOND) < 1


def test_what_was_sent_later_and_stored_earlier_says_that_an_alert_is_lost() -> None:
    under_way = flight()
    under_way.launch(Lane.ALERT, (1,), now_ns=0)
    under_way.launch(Lane.LIVE, (2,), now_ns=0)
    under_way.launch(Lane.LIVE, (3,), now_ns=0)
    under_way.answer(receipt(ranges=((2, 2),)), now_ns=2 * SECOND)
    assert under_way.next_again(Lane.LIVE, now_ns=2 * SECOND) is None, "a draining backlog is no reason to wait"
    assert under_way.next_again(Lane.ALERT, now_ns=2 * SECOND) == Again(Lane.ALERT, (1,))


def test_a_receipt_too_full_to_name_everything_sends_nothing_again() -> None:
    under_way = flight()
    under_way.launch(Lane.ALERT, (1,), now_ns=0)
    full = receipt(ranges=tuple((10 + 2 * number, 10 + 2 * number) for number in range(2000)))
    under_way.answer(full, now_ns=5 * SECOND)
    assert under_way.next_again(Lane.ALERT, now_ns=10 * SECOND) is None


class AsksAtEachReceipt(Flight):
    """The broken variant: takes every receipt for proof, as often as a second allows."""

    def _again_ns(self, parcel: _Parcel) -> float:
        return parcel.last_ns + SECOND if parcel.missed is not None else float("inf")

    def _doubtful(self, lane: Lane) -> list[_Parcel]:
        return self._of(lane)


@pytest.mark.parametrize("kind", [Flight, AsksAtEachReceipt])
@pytest.mark.parametrize("job_ms", [400, 2500, 8000])
def test_a_slow_county_with_a_backlog_of_thousands_is_not_asked_again_and_again(
    kind: type[Flight], job_ms: int
) -> None:
    under_way = flight(kind)
    owed = deque((Lane.BACKFILL, tuple(range(first, first + 500))) for first in range(1, 20_001, 500))
    arrived: Counter[int] = Counter()
    waiting: deque[tuple[int, ...]] = deque()  # at the county, which takes one envelope a job, duplicates as well
    stored: set[int] = set()
    ready_ms = job_ms
    alert = 20_001
    for now_ms in range(0, 600_000, 100):
        now_ns = now_ms * 1_000_000
        if now_ms == 1000:
            under_way.launch(Lane.ALERT, (alert,), now_ns=now_ns)
            arrived[alert] += 1
            waiting.append((alert,))
        while owed and under_way.has_room(Lane.BACKFILL):
            lane, seqs = owed.popleft()
            under_way.launch(lane, seqs, now_ns=now_ns)
            arrived.update(seqs)
            waiting.append(seqs)
        for lane in (Lane.ALERT, Lane.BACKFILL):
            while (again := under_way.next_again(lane, now_ns=now_ns)) is not None:
                arrived.update(again.seqs)
                waiting.append(again.seqs)
        if now_ms >= ready_ms:
            ready_ms = now_ms + job_ms
            stored.update(waiting.popleft())
            under_way.answer(receipt(ranges=((1, max(stored - {alert}, default=1)),)), now_ns=now_ns)
            if alert in stored:
                under_way.answer(receipt(ranges=((alert, alert),)), now_ns=now_ns)
        elif now_ms % 5000 == 0:
            under_way.answer(receipt(), now_ns=now_ns)  # a heartbeat is answered out of turn
        if (not owed and under_way.is_empty()) or arrived.total() > 100_000:
            break
    redelivered = arrived.total() - len(arrived)
    if kind is Flight:
        assert under_way.is_empty()
        assert redelivered <= 2000, "four parcels in forty, however slow the county is"
        assert arrived[alert] <= 5
    else:
        assert redelivered > 50_000, "the broken variant must flood the county, or this test proves nothing"


_ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("launch"), st.integers(1, 5), st.just(0)),
        st.tuples(st.just("store"), st.integers(1, 60), st.integers(0, 5)),
        st.tuples(st.just("refuse"), st.integers(1, 60), st.integers(0, 5)),
        st.tuples(st.just("check"), st.integers(0, 40), st.just(0)),
        st.tuples(st.just("begin"), st.just(0), st.just(0)),
    ),
    max_size=60,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # as a busy machine needs it
@given(_ACTS)
def test_what_was_launched_is_under_way_until_stored_or_condemned(acts: list[tuple[str, int, int]]) -> None:
    under_way = flight()
    next_seq, now_ns = 1, 0
    open_seqs: set[int] = set()
    for act, number, more in acts:
        now_ns += SECOND
        if act == "launch":
            seqs = range(next_seq, next_seq + number)
            next_seq += number
            under_way.launch(Lane.LIVE, seqs, now_ns=now_ns)
            open_seqs |= set(seqs)
        elif act == "store":
            condemned = under_way.answer(receipt(ranges=((number, number + more),)), now_ns=now_ns)
            open_seqs -= {*range(number, number + more + 1), *(one.seq for one in condemned)}
        elif act == "refuse":
            open_seqs -= {
                one.seq for one in under_way.answer(receipt(refused=((number, number + more),)), now_ns=now_ns)
            }
        elif act == "check":
            now_ns += number * SECOND
            open_seqs -= {one.seq for one in under_way.check(now_ns)[1]}
        else:  # a new connection sends everything again from the outbox; suspects are the flight's own memory
            under_way.begin(now_ns)
            open_seqs &= under_way.suspected()
        while suspect := under_way.next_suspect(Lane.LIVE):
            under_way.launch(suspect.lane, suspect.seqs, now_ns=now_ns, suspect=suspect)
        assert under_way.is_empty() == (not open_seqs)
        assert under_way.suspected() <= open_seqs
        assert all(seq in under_way.sent for seq in open_seqs)
