"""The metric table, row by row, against codes collected independently; and values that are exact."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import METRICS, MetricKind, UnknownMetric, metric
from tests.contract.strategies import STEP_LIMIT

COLLECTED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "contract" / "metric_codes.json").read_text(encoding="utf-8")
)
ROWS: list[dict[str, Any]] = COLLECTED["rows"]
LIVING: list[dict[str, Any]] = COLLECTED["independent_living"]

# Where our unit differs from the collected one, and why.
OTHER_UNIT = {"sleep_time": ("h", "min", "a minute is not a decimal fraction of an hour")}
# Where the collection states no unit, and ours follows from the row above it.
UNIT_FROM_FAMILY = {"glucose_plasma": ("mmol/L", 266866), "glucose_interstitial": ("mmol/L", 266866)}
# Rows of ours that the collection does not have.
ADDED = {"oximetry", "heart_rhythm", "consciousness", "battery", "well_check", "inactivity"} | {
    "presence",
    "bed_occupancy",
    "heart_rate_radar",
    "ecg",
    "acceleration_x",
    "acceleration_y",
    "acceleration_z",
}
# Its code is that of the HL7 example of an ECG (FHIR, Observation "ekg").
ECG_MDC = 131328


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["measure"])
def test_codes_are_those_collected_independently(row: dict[str, Any]) -> None:
    ours = metric(row["our_code"])
    assert list(ours.loinc) == row["loinc"]
    assert ours.mdc_name == row["mdc_name"]
    assert ours.mdc == row["mdc_32_bit"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["measure"])
def test_units_are_those_collected_independently(row: dict[str, Any]) -> None:
    ours = metric(row["our_code"])
    if ours.code in OTHER_UNIT:
        assert (row["ucum"], ours.ucum) == OTHER_UNIT[ours.code][:2]
    elif ours.code in UNIT_FROM_FAMILY:
        assert (row["ucum"], row["mdc_unit_32_bit"]) == (None, None)
        assert (ours.ucum, ours.mdc_unit) == UNIT_FROM_FAMILY[ours.code]
    else:
        assert (ours.ucum, ours.mdc_unit) == (row["ucum"], row["mdc_unit_32_bit"])


@pytest.mark.parametrize("row", [row for row in ROWS if row["mdc_16_bit"]], ids=lambda row: row["measure"])
def test_32_bit_codes_are_partition_times_65536_plus_the_16_bit_code(row: dict[str, Any]) -> None:
    assert metric(row["our_code"]).mdc == COLLECTED["partitions"]["measurements"] * 65536 + row["mdc_16_bit"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["measure"])
def test_unit_codes_lie_in_the_partition_of_units(row: dict[str, Any]) -> None:
    unit = metric(row["our_code"]).mdc_unit
    assert unit is None or unit // 65536 == COLLECTED["partitions"]["units"]


@pytest.mark.parametrize("row", LIVING, ids=lambda row: row["our_code"])
def test_independent_living_codes_lie_in_partition_130(row: dict[str, Any]) -> None:
    ours = metric(row["our_code"])
    assert ours.mdc == COLLECTED["partitions"]["independent_living"] * 65536 + row["mdc_16_bit"]
    assert row["mdc_32_bit_where_stated"] in {None, ours.mdc}
    assert ours.mdc_name is not None
    assert ours.mdc_name.startswith("MDC_AI_TYPE_SENSOR_")


def test_every_row_is_collected_or_named_as_added() -> None:
    collected = {row["our_code"] for row in (*ROWS, *LIVING)}
    assert set(METRICS) - collected == ADDED
    assert collected - set(METRICS) == set()


def test_the_code_of_an_ecg_is_that_of_the_published_example() -> None:
    assert metric("ecg").mdc == ECG_MDC


def test_no_two_measures_share_an_mdc_code() -> None:
    codes = [row.mdc for row in METRICS.values() if row.mdc is not None]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("code", METRICS)
def test_every_row_is_whole(code: str) -> None:
    row = METRICS[code]
    assert row.code == code
    assert code.isidentifier()
    assert row.en
    assert any("\u4e00" <= letter <= "\u9fff" or letter.isupper() for letter in row.zh)
    assert (row.mdc is None) == (row.mdc_name is None)
    assert row.steps_per_unit >= 1
    assert bool(row.parts) == (row.kind is MetricKind.PANEL)
    if row.kind in {MetricKind.SCALAR, MetricKind.SERIES, MetricKind.SIGNAL}:
        assert row.low is not None
        assert row.high is not None
        assert row.low < row.high
        row.steps(row.low)
        row.steps(row.high)


@pytest.mark.parametrize("code", [row.code for row in METRICS.values() if row.kind is MetricKind.PANEL])
def test_a_panel_holds_rows_of_the_table_and_no_panel(code: str) -> None:
    kinds = [metric(part).kind for part in METRICS[code].parts]
    assert kinds
    assert MetricKind.PANEL not in kinds
    assert len(set(METRICS[code].parts)) == len(kinds)


@pytest.mark.parametrize("code", METRICS)
@given(steps=st.integers(-STEP_LIMIT, STEP_LIMIT) | st.integers(-1000, 1000))
def test_steps_to_value_and_back_is_exact(code: str, steps: int) -> None:
    assert metric(code).steps(metric(code).value(steps)) == steps


def test_a_value_between_two_steps_is_never_rounded() -> None:
    for value in ("96.55", "96.5" + "0" * 30 + "1", "NaN", "Infinity", "-Infinity"):
        with pytest.raises(ValueError, match="not a whole number of steps"):
            metric("spo2").steps(Decimal(value))
    assert metric("spo2").steps(Decimal("96.50")) == 965


def test_the_radio_unit_of_beat_intervals_is_a_whole_number_of_steps() -> None:
    assert metric("rr_interval").steps(Decimal(1000) / 1024) == 125


def test_an_unknown_code_is_named() -> None:
    with pytest.raises(UnknownMetric, match="'spo3'"):
        metric("spo3")
