"""The ASTM link: a session from the first byte to the last, each deviation of real analysers, and what is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.astm_link import (
    ACK,
    ENQ,
    EOT,
    ETB,
    MAX_FRAME_BYTES,
    MAX_MESSAGE_BYTES,
    NAK,
    Checksums,
    LinkState,
    Note,
    Numbers,
    Step,
    decode_astm_frame,
    fall_silent,
    join_astm_frames,
    receive,
    split_astm_capture,
    time_out,
)
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.astm_link import Analyser, astm_frame, astm_frames
from tests.edge.vectors import Vector, vectors

_ENQ, _EOT, _ACK, _NAK, _ETB = bytes([ENQ]), bytes([EOT]), bytes([ACK]), bytes([NAK]), bytes([ETB])
_RECORDS = [b"H|\\^&", b"P|1", b"R|1|^^^HbA1c|5.9|%", b"L|1|N"]
_TEXT = b"".join(record + b"\r" for record in _RECORDS)
_TEXTS = st.binary(min_size=1, max_size=600).map(lambda text: bytes(0x20 + octet % 0x5F for octet in text))


def run(*inputs: bytes, checksums: Checksums = Checksums.REQUIRED, numbers: Numbers = Numbers.COUNTED) -> Step:
    """All of a session, each input a chunk of its own; the last step with what came before it."""
    step = Step(LinkState(checksums, numbers))
    for data in inputs:
        more = receive(step.state, data)
        step = Step(more.state, step.reply + more.reply, step.messages + more.messages, step.notes + more.notes)
    return step


@pytest.mark.parametrize("vector", vectors("astm"), ids=lambda vector: vector.name)
def test_published_captures_have_their_frames_and_right_checksums(vector: Vector) -> None:
    frames = split_astm_capture(vector.frame)
    assert len(frames) == vector.expected["frames"]
    assert [frame.checksum_ok for frame in frames] == vector.expected["frame_checksums_ok"]


@pytest.mark.parametrize("vector", vectors("astm"), ids=lambda vector: vector.name)
def test_published_captures_pass_the_link_as_one_message(vector: Vector) -> None:
    counted = Numbers.UNRELIABLE if "H500" in vector.given["protocol"] else Numbers.COUNTED
    step = run(_ENQ, vector.frame, numbers=counted)
    silent = fall_silent(step.state)
    end = receive(silent.state, _EOT)
    assert step.messages + silent.messages + end.messages == (join_astm_frames(split_astm_capture(vector.frame)),)
    assert set(step.reply + silent.reply) == {ACK}


@given(st.lists(_TEXTS, max_size=12), st.integers(1, 240))
def test_a_simulated_session_arrives_whole_however_its_frames_are_cut(texts: list[bytes], size: int) -> None:
    records = [*(b"R" + text for text in texts), b"L|1|N"]
    analyser = Analyser(astm_frames(records, text_bytes=size))
    step = receive(LinkState(), analyser.begin())
    messages: tuple[bytes, ...] = ()
    while step.reply == _ACK:
        step = receive(step.state, analyser.hear(step.reply))
        messages += step.messages
        assert Note.NUMBER_SKIPPED not in step.notes
        assert step.bad_bytes == 0
    assert messages == (b"".join(text + b"\r" for text in records),)
    assert step.state == LinkState()


@given(st.lists(st.booleans(), max_size=40), st.data())
def test_a_line_that_spoils_frames_and_loses_answers_adds_and_drops_nothing(
    faults: list[bool], data: st.DataObject
) -> None:
    """Every spoiled frame is refused and sent again; every lost ACK brings a repeat, which is folded."""
    analyser = Analyser(astm_frames(_RECORDS))
    step = receive(LinkState(), analyser.begin())
    sent = analyser.hear(step.reply)
    messages: tuple[bytes, ...] = ()
    in_a_row = 0
    while True:
        faulty = bool(faults) and faults.pop() and in_a_row < 4 and sent != _EOT
        in_a_row = in_a_row + 1 if faulty else 0
        spoil = faulty and data.draw(st.booleans())
        heard = sent[:2] + bytes([sent[2] ^ 1]) + sent[3:] if spoil else sent
        step = receive(step.state, heard)
        messages += step.messages
        if sent == _EOT:
            break
        assert step.reply == (_NAK if spoil else _ACK)
        assert step.bad_bytes == (len(heard) if spoil else 0)
        sent = analyser.hear(None if faulty and not spoil else step.reply)
    assert messages == (_TEXT,)
    assert not analyser.gave_up


@given(st.lists(st.integers(1, 40), min_size=1))
def test_chunks_of_any_size_make_no_difference(sizes: list[int]) -> None:
    session = _ENQ + b"".join(astm_frames(_RECORDS)) + _EOT
    chunks: list[bytes] = []
    rest = session
    for size in sizes:
        chunks.append(rest[:size])
        rest = rest[size:]
    assert run(*chunks, rest) == run(session)
    assert run(session).messages == (_TEXT,)


@given(st.lists(st.one_of(st.binary(max_size=80), st.sampled_from([_ENQ, _EOT, *astm_frames(_RECORDS)])), max_size=30))
def test_any_bytes_lead_to_a_state_and_to_no_error(inputs: list[bytes]) -> None:
    state = LinkState()
    for data in inputs:
        step = receive(state, data)
        assert set(step.reply) <= {ACK, NAK}
        state = fall_silent(step.state).state
        assert not state.buffer


@given(st.binary(max_size=300))
def test_any_bytes_are_frames_or_are_refused(data: bytes) -> None:
    for decode in (decode_astm_frame, split_astm_capture):
        with suppress(DecodeError):
            decode(data)


@given(st.sampled_from(astm_frames(_RECORDS)), st.integers(0, 400))
def test_a_frame_with_one_bit_flipped_is_never_taken(frame: bytes, place: int) -> None:
    at, bit = divmod(place % ((len(frame) - 2) * 8), 8)
    flipped = frame[:at] + bytes([frame[at] ^ 1 << bit]) + frame[at + 1 :]
    step = run(_ENQ, flipped)
    silent = fall_silent(step.state)
    taken = step.state.text + silent.state.text
    same_digits = frame[-4:-2].lower() == flipped[-4:-2].lower()  # a letter of the checksum in lower case
    assert taken == b"" or (same_digits and flipped[:-4] == frame[:-4])


@given(st.sampled_from(astm_frames(_RECORDS)), st.integers(0, 30))
def test_a_frame_cut_off_is_never_taken(frame: bytes, kept: int) -> None:
    cut = frame[: min(kept, len(frame) - 3)]
    assert fall_silent(run(_ENQ, cut).state).state.text == b""


def test_a_checksum_in_lower_case_is_right() -> None:
    frame = astm_frame(1, b"L|1|N\r ")
    assert frame[-4:-2].isupper() or frame[-4:-2].isdigit()
    upper = next(one for number in range(64) if (one := astm_frame(1, b"L" * (number + 1)))[-4:-2].isalpha())
    assert decode_astm_frame(upper[:-4] + upper[-4:-2].lower() + b"\r\n").checksum_ok


def test_frames_longer_than_the_standard_are_taken_and_noted() -> None:
    step = run(_ENQ, astm_frame(1, b"R" * 5000 + b"\rL|1|N\r"), _EOT)
    assert step.notes == (Note.LONG_FRAME,)
    assert step.messages[0].startswith(b"RRR")


def test_a_frame_is_answered_after_a_silence_where_its_line_end_is_missing() -> None:
    frame = astm_frame(1, b"L|1|N\r")
    for ending in (b"", b"\r"):
        step = run(_ENQ, frame[:-2] + ending)
        assert step.reply == _ACK, "only the enquiry was answered yet"
        silent = fall_silent(step.state)
        assert (silent.reply, silent.notes) == (_ACK, (Note.NO_LINE_END,))


def test_a_frame_that_ends_with_lf_alone_is_answered_at_once() -> None:
    frame = astm_frame(1, b"L|1|N\r")
    step = run(_ENQ, frame[:-2] + b"\n")
    assert (step.reply, step.notes) == (_ACK * 2, (Note.NO_LINE_END,))


def test_a_missing_checksum_is_refused_unless_the_analyser_is_known_for_it() -> None:
    bare = astm_frame(1, b"L|1|N\r")[:-4]
    for ending in (b"", b"\r\n"):
        strict = run(_ENQ, bare + ending)
        refused = fall_silent(strict.state)
        assert (strict.reply + refused.reply, strict.notes + refused.notes) == (_ACK + _NAK, (Note.NO_CHECKSUM,))
        lenient = run(_ENQ, bare + ending, checksums=Checksums.MAY_BE_MISSING)
        taken = fall_silent(lenient.state)
        assert lenient.reply + taken.reply == _ACK * 2
        assert Note.NO_CHECKSUM in lenient.notes + taken.notes
        assert lenient.messages + taken.messages == (b"L|1|N\r",)


def test_a_wrong_checksum_is_refused_even_where_none_is_required() -> None:
    frame = astm_frame(1, b"L|1|N\r")
    wrong = frame[:-4] + (b"00" if frame[-4:-2] != b"00" else b"01") + b"\r\n"
    step = run(_ENQ, wrong, checksums=Checksums.MAY_BE_MISSING)
    assert (step.reply, step.notes) == (_ACK + _NAK, (Note.CHECKSUM_WRONG,))


def test_a_session_may_begin_with_any_number_and_no_frame_may_be_skipped() -> None:
    begun = run(_ENQ, astm_frame(5, b"H|\\^&\r"))
    assert begun.notes == (Note.FIRST_NUMBER,)
    assert receive(begun.state, astm_frame(6, b"P|1\r")).reply == _ACK
    skipped = receive(begun.state, astm_frame(7, b"P|1\r"))
    assert (skipped.reply, skipped.notes) == (_NAK, (Note.NUMBER_SKIPPED,))


def test_an_analyser_that_does_not_count_is_taken_as_it_counts_where_that_is_known() -> None:
    frames = [astm_frame(5, b"H|\\^&\r"), astm_frame(1, b"M|1\r"), astm_frame(1, b"M|2\r"), astm_frame(4, b"L|1|N\r")]
    step = run(_ENQ, *frames, frames[-1], _EOT, numbers=Numbers.UNRELIABLE)
    assert step.messages == (b"H|\\^&\rM|1\rM|2\rL|1|N\r",)
    assert step.notes == (
        Note.FIRST_NUMBER, Note.NUMBER_SKIPPED, Note.SAME_NUMBER, Note.NUMBER_SKIPPED, Note.REPEATED,
    )  # fmt: skip  # in the order of the frames
    assert step.state.numbers is Numbers.UNRELIABLE


def test_numbers_go_from_seven_to_zero() -> None:
    step = run(_ENQ, astm_frame(7, b"H|\\^&\r"))
    assert receive(step.state, astm_frame(0, b"L|1|N\r")).notes == ()


def test_a_repeat_is_folded_and_other_content_under_the_same_number_is_kept() -> None:
    step = run(_ENQ, astm_frame(1, b"R|1\r"), astm_frame(1, b"R|1\r"))
    assert (step.state.text, step.notes) == (b"R|1\r", (Note.REPEATED,))
    other = receive(step.state, astm_frame(1, b"R|2\r"))
    assert (other.reply, other.state.text, other.notes) == (_ACK, b"R|1\rR|2\r", (Note.SAME_NUMBER,))


def test_a_frame_without_enquiry_is_taken_and_noted() -> None:
    step = run(astm_frame(1, b"L|1|N\r"), _EOT)
    assert (step.messages, step.notes) == ((b"L|1|N\r",), (Note.NO_ENQUIRY,))


def test_an_enquiry_within_a_message_begins_anew_and_the_half_message_is_gone() -> None:
    half = run(_ENQ, astm_frame(1, b"R|1|^^^Glu|9\r"))
    again = receive(half.state, _ENQ)
    assert (again.reply, again.notes) == (_ACK, (Note.MESSAGE_DROPPED,))
    end = receive(again.state, b"".join(astm_frames(_RECORDS)) + _EOT)
    assert end.messages == (_TEXT,)


def test_a_transfer_given_up_is_no_message() -> None:
    frames = astm_frames(_RECORDS)
    step = run(_ENQ, *frames[:-1], _EOT)
    assert (step.messages, step.notes) == ((), (Note.MESSAGE_DROPPED,))


def test_an_analyser_that_is_always_refused_gives_up_after_six_times() -> None:
    analyser = Analyser(astm_frames(_RECORDS))
    analyser.begin()
    sent = [analyser.hear(_ACK)]
    sent += [analyser.hear(_NAK) for _ in range(6)]
    assert sent == [sent[0]] * 6 + [_EOT]
    assert analyser.gave_up


def test_time_out_drops_a_half_message_and_keeps_a_whole_one() -> None:
    frames = astm_frames(_RECORDS)
    half = time_out(run(_ENQ, *frames[:-1]).state)
    assert (half.messages, half.notes, half.state) == ((), (Note.MESSAGE_DROPPED,), LinkState())
    whole = time_out(run(_ENQ, *frames[:-1], astm_frame(4, b"L|1|N", _ETB)).state)
    assert (whole.messages, whole.notes, whole.state) == ((_TEXT.removesuffix(b"\r"),), (Note.NO_END,), LinkState())
    assert time_out(run(_ENQ).state) == Step(LinkState())


@pytest.mark.parametrize("end", [b"\x03", _ETB])
def test_a_message_is_handed_on_with_the_frame_that_ends_it_because_the_ack_lets_the_analyser_forget(
    end: bytes,
) -> None:
    begun = run(_ENQ, *astm_frames(_RECORDS)[:-1])
    assert begun.messages == ()
    last = receive(begun.state, astm_frame(4, b"L|1|N\r", end))
    assert (last.reply, last.messages) == (_ACK, (_TEXT,))
    again = receive(last.state, astm_frame(4, b"L|1|N\r", end))
    assert (again.reply, again.messages, again.notes) == (_ACK, (), (Note.REPEATED,))
    assert receive(again.state, _EOT) == Step(LinkState())


def test_a_last_record_in_two_frames_is_one_end() -> None:
    begun = run(_ENQ, *astm_frames(_RECORDS)[:-1], astm_frame(4, b"L|1", _ETB))
    assert begun.messages == ()
    assert receive(begun.state, astm_frame(5, b"|N\r")).messages == (_TEXT,)


def test_two_messages_in_one_session_are_two() -> None:
    records = [*_RECORDS, *_RECORDS]
    assert run(_ENQ, *astm_frames(records), _EOT).messages == (_TEXT, _TEXT)


def test_bytes_of_refused_frames_and_between_frames_are_counted() -> None:
    frame = astm_frame(1, b"L|1|N\r")
    wrong = frame[:3] + b"?" + frame[4:]
    step = receive(LinkState(), b"noise" + _ENQ + wrong + b"\r\n!!" + frame + b"\r\n" + _EOT)
    assert step.bad_bytes == len(b"noise") + len(wrong) + len(b"!!")


def test_time_out_within_a_frame_drops_what_came() -> None:
    whole_and_more = run(_ENQ, *astm_frames(_RECORDS), b"\x025R|2")
    assert time_out(whole_and_more.state).notes == (Note.MESSAGE_DROPPED,)


def test_time_out_keeps_the_rule_for_checksums() -> None:
    assert time_out(LinkState(Checksums.MAY_BE_MISSING)).state == LinkState(Checksums.MAY_BE_MISSING)


def test_a_frame_broken_off_by_the_next_is_refused_and_the_next_is_read() -> None:
    step = run(_ENQ, b"\x021H|\\^&" + astm_frame(1, b"L|1|N\r"))
    assert (step.reply, step.notes) == (_ACK + _NAK + _ACK, (Note.BROKEN_FRAME,))


def test_end_of_transmission_within_a_frame_ends_the_session() -> None:
    step = run(_ENQ, astm_frame(1, b"R|1\r"), b"\x022R|2" + _EOT)
    assert step.state == LinkState()
    assert step.notes == (Note.BROKEN_FRAME, Note.MESSAGE_DROPPED)


def test_an_endless_frame_and_an_endless_message_are_refused_and_forgotten() -> None:
    step = run(_ENQ, b"\x021" + b"R" * MAX_FRAME_BYTES)
    assert (step.state.buffer, step.notes) == (b"", (Note.BROKEN_FRAME,))
    state = run(_ENQ).state
    notes: tuple[Note, ...] = ()
    for number in range(1, MAX_MESSAGE_BYTES // 60_000 + 2):
        more = receive(state, astm_frame(number, b"R" * 60_000))
        state, notes = more.state, more.notes
    assert (notes, state) == ((Note.MESSAGE_DROPPED,), LinkState())


def test_noise_between_frames_is_passed_over() -> None:
    first, *others = astm_frames(_RECORDS)
    assert run(b"\x00\xff", _ENQ, first, b"\r\n noise \x06", *others, _EOT).messages == (_TEXT,)


def test_a_record_in_pieces_is_joined_and_etx_ends_a_record_without_cr() -> None:
    step = run(_ENQ, astm_frame(1, b"R|1|^^^Hb", _ETB), astm_frame(2, b"A1c|5.9"), astm_frame(3, b"L|1|N"), _EOT)
    assert step.messages == (b"R|1|^^^HbA1c|5.9\rL|1|N\r",)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"", DecodeReason.NOT_SYNCHRONISED),
        (b"1L\x0300", DecodeReason.NOT_SYNCHRONISED),
        (b"\x02", DecodeReason.SHORT),
        (b"\x021L|1|N", DecodeReason.SHORT),
        (b"\x02\x0300", DecodeReason.RESERVED_VALUE),
        (b"\x028L\x0300", DecodeReason.RESERVED_VALUE),
        (b"\x021" + b"L" * MAX_FRAME_BYTES, DecodeReason.TOO_LONG),
    ],
)
def test_what_is_no_frame_is_refused_with_its_reason(frame: bytes, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_astm_frame(frame)
    assert caught.value.reason is reason
