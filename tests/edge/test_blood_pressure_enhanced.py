"""Enhanced Blood Pressure and the cuff's frame as sent: own frames only, since nobody has published an enhanced one."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import QualityReason
from kanhu.edge.codecs.blood_pressure import (
    BloodPressure,
    PressureUnit,
    PulseRange,
    decode_cuff_frame,
    observe_blood_pressure,
)
from kanhu.edge.codecs.blood_pressure_enhanced import decode_enhanced_blood_pressure, decode_enhanced_cuff_pressure
from kanhu.edge.codecs.date_time_fields import DateTimeFields
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.blood_pressure import CuffStatus
from kanhu.firmware_sim.wire.blood_pressure import PressureUnit as SimulatedUnit
from kanhu.firmware_sim.wire.blood_pressure_enhanced import EnhancedCuffReading, enhanced_blood_pressure_measurement
from tests.edge.readings import RESIDENT, TIMES

_COUNTED = datetime(2026, 11, 22, 0, 30, 15, tzinfo=UTC)
_SHOWN = datetime(2026, 11, 22, 8, 30, 15, tzinfo=UTC)

pressures = st.integers(1, 2045).map(Decimal)
readings = st.builds(
    EnhancedCuffReading,
    systolic=pressures,
    diastolic=pressures,
    mean=st.none() | pressures,
    unit=st.sampled_from(SimulatedUnit),
    counted_at=st.none() | st.just(_COUNTED),
    pulse_bpm=st.none() | pressures,
    user=st.none() | st.integers(0, 0xFE),
    status=st.none() | st.integers(0, 0x3F).map(CuffStatus),
    shown_at=st.none() | st.just(_SHOWN),
    epoch_year=st.sampled_from([1900, 2000]),
)


@given(readings, st.binary(max_size=3))
def test_a_simulated_reading_is_read_back_exactly(reading: EnhancedCuffReading, padding: bytes) -> None:
    frame = enhanced_blood_pressure_measurement(reading)
    factor = Decimal("7.50062") if reading.unit is SimulatedUnit.KPA else Decimal(1)
    at = reading.shown_at or reading.counted_at
    assert decode_enhanced_blood_pressure(frame + padding) == BloodPressure(
        systolic_mmhg=reading.systolic * factor,
        diastolic_mmhg=reading.diastolic * factor,
        mean_mmhg=None if reading.mean is None else reading.mean * factor,
        pulse_bpm=reading.pulse_bpm,
        measured_at_ms=None if at is None else int(at.timestamp()) * 1000,
        clock_unset=False,
        user=reading.user,
        status=None if reading.status is None else int(reading.status),
    )
    assert decode_enhanced_cuff_pressure(frame) == reading.systolic * factor
    for length in range(len(frame)):
        with pytest.raises(DecodeError) as refused:
            decode_enhanced_blood_pressure(frame[:length])
        assert refused.value.reason is DecodeReason.SHORT


def test_an_enhanced_reading_is_observed_as_any_other_and_names_an_unset_clock() -> None:
    record = decode_enhanced_blood_pressure(bytes.fromhex("4278005000000000000000"))
    observation = observe_blood_pressure(record, subject=RESIDENT, device="cuff", times=TIMES)
    assert observation.value("systolic") == 120
    assert observation.quality.reasons == (QualityReason.DEVICE_CLOCK_UNSET,)
    assert observation.times.device_ms == 946684800000  # the first second of 2000


@pytest.mark.parametrize("decode", [decode_enhanced_blood_pressure, decode_enhanced_cuff_pressure])
def test_a_pressure_that_is_no_number_is_refused(decode: object) -> None:
    assert callable(decode)
    with pytest.raises(DecodeError) as refused:
        decode(bytes.fromhex("00ff0750000000"))
    assert refused.value.reason is DecodeReason.NOT_A_NUMBER


def test_a_cuff_frame_keeps_the_unit_and_the_unknown_year() -> None:
    sent = decode_cuff_frame(bytes.fromhex("1fbdf00b00ff070000041114293b3c00ff1200"))
    assert sent.pressures == (Decimal("18.9"), Decimal(11), None)
    assert sent.unit is PressureUnit.KPA
    assert sent.sent_at == DateTimeFields(None, 4, 17, 20, 41, 59)
    assert sent.pulse_bpm == 60
    assert sent.user is None
    assert sent.status == 0x12
    assert sent.pulse_range is PulseRange.BELOW


@pytest.mark.parametrize(
    ("status", "named"), [(0x00, "in range"), (0x08, "above upper"), (0x10, "below lower"), (0x18, "reserved")]
)
def test_the_pulse_range_is_named(status: int, named: str) -> None:
    frame = bytes.fromhex("10780050000000") + status.to_bytes(2, "little")
    assert decode_cuff_frame(frame).pulse_range == named
    assert decode_cuff_frame(bytes.fromhex("00780050000000")).pulse_range is None


@given(st.binary(max_size=32) | st.binary(min_size=500, max_size=520))
def test_any_bytes_decode_or_are_refused(frame: bytes) -> None:
    for decode in (decode_enhanced_blood_pressure, decode_enhanced_cuff_pressure, decode_cuff_frame):
        with suppress(DecodeError):
            decode(frame)
        if len(frame) > 512:
            with pytest.raises(DecodeError) as refused:
                decode(frame)
            assert refused.value.reason is DecodeReason.TOO_LONG


@given(readings, st.integers(0, 319))
def test_a_frame_with_a_flipped_bit_decodes_or_is_refused(reading: EnhancedCuffReading, bit: int) -> None:
    frame = bytearray(enhanced_blood_pressure_measurement(reading))
    frame[bit // 8 % len(frame)] ^= 1 << bit % 8
    with suppress(DecodeError):
        decode_enhanced_blood_pressure(bytes(frame))
