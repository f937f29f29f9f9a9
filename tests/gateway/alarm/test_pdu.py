"""Units of short messages: published vectors, hostile bytes, and the independent network of the simulator."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.firmware_sim.modem.units import make_status_report, read_submit
from kanhu.gateway.alarm.errors import PduRefused
from kanhu.gateway.alarm.pdu import (
    Deliver,
    Delivery,
    StatusReport,
    decode_incoming,
    encode_submit,
    numbered_parts,
    pack_septets,
    parts_of,
    septets_of,
    text_of,
    unpack_septets,
)

# SMS-SUBMIT and SMS-DELIVER of "hellohello": the worked examples of "SMS messages and the PDU format"
# (turbocontrol.com, subnets.ru), repeated in the tests of many libraries.
SUBMIT = "0011000B916407281553F80000AA0AE8329BFD4697D9EC37"
DELIVER = "07917283010010F5040BC87238880900F10000993092516195800AE8329BFD4697D9EC37"


def test_the_published_submit_is_written_byte_for_byte() -> None:
    (unit,) = encode_submit("+46708251358", "hellohello", report=False, validity=0xAA)
    assert unit.unit.hex().upper() == SUBMIT
    assert unit.length == 23


def test_the_published_deliver_is_read() -> None:
    assert decode_incoming(bytes.fromhex(DELIVER)) == Deliver("27838890001", "hellohello")


@pytest.mark.parametrize(
    ("number", "field"),
    [  # address fields of faucamp/python-gsmmodem, test/test_pdu.py
        ("+9876543210", "0A918967452301"),
        ("+987654321", "099189674523F1"),
        ("+27829135934", "0B917228195339F4"),
    ],
)
def test_published_addresses(number: str, field: str) -> None:
    (unit,) = encode_submit(number, "x")
    assert unit.unit[3 : 3 + len(field) // 2].hex().upper() == field


@pytest.mark.parametrize(("text", "octets"), [("あ叶葉", "304253F68449"), ("はい", "306F3044")])
def test_published_ucs2(text: str, octets: str) -> None:
    (unit,) = encode_submit("+8613800000000", text)
    assert unit.unit.hex().upper().endswith(f"{len(octets) // 2:02X}{octets}")


def test_a_report_is_asked_for_and_a_long_text_says_which_part_is_which() -> None:
    units = encode_submit("+8613800000000", "求" * 71, reference=0x17)
    assert [unit.unit[1] for unit in units] == [0x71, 0x71]
    assert b"\x05\x00\x03\x17\x02\x01" in units[0].unit
    assert b"\x05\x00\x03\x17\x02\x02" in units[1].unit


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("求" * 70, [70]),
        ("求" * 71, [67, 4]),
        ("x" * 160, [160]),
        ("x" * 161, [153, 8]),
        ("€" * 80, [80]),
        ("€" * 81, [76, 5]),
        ("x" * 152 + "€" + "x" * 20, [152, 21]),
        ("😀" * 36, [33, 3]),
        ("", [0]),
    ],
)
def test_a_text_is_cut_where_it_has_to_be_and_never_within_a_letter(text: str, parts: list[int]) -> None:
    cut = parts_of(text)
    assert [len(part) for part in cut] == parts
    assert "".join(cut) == text


def test_parts_that_stand_alone_are_numbered() -> None:
    parts = numbered_parts("求" * 100)
    assert [part[:4] for part in parts] == ["1/2 ", "2/2 "]
    assert all(len(part) <= 70 for part in parts)


@given(st.text(alphabet=st.sampled_from("abcXYZ @£€[]{}^~|\\Δ\n0189"), max_size=400))
def test_the_network_reads_what_was_written_in_seven_bits(text: str) -> None:
    units = encode_submit("+8613912345678", text, reference=7)
    read = [read_submit(unit.unit, told_length=unit.length) for unit in units]
    assert "".join(part.text for part in read) == text
    assert {(part.number, part.coding, part.wants_report) for part in read} == {("+8613912345678", "gsm7", True)}
    assert [part.part for part in read] == list(range(1, len(units) + 1))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300), st.integers(0, 255))
def test_the_network_reads_any_text(text: str, reference: int) -> None:
    units = encode_submit("10086", text, reference=reference)
    read = [read_submit(unit.unit, told_length=unit.length) for unit in units]
    assert "".join(part.text for part in read) == text
    assert all(unit.length <= 164 for unit in units), "one unit fits into a modem's buffer"
    assert {part.number for part in read} == {"10086"}
    assert len(units) == 1 or {part.group for part in read} == {reference}


@pytest.mark.parametrize(
    ("status", "delivery"),
    [(0x00, Delivery.DELIVERED), (0x02, Delivery.DELIVERED), (0x20, Delivery.STILL_TRYING),
     (0x30, Delivery.STILL_TRYING), (0x46, Delivery.FAILED), (0x60, Delivery.FAILED), (0xFF, Delivery.FAILED)],
)  # fmt: skip  # a table reads by rows
@pytest.mark.parametrize("number", ["+8613912345678", "10086"])
def test_a_report_of_the_network_is_read(number: str, status: int, delivery: Delivery) -> None:
    unit = make_status_report(number, reference=200, status=status, at=datetime(2026, 3, 2, 22, 10, tzinfo=UTC))
    report = decode_incoming(unit)
    assert isinstance(report, StatusReport)
    assert (report.reference, report.delivery) == (200, delivery)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(unit: bytes) -> None:
    with suppress(PduRefused):
        decode_incoming(unit)


@given(st.integers(0, len(DELIVER) // 2 - 1))
def test_a_unit_that_ends_early_is_refused(length: int) -> None:
    with pytest.raises(PduRefused):
        decode_incoming(bytes.fromhex(DELIVER)[:length])


@given(st.binary(max_size=160).map(lambda data: bytes(octet & 0x7F for octet in data)), st.integers(0, 6))
def test_septets_are_unpacked_as_they_were_packed(septets: bytes, fill: int) -> None:
    assert unpack_septets(pack_septets(septets, fill=fill), len(septets), fill=fill) == septets


def test_letters_that_the_alphabet_does_not_have_and_wrong_numbers_are_refused() -> None:
    with pytest.raises(PduRefused):
        septets_of("求")
    assert text_of(b"\x1b\x1b\x1b") == "  "
    for number in ("", "12a", "+", "1" * 21, "١٢٣"):
        if number:
            with pytest.raises(PduRefused):
                encode_submit(number, "x")
    with pytest.raises(PduRefused):
        encode_submit("1", "求" * 7000)
