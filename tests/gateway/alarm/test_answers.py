"""Lines of a modem: cut right however they come in, and noise is never more than noise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.gateway.alarm import answers
from kanhu.gateway.alarm.answers import PROMPT, Final, Lines, from_ucs2, text_sender

TALK = b'\r\nOK\r\n\r\n+CREG: 0,1\r\n\r\nOK\r\n\r\n> \r\n+CMGS: 12\r\n\r\n+CDSI: "SR",3\r\n'
LINES = ["OK", "+CREG: 0,1", "OK", PROMPT, "+CMGS: 12", '+CDSI: "SR",3']


@given(st.lists(st.integers(0, len(TALK)), max_size=12).map(sorted))
def test_lines_are_the_same_in_whatever_pieces_they_come(cuts: list[int]) -> None:
    lines, found = Lines(), []
    for first, last in zip([0, *cuts], [*cuts, len(TALK)], strict=True):
        found += lines.feed(TALK[first:last])
    assert found == LINES


@given(st.lists(st.binary(max_size=200), max_size=30))
def test_any_bytes_are_lines_or_nothing(pieces: list[bytes]) -> None:
    lines = Lines()
    for line in (line for piece in pieces for line in lines.feed(piece)):
        assert line
        answers.final_of(line)
        answers.registration([line])
        answers.reference_of([line])
        answers.stored_report(line)
        answers.text_report(line)


def test_a_line_without_an_end_takes_no_more_room_than_a_line() -> None:
    lines = Lines()
    for _ in range(1000):
        assert lines.feed(b"x" * 1000) == []
    (line,) = lines.feed(b"\r")
    assert len(line) <= 4096


@given(st.text(max_size=60))
def test_any_text_behind_a_prefix_is_understood_or_not(text: str) -> None:
    for prefix in ("+CREG:", "+CMGS:", "+CDSI:", "+CDS:", "+CMS ERROR:", "+CME ERROR:"):
        line = f"{prefix} {text}"
        answers.final_of(line)
        answers.registration([line])
        reference = answers.reference_of([line])
        assert reference is None or 0 <= reference < 256
        answers.stored_report(line)
        report = answers.text_report(line)
        assert report is None or all(0 <= number < 256 for number in report)


@pytest.mark.parametrize(
    ("line", "final"),
    [
        ("OK", Final(ok=True)),
        ("ERROR", Final(ok=False, kind="error")),
        ("+CMS ERROR: 331", Final(ok=False, kind="cms", code=331)),
        ("+CME ERROR: SIM not inserted", Final(ok=False, kind="cme")),
        ("OK then", None),
    ],
)
def test_the_end_of_an_answer(line: str, final: Final | None) -> None:
    assert answers.final_of(line) == final


@pytest.mark.parametrize(
    ("line", "state", "registered"),
    [
        ("+CREG: 0,1", 1, True),
        ('+CREG: 2,5,"1A2B","00C3",7', 5, True),
        ("+CREG: 0,2", 2, False),
        ("+CREG: 1", None, False),
        ("+CREG: x,y", None, False),
    ],
)
def test_registration(line: str, state: int | None, *, registered: bool) -> None:
    assert answers.registration([line]) == state
    assert answers.is_registered(state) is registered


@pytest.mark.parametrize(
    ("line", "sender"),
    [
        ('+CMT: "002B0038003600310033",,"26/03/02,22:10:00+32"', "+8613"),
        ('+CMT: "+8613900000001","","26/03/02,22:10:00+32",145,4,0,8,"+86",145,1', "+8613900000001"),
        ('+CMT: "861390000000"', "861390000000"),  # twelve digits look like hex, and are no letters of a number
        ("+CMT: ,24", None),
        ('+CMT: ""', None),
    ],
)
def test_who_wrote_is_read_in_text_mode_as_hex_or_as_it_is(line: str, sender: str | None) -> None:
    assert text_sender(line) == sender


@pytest.mark.parametrize(
    ("said", "text"), [("0031", "1"), ("1", "1"), ("", ""), ("4F60597D", "你好"), ("D800", "\ufffd"), ("12 4", "12 4")]
)
def test_a_text_is_read_as_hex_or_as_it_is(said: str, text: str) -> None:
    assert from_ucs2(said) == text
