"""Fetching the records of a glucose meter: what is asked, what is new, and what a meter may do in between."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import Meal
from kanhu.edge.codecs.record_access import encode_abort
from kanhu.edge.errors import DecodeError
from kanhu.edge.glucose_records import MOST_RECORDS, Ending, Fetched, GlucosePosition, GlucoseRecords
from kanhu.firmware_sim.wire.glucose import MeterResult, glucose_measurement
from kanhu.firmware_sim.wire.glucose_context import MeterContext, glucose_measurement_context
from kanhu.firmware_sim.wire.record_access import RacpReply, RacpResult, racp_count, racp_response, serve_racp

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_EPOCH_MS = int(_EPOCH.timestamp()) * 1000


def result(sequence: int, *, day: int | None = None, context: bool = False) -> MeterResult:
    at = _EPOCH + timedelta(days=sequence if day is None else day)
    return MeterResult(sequence, at, concentration=Decimal("0.0056"), context_follows=context)


def position(sequence: int, *, day: int | None = None) -> GlucosePosition:
    return GlucosePosition(sequence, _EPOCH_MS + (sequence if day is None else day) * 86_400_000)


def as_specified(written: bytes, sequences: list[int]) -> RacpReply:
    return serve_racp(written, sequences)


@dataclass
class Meter:
    """A meter with a memory; `serve` is how well it follows the specification."""

    memory: list[MeterResult]
    serve: Callable[[bytes, list[int]], RacpReply] = as_specified
    meals: dict[int, int] = field(default_factory=dict)
    written: list[bytes] = field(default_factory=list)

    def fetch(self, since: GlucosePosition | None) -> Fetched:
        fetch = GlucoseRecords(since=since)
        request: bytes | None = fetch.begin()
        while request is not None:
            assert len(self.written) < 20, "it asks without end"
            self.written.append(request)
            reply = self.serve(request, [one.sequence for one in self.memory])
            for place in reply.places:
                one = self.memory[place]
                fetch.measurement(glucose_measurement(one))
                if one.sequence in self.meals:
                    context = MeterContext(one.sequence, meal=self.meals[one.sequence])
                    fetch.context(glucose_measurement_context(context))
            request = fetch.control(reply.indication)
        assert fetch.fetched is not None
        return fetch.fetched


def sequences(fetched: Fetched) -> list[int]:
    return [reading.record.sequence for reading in fetched.readings]


def test_the_first_fetch_brings_everything() -> None:
    meter = Meter([result(1), result(2), result(3)])
    fetched = meter.fetch(None)
    assert fetched.ending is Ending.COMPLETE
    assert sequences(fetched) == [1, 2, 3]
    assert fetched.position == position(3)
    assert not fetched.restarted
    assert meter.written == [bytes.fromhex("0401"), bytes.fromhex("0101")]


def test_the_next_fetch_brings_only_what_is_new() -> None:
    meter = Meter([result(number) for number in range(1, 6)])
    fetched = meter.fetch(position(3))
    assert sequences(fetched) == [4, 5]
    assert fetched.position == position(5)
    assert not fetched.restarted
    assert meter.written == [bytes.fromhex("0403010300"), bytes.fromhex("0103010300")]


def test_nothing_new_is_a_normal_answer() -> None:
    fetched = Meter([result(1), result(2)]).fetch(position(2))
    assert fetched == Fetched(Ending.COMPLETE, (), position(2), restarted=False)


def test_an_empty_meter_is_a_normal_answer() -> None:
    fetched = Meter([]).fetch(None)
    assert fetched == Fetched(Ending.COMPLETE, (), None, restarted=False)


def test_numbers_that_begin_again_below_the_last_known_bring_everything() -> None:
    meter = Meter([result(1, day=30), result(2, day=31)])
    fetched = meter.fetch(position(20))
    assert fetched.ending is Ending.COMPLETE
    assert fetched.restarted
    assert sequences(fetched) == [1, 2]
    assert fetched.position == position(2, day=31)


def test_numbers_that_began_again_and_passed_the_last_known_bring_everything() -> None:
    meter = Meter([result(number, day=100 + number) for number in range(1, 6)])
    fetched = meter.fetch(position(3))
    assert fetched.restarted
    assert sequences(fetched) == [1, 2, 3, 4, 5]
    assert fetched.position == position(5, day=105)


def test_an_erased_meter_forgets_the_position() -> None:
    fetched = Meter([]).fetch(position(20))
    assert fetched == Fetched(Ending.COMPLETE, (), None, restarted=True)


def test_a_context_joins_the_record_of_its_number() -> None:
    memory = [result(1, context=True), result(2), result(3, context=True)]
    fetched = Meter(memory, meals={1: 3, 2: 2}).fetch(None)
    contexts = [reading.context for reading in fetched.readings]
    assert contexts[0] is not None
    assert contexts[0].meal is Meal.FASTING
    assert contexts[1] is None  # none was announced
    assert contexts[2] is None  # none came


def without(operations: set[int], operators: set[int]) -> Callable[[bytes, list[int]], RacpReply]:
    def serve(written: bytes, sequences: list[int]) -> RacpReply:
        if written[0] in operations:
            return RacpReply((), racp_response(written[0], RacpResult.OP_CODE_NOT_SUPPORTED))
        if written[1] in operators:
            return RacpReply((), racp_response(written[0], RacpResult.OPERATOR_NOT_SUPPORTED))
        return serve_racp(written, sequences)

    return serve


@pytest.mark.parametrize(
    "serve", [without({4}, set()), without(set(), {3}), without({4}, {3})], ids=["count", "select", "both"]
)
def test_a_meter_that_cannot_count_or_select_still_brings_only_what_is_new(
    serve: Callable[[bytes, list[int]], RacpReply],
) -> None:
    meter = Meter([result(number) for number in range(1, 6)], serve=serve)
    fetched = meter.fetch(position(3))
    assert fetched == Fetched(Ending.COMPLETE, fetched.readings, position(5), restarted=False)
    assert sequences(fetched) == [4, 5]
    assert sequences(meter.fetch(None)) == [1, 2, 3, 4, 5]


def test_a_meter_that_cannot_select_and_began_again_brings_everything() -> None:
    meter = Meter([result(number, day=50 + number) for number in (1, 2)], serve=without({4}, {3}))
    fetched = meter.fetch(position(2))
    assert fetched.restarted
    assert sequences(fetched) == [1, 2]


def test_a_meter_that_will_not_report_is_named_and_keeps_the_position() -> None:
    fetched = Meter([result(1)], serve=without({1}, set())).fetch(position(9))
    assert fetched == Fetched(Ending.REFUSED, (), position(9), restarted=False)


def test_records_that_were_lost_on_the_way_are_asked_for_again() -> None:
    def lossy(written: bytes, sequences: list[int]) -> RacpReply:
        reply = serve_racp(written, sequences)
        return RacpReply(reply.places[:-1], reply.indication)

    meter = Meter([result(number) for number in range(1, 6)], serve=lossy)
    fetched = meter.fetch(position(3))
    assert fetched.ending is Ending.INCOMPLETE
    assert sequences(fetched) == [4]
    assert fetched.position == position(3)
    meter.serve = as_specified
    assert sequences(meter.fetch(fetched.position)) == [4, 5]


def test_a_meter_that_gives_up_is_asked_again_the_next_time() -> None:
    def tired(written: bytes, sequences: list[int]) -> RacpReply:
        reply = serve_racp(written, sequences)
        if written[0] == 1:
            return RacpReply(reply.places[:2], racp_response(1, RacpResult.PROCEDURE_NOT_COMPLETED))
        return reply

    fetched = Meter([result(number) for number in range(1, 6)], serve=tired).fetch(position(3))
    assert fetched.ending is Ending.INCOMPLETE
    assert sequences(fetched) == [4]
    assert fetched.position == position(3)


def test_a_record_that_cannot_be_read_is_told_and_does_not_stop_the_fetch() -> None:
    fetch = GlucoseRecords(since=None)
    fetch.begin()
    fetch.control(racp_count(2))
    with pytest.raises(DecodeError):
        fetch.measurement(b"\x02\x01")
    fetch.measurement(glucose_measurement(result(2)))
    assert fetch.control(racp_response(1, RacpResult.SUCCESS)) is None
    assert fetch.fetched is not None
    assert fetch.fetched.ending is Ending.COMPLETE
    assert sequences(fetch.fetched) == [2]


def test_an_answer_that_cannot_be_read_leaves_the_fetch_where_it_stood() -> None:
    fetch = GlucoseRecords(since=None)
    fetch.begin()
    with pytest.raises(DecodeError):
        fetch.control(b"\x05")
    assert fetch.control(racp_count(1)) == bytes.fromhex("0101")


def test_an_answer_to_something_else_changes_nothing() -> None:
    fetch = GlucoseRecords(since=None)
    fetch.begin()
    assert fetch.control(racp_response(1, RacpResult.SUCCESS)) is None
    assert fetch.control(bytes.fromhex("08000500")) is None
    assert fetch.fetched is None
    assert fetch.control(racp_count(1)) == bytes.fromhex("0101")
    assert fetch.control(racp_count(1)) is None
    assert fetch.fetched is None


def test_a_measurement_before_the_report_is_left_out() -> None:
    fetch = GlucoseRecords(since=None)
    fetch.begin()
    fetch.measurement(glucose_measurement(result(7)))
    fetch.context(glucose_measurement_context(MeterContext(7, meal=1)))
    fetch.control(racp_count(1))
    fetch.measurement(glucose_measurement(result(8)))
    fetch.control(racp_response(1, RacpResult.SUCCESS))
    assert fetch.fetched is not None
    assert sequences(fetch.fetched) == [8]


@pytest.mark.parametrize("answer", [RacpResult.SUCCESS, RacpResult.ABORT_UNSUCCESSFUL])
def test_an_abort_keeps_what_came_and_the_position(answer: RacpResult) -> None:
    fetch = GlucoseRecords(since=position(3))
    fetch.begin()
    fetch.control(racp_count(3))
    fetch.measurement(glucose_measurement(result(3)))
    fetch.measurement(glucose_measurement(result(4)))
    assert fetch.abort() == encode_abort()
    fetch.measurement(glucose_measurement(result(5)))  # was on its way
    assert fetch.control(racp_response(3, answer)) is None
    assert fetch.fetched is not None
    assert fetch.fetched.ending is Ending.ABORTED
    assert sequences(fetch.fetched) == [4, 5]
    assert fetch.fetched.position == position(3)
    assert fetch.abort() is None


def test_before_it_began_there_is_nothing_to_abort() -> None:
    fetch = GlucoseRecords(since=None)
    assert fetch.abort() is None
    assert fetch.begin() == bytes.fromhex("0401")
    with pytest.raises(ValueError, match="begins once"):
        fetch.begin()


def test_a_meter_without_end_fills_no_memory() -> None:
    fetch = GlucoseRecords(since=None)
    fetch.begin()
    fetch.control(racp_response(4, RacpResult.OP_CODE_NOT_SUPPORTED))
    frame = glucose_measurement(result(1))
    for _ in range(MOST_RECORDS + 5):
        fetch.measurement(frame)
    fetch.control(racp_response(1, RacpResult.SUCCESS))
    assert fetch.fetched is not None
    assert len(fetch.fetched.readings) == MOST_RECORDS
    assert fetch.fetched.ending is Ending.INCOMPLETE


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=6),
    st.sampled_from([as_specified, without({4}, set()), without(set(), {3}), without({4}, {3})]),
)
def test_fetch_after_fetch_every_record_comes_exactly_once(
    batches: list[int], serve: Callable[[bytes, list[int]], RacpReply]
) -> None:
    meter = Meter([], serve=serve)
    since: GlucosePosition | None = None
    came: list[int] = []
    for batch in batches:
        for _ in range(batch):
            meter.memory.append(result(len(meter.memory) + 1))
        meter.written.clear()
        fetched = meter.fetch(since)
        since = fetched.position
        came += sequences(fetched)
    assert came == [one.sequence for one in meter.memory]


@given(st.lists(st.tuples(st.sampled_from(["measurement", "context", "control"]), st.binary(max_size=20)), max_size=20))
def test_whatever_a_meter_sends_a_fetch_goes_on_or_tells_why_not(events: list[tuple[str, bytes]]) -> None:
    fetch = GlucoseRecords(since=position(3))
    fetch.begin()
    for name, frame in events:
        try:
            getattr(fetch, name)(frame)
        except DecodeError:
            continue
