"""What is under way: windows, receipts, refusals, silence. No clock, no network."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kanhu.contract import Lane, Receipt, Refusal, RefusalReason
from kanhu.contract.receipt import RECEIPT_VERSION
from kanhu.gateway.flight import WINDOW, Answer, Condemned, Flight

SECOND = 1_000_000_000
TIMEOUT_S = 20


def receipt(
    *, contiguous: int = 0, ranges: tuple[tuple[int, int], ...] = (), refused: tuple[tuple[int, int], ...] = ()
) -> Receipt:
    refusals = tuple(Refusal(first, last, RefusalReason.NOT_STORABLE) for first, last in refused)
    return Receipt(RECEIPT_VERSION, "home-03", "0" * 32, contiguous, ranges, refusals)


def flight() -> Flight:
    begun = Flight(timeout_s=TIMEOUT_S)
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
