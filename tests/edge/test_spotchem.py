"""Spotchem EL: the published print, simulated prints, and what is no print."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.spotchem import Electrolyte, decode_spotchem
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.spotchem import spotchem_print
from tests.edge.vectors import Vector, name_of, vectors

_PRINT = spotchem_print("24/10/29 13:08", "1DC042FP", "B. Plasma", {"Na": "131", "K": "9.7", "Cl": "96"})
_PRINTED_MS = int(datetime(2024, 10, 29, 13, 8, tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize("vector", vectors("spotchem"), ids=name_of)
def test_published_prints(vector: Vector) -> None:
    told = decode_spotchem(vector.frame)
    values = {f"{one.name}_{one.unit.replace('/', '_')}": one.value for one in told.results}
    assert {"sample_id": told.sample_id, **values} == vector.expected
    assert (told.printed_ms, told.sample_kind, told.is_control) == (_PRINTED_MS, "B. Plasma", False)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)),  # noqa: DTZ001  # the analyser has no zone
    st.from_regex(r"[A-Z0-9_\-]{1,10}", fullmatch=True),
    st.sampled_from(["Serum", "B. Plasma", "Urine"]),
    st.dictionaries(st.sampled_from(["Na", "K", "Cl"]), st.decimals(0, 999, places=1), min_size=1),
)
def test_simulated_prints_are_read_back(when: datetime, sample: str, kind: str, values: dict[str, Decimal]) -> None:
    texts = {name: f"{value}" for name, value in values.items()}
    told = decode_spotchem(spotchem_print(when.strftime("%y/%m/%d %H:%M"), sample, kind, texts))
    assert (told.sample_id, told.sample_kind) == (sample, kind)
    assert {one.name: one.value for one in told.results} == values
    minute = when.replace(second=0, microsecond=0, tzinfo=UTC)
    assert told.printed_ms == int(minute.timestamp()) * 1000


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(frame: bytes) -> None:
    for hostile in (frame, b"\x02" + frame + b"\x03", _PRINT[:60] + frame + b"\x03"):
        with suppress(DecodeError):
            decode_spotchem(hostile)


@given(st.integers(0, len(_PRINT) - 1), st.integers(0, 7))
def test_a_cut_is_refused_and_a_flipped_bit_never_raises_another_error(at: int, bit: int) -> None:
    if at < len(_PRINT) - 1:
        with pytest.raises(DecodeError):
            decode_spotchem(_PRINT[:at])
    with suppress(DecodeError):
        decode_spotchem(_PRINT[:at] + bytes([_PRINT[at] ^ 1 << bit]) + _PRINT[at + 1 :])


def test_an_electrolyte_without_number_is_no_value_and_its_mark_is_kept() -> None:
    told = decode_spotchem(spotchem_print("24/10/29 13:08", "A1", "Serum", {"Na": "----", "K": "4.1 H"}))
    assert told.results == (
        Electrolyte("Na", None, "mmol/L", ("----",)),
        Electrolyte("K", Decimal("4.1"), "mmol/L", ("H",)),
    )


def test_a_sample_without_id_and_kind_has_none() -> None:
    told = decode_spotchem(spotchem_print("24/10/29 13:08", "", " ", {"Na": "131"}))
    assert (told.sample_id, told.sample_kind) == (None, None)


def test_a_date_that_is_no_day_is_no_time() -> None:
    assert decode_spotchem(spotchem_print("24/02/30 13:08", "A1", "Serum", {"Na": "131"})).printed_ms is None


@pytest.mark.parametrize(("sample", "kind"), [("QC1", "Serum"), ("CTRL-2", "Serum"), ("A1", "Control")])
def test_control_samples_are_told_apart(sample: str, kind: str) -> None:
    assert decode_spotchem(spotchem_print("24/10/29 13:08", sample, kind, {"Na": "131"})).is_control


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (b"", DecodeReason.NOT_SYNCHRONISED),
        (_PRINT[1:], DecodeReason.NOT_SYNCHRONISED),
        (_PRINT[:-2], DecodeReason.SHORT),
        (b"\x02hello\x03", DecodeReason.NOT_SYNCHRONISED),
        (_PRINT.replace(b"Na", b"N\xe4"), DecodeReason.NOT_SYNCHRONISED),
        (_PRINT.replace(b"mmol/L", b"mg/dL "), DecodeReason.RESERVED_VALUE),
        (_PRINT.replace(b"131", b"1 3"), DecodeReason.NOT_SYNCHRONISED),
        (_PRINT.replace(b"Na", b"  "), DecodeReason.NOT_SYNCHRONISED),
        (_PRINT.replace(b"mmol/L", b"      "), DecodeReason.NO_VALUE),
        (b"\x02" + b" " * 1024, DecodeReason.TOO_LONG),
    ],
)
def test_what_is_no_print_is_refused_with_its_reason(frame: bytes, reason: DecodeReason) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_spotchem(frame)
    assert caught.value.reason is reason
