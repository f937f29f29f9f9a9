"""Readers of barcodes and identity cards: numbers, what is refused, what stays secret, and the stream."""

import traceback
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.scanner import MOST_CHARACTERS, ResidentIdentity, ScannedCard, decode_scan
from kanhu.edge.codecs.scanner_frames import ScannerFraming
from kanhu.edge.errors import DecodeError, DecodeReason

_EXAMPLE = "11010519491231002X"  # the example of GB 11643-1999 itself


def numbered(place: int, born: str, order: int) -> str:
    """By the standard's other definition: the number read in base 2 modulo 11 leaves 1."""
    body = f"{place:06d}{born}{order:03d}"
    rest = 0
    for digit in body:
        rest = (rest + int(digit)) * 2 % 11
    check = (1 - rest) % 11
    return body + ("X" if check == 10 else str(check))


_identities = st.builds(
    numbered,
    st.integers(110_000, 829_999),
    st.dates(date(1900, 1, 1), date(2099, 12, 31)).map(lambda day: day.strftime("%Y%m%d")),
    st.integers(0, 999),
)


def reason_of(line: bytes) -> DecodeReason:
    with pytest.raises(DecodeError) as refused:
        decode_scan(line)
    return refused.value.reason


def test_the_example_of_the_standard_is_read_whatever_ends_its_line() -> None:
    for line in (_EXAMPLE, f"{_EXAMPLE}\r\n", f"\x02{_EXAMPLE}\x03", _EXAMPLE.lower()):
        identity = decode_scan(line.encode())
        assert identity == ResidentIdentity(_EXAMPLE, date(1949, 12, 31))


@given(_identities)
def test_numbers_made_by_the_standard_are_read_back(number: str) -> None:
    born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    assert decode_scan(number.encode()) == ResidentIdentity(number, born)


@given(_identities, st.integers(0, 17), st.integers(1, 9))
def test_one_digit_misread_is_another_person_and_is_refused(number: str, place: int, by: int) -> None:
    digit = number[place]
    other = str((int(digit) + by) % 10) if digit != "X" else str(by)
    assert reason_of((number[:place] + other + number[place + 1 :]).encode()) is DecodeReason.CHECKSUM_WRONG


@given(_identities, st.integers(0, 15))
def test_two_digits_changed_round_are_refused(number: str, place: int) -> None:
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if swapped != number:
        assert reason_of(swapped.encode()) is DecodeReason.CHECKSUM_WRONG


@pytest.mark.parametrize("born", ["19490230", "19491301", "18991231", "00000101", "19490000"])
def test_a_right_checksum_does_not_make_a_day_of_birth(born: str) -> None:
    assert reason_of(numbered(110_105, born, 2).encode()) is DecodeReason.RESERVED_VALUE


def test_no_place_begins_with_0() -> None:
    assert reason_of(numbered(10_105, "19491231", 2).encode()) is DecodeReason.RESERVED_VALUE


def test_a_birth_to_come_or_too_long_ago_is_not_plausible() -> None:
    identity = decode_scan(_EXAMPLE.encode())
    assert isinstance(identity, ResidentIdentity)
    assert identity.plausible_on(date(1949, 12, 31))
    assert not identity.plausible_on(date(1949, 12, 30))
    assert identity.plausible_on(date(2072, 1, 1))
    assert not identity.plausible_on(date(2073, 1, 1))


@pytest.mark.parametrize("number", ["0123456789", "110105491231002", "A1B2-C3", "6222021234567890123", "{}!~"])
def test_any_other_number_is_a_card_and_stays_as_it_is(number: str) -> None:
    assert decode_scan(number.encode()) == ScannedCard(number)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", DecodeReason.SHORT),
        (b"\r\n", DecodeReason.SHORT),
        (b"123", DecodeReason.SHORT),
        (b"1" * (MOST_CHARACTERS + 1), DecodeReason.TOO_LONG),
        (b"12 34", DecodeReason.NOT_SYNCHRONISED),
        (b"12\n34", DecodeReason.NOT_SYNCHRONISED),
        (b"1234\xff", DecodeReason.NOT_SYNCHRONISED),
        ("\u0661234".encode(), DecodeReason.NOT_SYNCHRONISED),
    ],
)
def test_a_line_that_is_no_number_is_refused_by_name(line: bytes, reason: DecodeReason) -> None:
    assert reason_of(line) is reason


@given(st.binary(max_size=80))
def test_any_bytes_are_refused_or_decoded(line: bytes) -> None:
    with suppress(DecodeError):
        decode_scan(line)


@pytest.mark.parametrize(
    "number",
    [_EXAMPLE, "110105194912310021", numbered(110_105, "19491301", 2), "0123456789", "12345 6789", "9" * 70],
)
def test_a_number_is_in_no_error_and_no_repr(number: str) -> None:
    try:
        told = repr(decode_scan(number.encode()))
    except DecodeError as error:
        told = "".join(traceback.format_exception(error, limit=0))
    pieces = {number[at : at + 4] for at in range(len(number) - 3)}
    assert not [piece for piece in pieces if piece in told]


def cut(stream: bytes, step: int) -> tuple[list[bytes], int]:
    framing = ScannerFraming()
    found = [line for at in range(0, len(stream), step) for line in framing.feed(stream[at : at + step])]
    return found + framing.end(), framing.bad_bytes


@given(
    st.lists(_identities.map(str.encode), max_size=5),
    st.integers(1, 40),
    st.sampled_from([b"\r", b"\n", b"\r\n", b"\x03\x02"]),
)
def test_lines_in_any_pieces_and_with_any_end_are_the_same_lines(sent: list[bytes], step: int, end: bytes) -> None:
    assert cut(b"".join(line + end for line in sent), step) == (sent, 0)


def test_a_reader_that_ends_no_line_is_understood_when_it_pauses() -> None:
    framing = ScannerFraming()
    assert framing.feed(_EXAMPLE.encode()) == []
    assert framing.end() == [_EXAMPLE.encode()]
    assert framing.end() == []


@given(st.integers(1, 300), st.integers(1, 100))
def test_a_line_without_end_is_dropped_and_counted_and_the_next_is_read(more: int, step: int) -> None:
    found, bad_bytes = cut(b"7" * (MOST_CHARACTERS + more) + b"\r" + _EXAMPLE.encode() + b"\r", step)
    assert (found, bad_bytes) == ([_EXAMPLE.encode()], MOST_CHARACTERS + more)


@given(st.binary(max_size=400), st.integers(1, 50))
def test_every_byte_is_an_end_belongs_to_a_line_or_is_counted(stream: bytes, step: int) -> None:
    found, bad_bytes = cut(stream, step)
    ends = sum(byte in b"\r\n\x02\x03" for byte in stream)
    assert sum(map(len, found)) + bad_bytes + ends == len(stream)
    assert all(0 < len(line) <= MOST_CHARACTERS for line in found)
