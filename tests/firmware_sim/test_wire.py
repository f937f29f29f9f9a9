"""The simulator's bytes are those of published frames, and hold their layout for any value.

Published frames: Nordic Semiconductor Android-BLE-Common-Library c078e25 (BSD-3-Clause), openScale f7a733b2
(GPL-3.0), derdilla blood-pressure-monitor-fl 17aba3d0 (GPL-3.0), atbrask CMS50Dplus (MIT), bthome-ble d55bd3a (MIT);
bytes and the values they stand for only, taken from those projects' tests.
"""

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.firmware_sim import NotEncodable
from kanhu.firmware_sim.wire import (
    ButtonPress,
    Contact,
    CuffReading,
    CuffStatus,
    HeartRateReading,
    OximeterPacket,
    PressureUnit,
    SfloatSpecial,
    blood_pressure_measurement,
    date_time,
    heart_rate_measurement,
    idle_advertisement,
    oximeter_packet,
    press_advertisement,
    sfloat,
)


@pytest.mark.parametrize(
    ("value", "published"),
    [
        (Decimal(12), "0c00"),  # openScale
        (Decimal("21.3"), "d5f0"),  # openScale
        (Decimal("18.9"), "bdf0"),  # Nordic, in a blood pressure
        (Decimal(120), "7800"),
        (SfloatSpecial.NOT_A_NUMBER, "ff07"),
        (SfloatSpecial.NOT_AT_THIS_RESOLUTION, "0008"),
    ],
)
def test_sfloats_are_the_published_ones(value: Decimal | SfloatSpecial, published: str) -> None:
    assert sfloat(value).hex() == published


@given(st.integers(-2045, 2045), st.integers(-8, 7))
def test_any_sfloat_is_exact(mantissa: int, exponent: int) -> None:
    word = int.from_bytes(sfloat(Decimal(mantissa).scaleb(exponent)), "little")
    read_mantissa = (word & 0xFFF) - (0x1000 if word & 0x800 else 0)
    read_exponent = (word >> 12) - (16 if word & 0x8000 else 0)
    assert Decimal(read_mantissa).scaleb(read_exponent) == Decimal(mantissa).scaleb(exponent)


@pytest.mark.parametrize("value", [Decimal("2047.5"), Decimal("1E-12"), Decimal("NaN"), Decimal("Infinity")])
def test_a_number_an_sfloat_cannot_hold_is_refused_not_rounded(value: Decimal) -> None:
    with pytest.raises(NotEncodable):
        sfloat(value)


@pytest.mark.parametrize(
    ("reading", "published"),
    [
        (
            CuffReading(  # Nordic, "some"
                Decimal("18.9"),
                Decimal(11),
                Decimal("15.9"),
                unit=PressureUnit.KPA,
                pulse_bpm=Decimal(60),
                status=CuffStatus.CUFF_TOO_LOOSE | CuffStatus.PULSE_BELOW_RANGE,
            ),
            "15bdf00b009ff03c001200",
        ),
        (
            CuffReading(  # derdilla, "status bits"
                Decimal(124),
                Decimal(86),
                Decimal(97),
                measured_at=datetime(2024, 6, 15, 17, 17, 27),  # noqa: DTZ001  a cuff's clock knows no zone
                pulse_bpm=Decimal(51),
                status=CuffStatus.PULSE_ABOVE_RANGE,
            ),
            "167c0056006100e807060f11111b33000800",
        ),
    ],
)
def test_blood_pressures_are_the_published_frames(reading: CuffReading, published: str) -> None:
    assert blood_pressure_measurement(reading).hex() == published


def test_a_cuff_without_mean_pressure_sends_not_a_number() -> None:
    value = blood_pressure_measurement(CuffReading(Decimal(120), Decimal(80), user=3))
    assert value.hex() == "0878005000ff0703"


def test_a_date_and_time_is_the_published_frame() -> None:
    assert date_time(datetime(2018, 4, 17, 15, 51, 0)).hex() == "e20704110f3300"  # noqa: DTZ001  no zone; Nordic


@pytest.mark.parametrize(
    ("reading", "published"),
    [
        (HeartRateReading(85), "0055"),  # Nordic, "simple"
        (
            HeartRateReading(85, contact=Contact.DETECTED, energy_kj=50, rr_intervals_1024=(33,)),
            "1e5532002100",  # Nordic, "uint8"
        ),
        (HeartRateReading(300, contact=Contact.NOT_DETECTED), "052c01"),
    ],
)
def test_heart_rates_are_the_published_frames(reading: HeartRateReading, published: str) -> None:
    assert heart_rate_measurement(reading).hex() == published


def test_more_beat_intervals_than_one_notification_holds_are_refused() -> None:
    assert len(heart_rate_measurement(HeartRateReading(70, rr_intervals_1024=(800,) * 9))) == 20
    with pytest.raises(NotEncodable):
        heart_rate_measurement(HeartRateReading(70, rr_intervals_1024=(800,) * 10))


@pytest.mark.parametrize(
    ("packet", "published"),
    [
        (OximeterPacket(spo2_percent=97, pulse_bpm=72, signal_strength=5, pleth=60, bar=8), "853c084861"),  # atbrask
        (
            OximeterPacket(spo2_percent=95, pulse_bpm=130, signal_strength=3, pleth=10, bar=4, beep=True),
            "c30a44025f",  # atbrask; bit 7 of the pulse lives in byte 3
        ),
    ],
)
def test_oximeter_packets_are_the_published_ones(packet: OximeterPacket, published: str) -> None:
    assert oximeter_packet(packet).hex() == published


@given(
    st.builds(
        OximeterPacket,
        spo2_percent=st.integers(0, 127),
        pulse_bpm=st.integers(0, 255),
        signal_strength=st.integers(0, 8),
        pleth=st.integers(0, 127),
        bar=st.integers(0, 15),
        finger_out=st.booleans(),
        searching=st.booleans(),
        probe_error=st.booleans(),
    )
)
def test_only_the_first_byte_of_any_oximeter_packet_has_the_sync_bit(packet: OximeterPacket) -> None:
    first, *rest = oximeter_packet(packet)
    assert first & 0x80
    assert [byte & 0x80 for byte in rest] == [0, 0, 0, 0]


def test_a_press_is_the_published_service_data() -> None:
    advertisement = press_advertisement(33, battery_percent=94, press=ButtonPress.PRESS)
    assert advertisement.hex() == "020106" + "0a16d2fc" + "440021015e3a01"  # bthome-ble, a BLU Button1


@given(st.integers(0, 255), st.integers(0, 100))
def test_an_advertisement_never_outgrows_31_bytes(packet_id: int, battery_percent: int) -> None:
    for data in (
        press_advertisement(packet_id, battery_percent=battery_percent, press=ButtonPress.LONG),
        idle_advertisement(packet_id, battery_percent=battery_percent),
    ):
        assert len(data) <= 31


def test_an_idle_advertisement_carries_no_button_event() -> None:
    assert idle_advertisement(7, battery_percent=90).hex() == "020106" + "0816d2fc" + "440007015a"
