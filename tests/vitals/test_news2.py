"""NEWS2 against the published chart, and against vectors computed from it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import Oxygen
from kanhu.vitals.scores import Band, Consciousness, Spo2Scale, VitalSigns, news2

AIR, OXYGEN = Oxygen.AIR, Oxygen.SUPPLEMENTAL
NAMES = ("respiration", "spo2", "oxygen", "systolic", "pulse", "consciousness", "temperature")

VECTORS = [
    ("16,97,no,125,72,A,36.8,1", (0, 0, 0, 0, 0, 0, 0), 0, Band.LOW),
    ("16,97,no,125,72,C,36.8,1", (0, 0, 0, 0, 0, 3, 0), 3, Band.LOW_MEDIUM),
    ("25,96,no,111,90,A,38.0,1", (3, 0, 0, 0, 0, 0, 0), 3, Band.LOW_MEDIUM),
    ("22,93,no,105,112,A,38.4,1", (2, 2, 0, 1, 2, 0, 1), 8, Band.HIGH),
    ("20,90,no,130,88,A,37.0,1", (0, 3, 0, 0, 0, 0, 0), 3, Band.LOW_MEDIUM),
    ("20,90,no,130,88,A,37.0,2", (0, 0, 0, 0, 0, 0, 0), 0, Band.LOW),
    ("20,93,no,130,88,A,37.0,2", (0, 0, 0, 0, 0, 0, 0), 0, Band.LOW),
    ("20,95,yes,130,88,A,37.0,2", (0, 2, 2, 0, 0, 0, 0), 4, Band.LOW),
    ("24,94,yes,110,110,A,39.1,1", (2, 1, 2, 1, 1, 0, 2), 9, Band.HIGH),
    ("8,83,yes,90,131,U,35.0,2", (3, 3, 2, 3, 3, 3, 3), 20, Band.HIGH),
]

# The chart, row by row: field, value, points.
CHART = [
    ("respiration", [("8", 3), ("9", 1), ("11", 1), ("12", 0), ("20", 0), ("21", 2), ("24", 2), ("25", 3)]),
    ("spo2", [("91", 3), ("92", 2), ("93", 2), ("94", 1), ("95", 1), ("96", 0), ("100", 0)]),
    ("systolic", [("90", 3), ("91", 2), ("100", 2), ("101", 1), ("110", 1), ("111", 0), ("219", 0), ("220", 3)]),
    ("pulse", [("40", 3), ("41", 1), ("50", 1), ("51", 0), ("90", 0), ("91", 1), ("110", 1), ("111", 2), ("130", 2)]),
    ("pulse", [("131", 3)]),
    ("temperature", [("35.0", 3), ("35.1", 1), ("36.0", 1), ("36.1", 0), ("38.0", 0), ("38.1", 1), ("39.0", 1)]),
    ("temperature", [("39.1", 2), ("35.04", 3), ("35.05", 1), ("39.04", 1), ("39.05", 2)]),
]
FIELDS = {
    "respiration": "respiration_per_min",
    "spo2": "spo2_percent",
    "systolic": "systolic_mmhg",
    "pulse": "pulse_bpm",
    "temperature": "temperature_celsius",
}


def signs(text: str) -> VitalSigns:
    respiration, spo2, oxygen, systolic, pulse, consciousness, temperature, scale = text.split(",")
    return VitalSigns(
        respiration_per_min=Decimal(respiration),
        spo2_percent=Decimal(spo2),
        oxygen=OXYGEN if oxygen == "yes" else AIR,
        systolic_mmhg=Decimal(systolic),
        pulse_bpm=Decimal(pulse),
        consciousness=Consciousness(consciousness),
        temperature_celsius=Decimal(temperature),
        spo2_scale=Spo2Scale(scale),
    )


@pytest.mark.parametrize(("text", "parts", "total", "band"), VECTORS, ids=[row[0] for row in VECTORS])
def test_published_vectors(text: str, parts: tuple[int, ...], total: int, band: Band) -> None:
    score = news2(signs(text))
    assert score.parts == dict(zip(NAMES, parts, strict=True))
    assert (score.total, score.band, score.partial, score.missing) == (total, band, False, ())


@pytest.mark.parametrize(
    ("spo2", "on_oxygen", "on_air"),
    [
        (83, 3, 3),
        (84, 2, 2),
        (85, 2, 2),
        (86, 1, 1),
        (87, 1, 1),
        (88, 0, 0),
        (92, 0, 0),
        (93, 1, 0),
        (94, 1, 0),
        (95, 2, 0),
        (96, 2, 0),
        (97, 3, 0),
        (100, 3, 0),
    ],
)
def test_scale_2_depends_on_oxygen_above_its_target(spo2: int, on_oxygen: int, on_air: int) -> None:
    for oxygen, points in ((OXYGEN, on_oxygen), (AIR, on_air)):
        measured = VitalSigns(spo2_percent=Decimal(spo2), oxygen=oxygen, spo2_scale=Spo2Scale.TWO)
        assert news2(measured).parts["spo2"] == points


@pytest.mark.parametrize(("name", "rows"), CHART)
def test_every_edge_of_the_chart(name: str, rows: list[tuple[str, int]]) -> None:
    for value, points in rows:
        measured = VitalSigns(**{FIELDS[name]: Decimal(value)})  # type: ignore[arg-type]  # fields of one type
        assert news2(measured).parts == {name: points}, value


@pytest.mark.parametrize("word", list(Consciousness))
def test_anything_but_alert_scores_three(word: Consciousness) -> None:
    assert news2(VitalSigns(consciousness=word)).total == (0 if word is Consciousness.ALERT else 3)


def test_missing_value_is_never_normal() -> None:
    score = news2(VitalSigns(pulse_bpm=Decimal(120)))
    assert score.partial
    assert score.total == 2
    assert score.missing == ("respiration", "spo2", "oxygen", "systolic", "consciousness", "temperature")
    nothing = news2(VitalSigns(temperature_celsius=Decimal("NaN")))
    assert nothing.partial
    assert nothing.parts == {}


@pytest.mark.parametrize(("total", "text"), [(5, "21,93,no,110,72,A,37.0,1"), (6, "21,93,no,100,72,A,37.0,1")])
def test_five_and_six_are_medium(total: int, text: str) -> None:
    score = news2(signs(text))
    assert (score.total, score.band) == (total, Band.MEDIUM)


@given(st.builds(VitalSigns, **{name: st.none() | st.decimals() for name in FIELDS.values()}))
def test_any_number_scores_and_no_value_lowers_a_partial_total(measured: VitalSigns) -> None:
    score = news2(measured)
    assert 0 <= score.total <= 20
    assert score.total == sum(score.parts.values())
    assert set(score.parts) | set(score.missing) == set(NAMES)
