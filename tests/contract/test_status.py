"""A heartbeat is plain JSON, bounded, and readable by an older county."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import (
    AlarmStatus,
    Alone,
    ClockState,
    DeviceStatus,
    GatewayState,
    MessageRefused,
    MessageTooLarge,
    RefusalReason,
    Status,
    decode_status,
    encode_status,
)
from kanhu.contract.status import MAX_STATUS_BYTES, STATUS_VERSION
from tests.contract.strategies import TIME_LIMIT, epochs, gateways

counts = st.integers(0, TIME_LIMIT) | st.integers(0, 1000)
texts = st.text(max_size=20)
devices = st.builds(
    DeviceStatus,
    device=texts,
    kind=texts,
    connected=st.booleans(),
    last_reading_ms=st.none() | counts,
    battery_percent=st.none() | st.integers(0, 100),
    accepted=counts,
    refused=st.dictionaries(texts, counts, max_size=3),
    clock_error_s=st.just(msgspec.UNSET) | st.integers(-(2**40), 2**40),
    clock_corrected_s=st.just(msgspec.UNSET) | st.integers(-(2**40), 2**40),
)
alarms = st.builds(
    AlarmStatus,
    fitted=st.lists(texts, max_size=3).map(tuple),
    faults=st.dictionaries(texts, texts, max_size=3),
    alone=st.lists(st.builds(Alone, alert=texts, ways=st.dictionaries(texts, texts, max_size=3)), max_size=8).map(
        tuple
    ),
)
statuses = st.builds(
    Status,
    version=st.just(STATUS_VERSION),
    gateway=gateways,
    epoch=epochs,
    state=st.sampled_from(GatewayState),
    boot=texts,
    software=texts,
    sent_ms=counts,
    clock=st.sampled_from(ClockState),
    heartbeat_s=st.floats(0, 1e6),
    accepted=counts,
    refused=st.dictionaries(texts, counts, max_size=3),
    findings=counts,
    owed=counts,
    oldest_owed_ms=st.none() | counts,
    quarantined=counts,
    gaps=counts,
    restarts=st.dictionaries(texts, counts, max_size=3),
    devices=st.lists(devices, max_size=3).map(tuple),
    alarm=st.just(msgspec.UNSET) | alarms,
)


@given(statuses)
def test_any_status_survives_the_wire(status: Status) -> None:
    assert decode_status(encode_status(status)) == status


@given(statuses)
def test_a_status_is_json_that_any_client_shows(status: Status) -> None:
    shown = json.loads(encode_status(status))
    assert shown["gateway"] == status.gateway
    assert shown["state"] == status.state.value


def test_an_older_county_reads_past_what_it_does_not_know() -> None:
    known = encode_status(Status(1, "home-03", "", GatewayState.ONLINE))
    assert decode_status(known.replace(b"{", b'{"later":[1,{"x":null}],', 1)) == decode_status(known)


def test_three_hundred_devices_fit_and_a_status_over_the_limit_is_not_sent() -> None:
    device = DeviceStatus("oximeter-0000", "oximeter-cms50d", connected=True, last_reading_ms=1_790_000_000_000)
    assert encode_status(Status(1, "home-03", "", GatewayState.ONLINE, devices=(device,) * 300))
    with pytest.raises(MessageTooLarge):
        encode_status(Status(1, "home-03", "", GatewayState.ONLINE, devices=(device,) * 3000))
    with pytest.raises(MessageRefused) as caught:
        decode_status(b" " * (MAX_STATUS_BYTES + 1))
    assert caught.value.reason is RefusalReason.TOO_LARGE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", RefusalReason.MALFORMED),
        ("[]", RefusalReason.MALFORMED),
        ('{"version":1}', RefusalReason.MALFORMED),
        ('{"version":9,"gateway":"a","epoch":"","state":"online"}', RefusalReason.UNKNOWN_VERSION),
        ('{"version":1,"gateway":"Home 3","epoch":"","state":"online"}', RefusalReason.INCONSISTENT),
        ('{"version":1,"gateway":"a","epoch":"","state":"online","boot":"' + "x" * 129 + '"}', RefusalReason.MALFORMED),
    ],
)
def test_what_is_no_status_is_refused(text: str, reason: RefusalReason) -> None:
    with pytest.raises(MessageRefused) as caught:
        decode_status(text.encode())
    assert caught.value.reason is reason
