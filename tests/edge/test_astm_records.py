"""ASTM records: published messages, escapes and delimiters, what is nobody's blood, and whose name is never kept."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import Quality, QualityLevel, QualityReason
from kanhu.edge.codecs.astm_fields import decode_delimiters, local_ms, number_in
from kanhu.edge.codecs.astm_link import join_astm_frames, split_astm_capture
from kanhu.edge.codecs.astm_records import AstmMessage, AstmResult, decode_astm, observe_astm
from kanhu.edge.codecs.glucose import Beyond
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.astm_link import astm_frames
from kanhu.firmware_sim.wire.astm_records import SentResult, astm_message
from tests.edge.readings import RESIDENT, TIMES
from tests.edge.vectors import Vector, vectors

_TIME = "20241206140615"
_TIME_MS = int(datetime(2024, 12, 6, 14, 6, 15, tzinfo=UTC).timestamp()) * 1000
_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)


def one(text: bytes) -> AstmMessage:
    (message,) = decode_astm(text)
    return message


def result(record: str, *, header: str = "H|\\^&", order: str = "O|1|S7") -> AstmResult:
    (found,) = one(f"{header}\rP|1\r{order}\r{record}\rL|1|N\r".encode()).results
    return found


def glucose(value: str = "5.5", unit: str = "mmol/L", flag: str = "", status: str = "F") -> AstmResult:
    return result(f"R|1|^^^GLU^15074-8|{value}|{unit}||{flag}||{status}||||{_TIME}")


def message_of(vector: Vector) -> AstmMessage:
    return one(join_astm_frames(split_astm_capture(vector.frame)))


def reason_of(found: AstmResult) -> DecodeReason:
    with pytest.raises(DecodeError) as caught:
        observe_astm(found, subject=RESIDENT, device="analyser", times=TIMES)
    return caught.value.reason


@pytest.mark.parametrize("vector", vectors("astm"), ids=lambda vector: vector.name)
def test_published_messages_tell_their_results(vector: Vector) -> None:
    message = message_of(vector)
    told = [
        {
            "test": one.test, "value": one.value_text, "unit": one.unit, "flag": one.flag_text,
            "completed": one.completed_at or one.started_at,
        }
        for one in message.results
    ]  # fmt: skip  # fields by rows
    assert told == vector.expected["results"]
    assert [one.value for one in message.results] == [Decimal(one["value"]) for one in vector.expected["results"]]
    assert message.complete
    assert message.termination == "N"


def test_the_published_control_blood_is_nobodys_and_the_published_patients_are_somebodys() -> None:
    by_maker = {vector.given["protocol"].rsplit(": ", 1)[-1][:5]: message_of(vector) for vector in vectors("astm")}
    assert {maker: {one.is_control for one in message.results} for maker, message in by_maker.items()} == {
        "Abbot": {False}, "Horib": {True}, "Roche": {False}, "Sieme": {False},
    }  # fmt: skip  # makers in one row


def test_the_alarms_of_the_published_cobas_stand_at_their_results() -> None:
    (vector,) = (one for one in vectors("astm") if "c311" in one.given["protocol"])
    assert [one.alarms for one in message_of(vector).results] == [("43",), (), (), (), (), (), ("43",)]


@given(
    st.lists(st.tuples(_TEXTS, st.decimals(-10_000, 10_000, places=3), _TEXTS), max_size=5),
    _TEXTS,
    st.integers(20, 240),
)
def test_a_simulated_message_is_read_back(sent: list[tuple[str, Decimal, str]], specimen: str, size: int) -> None:
    records = astm_message(
        [SentResult(name, f"{value}", unit, "H", "F", _TIME) for name, value, unit in sent], specimen=specimen
    )
    message = one(join_astm_frames(split_astm_capture(b"".join(astm_frames(records, text_bytes=size)))))
    assert [(one.code, one.value, one.unit, one.flags, one.measured_at_ms) for one in message.results] == [
        (name, value, unit, ("H",), _TIME_MS) for name, value, unit in sent
    ]
    assert [order.specimen_id for order in message.orders] == [specimen]


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(start: bytes, rest: bytes) -> None:
    for text in (start, b"H|\\^&" + start, b"H|\\^&\r" + start + b"\rR|1|" + rest, start + b"H" + rest):
        with suppress(DecodeError):
            for message in decode_astm(text):
                for found in message.results:
                    assert isinstance(found.is_control, bool)
                    assert found.measured_at_ms is None or isinstance(found.measured_at_ms, int)
                    with suppress(DecodeError):
                        observe_astm(found, subject=RESIDENT, device="analyser", times=TIMES)


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_a_flipped_bit_or_a_cut_leads_to_a_record_or_a_refusal(place: int, bit: int) -> None:
    text = b"\r".join(astm_message([SentResult("GLU^15074-8", "5.5", "mmol/L", "", "F", _TIME)], specimen="S7"))
    at = place % len(text)
    for hostile in (text[:at], text[:at] + bytes([text[at] ^ 1 << bit]) + text[at + 1 :]):
        with suppress(DecodeError):
            for message in decode_astm(hostile):
                assert len(message.results) <= 2, "one bit makes an R of a P"


def test_names_birth_dates_operators_and_free_comments_are_kept_nowhere() -> None:
    records = astm_message(
        [SentResult("HbA1c", "5.9", "%", completed=_TIME)],
        specimen="S7", patient_id="B24", patient_name="Wang^Guiying", born="19430517", operator="LiNa",
    )  # fmt: skip  # fields by rows
    secret = [b"C|1|I|Notes^^Wang Guiying|I", b"C|2|L|Wang|I", b"C|3|I|Wang|G", b"C|4|I|Wang Guiying|I"]
    message = one(b"\r".join([*records[:-1], *secret, records[-1]]))
    assert message.results[0].patient_ids == ("B24",)
    for word in ("Wang", "Guiying", "1943", "LiNa"):
        assert word not in repr(message)


def test_an_error_holds_nothing_of_a_record() -> None:
    for text in (b"P|1|||Wang^Guiying", b"H|||Wang", b"H|\\", b"HWangX"):
        with pytest.raises(DecodeError) as caught:
            decode_astm(text)
        assert "Wang" not in str(caught.value)


def test_a_header_names_other_delimiters_and_they_hold() -> None:
    text = (
        b"H|@^\\|URM-1||G^GeneXpert^4.8|||||L||P|1394-97|20250516125515\rO|1|PR25\rR|1|^MTB^^Xpert^^^SPC^Ct|^24.7|||\r"
    )
    message = one(text)
    (found,) = message.results
    assert message.header.sender == ("G", "GeneXpert", "4.8")
    assert (found.value, found.value_text, found.code) == (Decimal("24.7"), "^24.7", "Xpert")
    assert (message.header.processing, message.complete) == ("P", False)


def test_escapes_are_resolved_after_the_fields_are_parted() -> None:
    delimiters = decode_delimiters("H|\\^&")
    assert delimiters.plain("a&F&b&S&c&R&d&E&e") == "a|b^c\\d&e"
    assert delimiters.plain("10&X5E&9/L") == "10^9/L"
    assert delimiters.plain("&H&high&N& &Zmaker&") == "high "
    assert delimiters.plain("&Q&") == "&Q&"
    assert delimiters.plain("&X5&") == "&X5&"
    assert delimiters.plain("R & D") == "R & D"
    assert result("R|1|^^^WBC|8.3|10&S&9/L").unit == "10^9/L"


def test_repeated_and_composed_flags_are_each_told() -> None:
    assert result("R|1|^^^X|1.2|mIU/mL||EXP^<\\H").flags == ("EXP", "<", "H")


@pytest.mark.parametrize(
    ("text", "comparison", "value"),
    [
        ("5.9", None, "5.9"),
        ("<5.6", "<", "5.6"),
        ("> 15.0", ">", "15.0"),
        (">=3", ">=", "3"),
        ("-21", None, "-21"),
        (" .5 ", None, "0.5"),
    ],
)
def test_numbers_keep_their_digits_and_their_comparison(text: str, comparison: str | None, value: str) -> None:
    found = result(f"R|1|^^^ACR|{text}|mg/g")
    assert (found.comparison, found.value) == (comparison, Decimal(value))
    assert str(found.value) == value


@pytest.mark.parametrize("text", ["--- ", "NEGATIVE", "1:80", "5,9", "", "1e5", "NaN", "Infinity", "٣", "5.9.1"])
def test_what_is_no_number_stays_text(text: str) -> None:
    found = result(f"R|1|^^^ACR|{text}|mg/g")
    assert found.value is None
    assert found.value_text == text


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("20241206140615", datetime(2024, 12, 6, 14, 6, 15, tzinfo=UTC)),
        ("202412061406", datetime(2024, 12, 6, 14, 6, tzinfo=UTC)),
        ("20241206", datetime(2024, 12, 6, tzinfo=UTC)),
    ],
)
def test_times_are_read_at_the_length_they_have(text: str, moment: datetime) -> None:
    assert local_ms(text) == int(moment.timestamp()) * 1000


@pytest.mark.parametrize("text", [None, "", "20241306", "00000000", "2024120614", "20240230000000", "yesterday"])
def test_what_is_no_moment_is_none(text: str | None) -> None:
    assert local_ms(text) is None


def test_the_time_of_start_stands_where_no_completion_was_sent() -> None:
    assert result(f"R|1|^^^Alb|63.7|mg/L||||F|||{_TIME}").measured_at_ms == _TIME_MS


@pytest.mark.parametrize(
    ("header", "order"),
    [
        ("H|\\^&|||A|||||||Q|1", "O|1|S7"),
        ("H|\\^&|||A|||||||T|1", "O|1|S7"),
        ("H|\\^&|||A|||||||D|1", "O|1|S7"),
        ("H|\\^&", "O|1|S7|||||||||Q"),
        ("H|\\^&", "O|1|S7|||||||||||||CTRL^^CTRL MEDIUM"),
        ("H|\\^&", "O|1|S7|||||||||||||^control"),
        ("H|\\^&", "O|1|QC-LEVEL1"),
    ],
)
def test_control_blood_training_and_service_never_become_an_observation(header: str, order: str) -> None:
    found = result("R|1|^^^GLU^15074-8|5.5|mmol/L||||F", header=header, order=order)
    assert found.is_control
    assert reason_of(found) is DecodeReason.NO_VALUE


@pytest.mark.parametrize("order", ["O|1|S7|||||||||N||||^C", "O|1|CONTROLLER", "O|1|S7|||||||||||||SC"])
def test_capillary_blood_and_words_that_only_begin_like_control_are_somebodys(order: str) -> None:
    assert not result("R|1|^^^HbA1c|5.9|%", order=order).is_control


def test_glucose_named_by_loinc_becomes_an_observation_with_the_analysers_time() -> None:
    found = observe_astm(glucose(), subject=RESIDENT, device="analyser", times=TIMES)
    assert (found.metric, found.value("glucose_capillary")) == ("glucose_capillary", Decimal("5.5"))
    assert (found.times.device_ms, found.quality) == (_TIME_MS, Quality())


def test_milligrams_are_converted_as_for_meters() -> None:
    found = observe_astm(glucose("90.08", "mg/dL"), subject=RESIDENT, device="analyser", times=TIMES)
    assert found.value("glucose_capillary") == Decimal(5)


@pytest.mark.parametrize(
    ("found", "reasons"),
    [
        (glucose("<1.1"), (QualityReason.BELOW_RANGE,)),
        (glucose("33.3", flag=">"), (QualityReason.ABOVE_RANGE,)),
        (glucose(status="W"), (QualityReason.QUESTIONED,)),
        (glucose(flag="!"), (QualityReason.QUESTIONED,)),
        (replace(glucose(), completed_at="20010101"), (QualityReason.DEVICE_CLOCK_UNSET,)),
        (replace(glucose(), completed_at=None), (QualityReason.DEVICE_CLOCK_UNSET,)),
    ],
)
def test_the_analysers_doubts_are_told(found: AstmResult, reasons: tuple[QualityReason, ...]) -> None:
    observed = observe_astm(found, subject=RESIDENT, device="analyser", times=TIMES)
    assert observed.quality == Quality(QualityLevel.OK, reasons)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (glucose("--- "), DecodeReason.NOT_A_NUMBER),
        (glucose(unit="g/L"), DecodeReason.RESERVED_VALUE),
        (glucose(unit=""), DecodeReason.RESERVED_VALUE),
        (glucose(status="X"), DecodeReason.NO_VALUE),
        (glucose(status="P"), DecodeReason.NO_VALUE),
        (glucose("<1.1", flag=">"), DecodeReason.NO_VALUE),
        (result("R|1|^^^HbA1c|5.9|%||||F"), DecodeReason.NO_VALUE),
        (result("R|1|^^^GLU|5.5|mmol/L||||F"), DecodeReason.NO_VALUE),
    ],
)
def test_what_is_no_measure_is_refused_with_its_reason(found: AstmResult, reason: DecodeReason) -> None:
    assert reason_of(found) is reason


@pytest.mark.parametrize(("text", "beyond"), [("<1", Beyond.BELOW), (">=9", Beyond.ABOVE), ("5", None)])
def test_a_bound_says_on_which_side_the_truth_lies(text: str, beyond: Beyond | None) -> None:
    assert glucose(text).beyond is beyond


def test_results_belong_to_the_order_and_the_patient_before_them() -> None:
    text = (
        b"H|\\^&\rP|1|A\rO|1|S1\rR|1|^^^K|4|mmol/L\rO|2|S2\rR|1|^^^K|5|mmol/L\r"
        b"P|2||B\rR|1|^^^K|6|mmol/L\rL|1|N\rH|\\^&\rQ|1|^S9||ALL\rL|1|F\r"
    )
    first, second = decode_astm(text)
    assert [(one.order.specimen_id if one.order else None, one.patient_ids) for one in first.results] == [
        ("S1", ("A",)), ("S2", ("A",)), (None, ("B",)),
    ]  # fmt: skip  # results by rows
    assert (second.requests, second.results, second.termination) == (("^S9",), (), "F")


def test_small_letters_padding_line_feeds_and_unknown_records_are_passed_over() -> None:
    message = one(b"\0 h|\\^&\r\nZ|1|?\r\n\r\nr|1|^^^K|4.1|mmol/L\r\nl|1\r\n")
    assert [one.value for one in message.results] == [Decimal("4.1")]
    assert (message.complete, message.termination) == (True, None)


def test_bytes_that_are_no_utf_8_do_not_lose_a_result() -> None:
    assert one(b"H|\\^&\rR|1|^^^B|4.1|\xb5mol/L\r").results[0].unit == "µmol/L"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", DecodeReason.NOT_SYNCHRONISED),
        (b"R|1|^^^K|4", DecodeReason.NOT_SYNCHRONISED),
        (b"H|\\^", DecodeReason.SHORT),
        (b"H", DecodeReason.SHORT),
        (b"H||^&", DecodeReason.SHORT),
        (b"H|\\\\^&|||XN-550", DecodeReason.RESERVED_VALUE),
        (b"Habcd", DecodeReason.RESERVED_VALUE),
        (b"H|\\^&\r" + b"C\r" * 10_000, DecodeReason.TOO_LONG),
        (b"H|\\^&\r" + b"C" * 1_048_576, DecodeReason.TOO_LONG),
    ],
)
def test_what_is_no_message_is_refused_with_its_reason(text: bytes, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_astm(text)
    assert caught.value.reason is reason


def test_a_number_without_digits_is_none() -> None:
    assert number_in(".") is None
    assert number_in("<") is None
