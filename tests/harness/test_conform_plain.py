"""The receiver of plain JSON: clients of both MQTT versions are served, and what they send is counted right."""

import asyncio
import json
from contextlib import suppress

import aiomqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import FakeClock, SystemClock
from kanhu.harness.conform import mqtt_packets as mqtt
from kanhu.harness.conform.plain_county import PlainCounty
from kanhu.harness.ports import free_port


@pytest.mark.parametrize("version", [aiomqtt.ProtocolVersion.V311, aiomqtt.ProtocolVersion.V5])
async def test_what_is_acknowledged_is_stored(version: aiomqtt.ProtocolVersion) -> None:
    county = PlainCounty(free_port(), SystemClock())
    await county.start()
    async with aiomqtt.Client("127.0.0.1", county.port, protocol=version) as client:
        await client.subscribe("v1/devices/me/rpc/response/+")
        batch = {"conform": [{"ts": 1, "values": {"n": 1}}, {"ts": 2, "values": {"n": "2"}}]}
        await client.publish("v1/gateway/telemetry", json.dumps(batch), qos=1)
        assert county.committed.numbers == {1: 1, 2: 1}
        await client.publish("v1/gateway/telemetry", json.dumps(batch), qos=1)  # the same readings of the same moments
        assert county.committed.numbers == {1: 1, 2: 1}
        assert county.committed.redelivered == 2
        await client.publish("any/topic", b'{"n": 3}', qos=1)
        await client.publish("any/topic", b'{"n": 3}', qos=1)  # without a time it cannot be told from a second reading
        assert county.committed.numbers[3] == 2
        await client.publish("any/topic", b"no json", qos=1)
        assert county.committed.refused == {"malformed": 1}
        await client.publish("v1/devices/me/rpc/request/7", b"{}", qos=1)
        async for message in client.messages:
            assert str(message.topic) == "v1/devices/me/rpc/response/7"
            assert "rateLimits" in json.loads(message.payload)
            break
        await client.unsubscribe("v1/devices/me/rpc/response/+")
    await county.kill()


async def test_a_killed_receiver_refuses_and_keeps_what_it_had() -> None:
    county = PlainCounty(free_port(), SystemClock())
    await county.start()
    with suppress(aiomqtt.MqttError):  # no goodbye is taken any more
        async with aiomqtt.Client("127.0.0.1", county.port) as client:
            await client.publish("any", b'{"n": 1}', qos=1)
            await county.kill()
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client("127.0.0.1", county.port, timeout=5):
            pass
    assert county.committed.numbers == {1: 1}


@given(st.binary(max_size=40), st.sampled_from([4, 5]))
def test_any_publish_is_read_or_refused_by_name(body: bytes, level: int) -> None:
    with suppress(ValueError, IndexError):
        mqtt.read_publish(mqtt.Packet(mqtt.Kind.PUBLISH, 2, body), level=level)


@given(st.text(max_size=30), st.binary(max_size=300), st.sampled_from([4, 5]))
async def test_what_is_published_is_read_back(topic: str, payload: bytes, level: int) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(mqtt.publish(topic, payload, level=level))
    read = mqtt.read_publish(await mqtt.read_packet(reader), level=level)
    assert (read.topic, read.qos, read.payload) == (topic, 0, payload)


def test_odd_stamps_and_numbers_break_nothing_and_count_as_what_they_are() -> None:
    county = PlainCounty(0, FakeClock())
    for payload in (
        b'[{"ts": [1], "n": 1}, {"ts": {}, "n": "2"}]',
        b'{"n": true}',
        b'{"n": 1.5}',
        b'{"n": "' + b"9" * 5000 + b'"}',
        b"[" * 100_000,
        b"\xff",
    ):
        county._store(payload)
    assert county.committed.numbers == {1: 1, 2: 1}
    assert county.committed.refused["malformed"] == 2
