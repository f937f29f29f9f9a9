"""The client's half of MQTT 3.1.1, byte by byte as the standard's figures and tables have it."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.firmware_sim.errors import MqttRefused
from kanhu.firmware_sim.fleet import mqtt


@pytest.mark.parametrize(
    ("length", "encoded"),
    [  # table 2.4, and the two numbers worked out in section 2.2.3
        (0, "00"),
        (64, "40"),
        (127, "7f"),
        (128, "8001"),
        (321, "c102"),
        (16_383, "ff7f"),
        (16_384, "808001"),
        (2_097_151, "ffff7f"),
        (2_097_152, "80808001"),
        (268_435_455, "ffffff7f"),
    ],
)
def test_remaining_length_is_encoded_as_in_table_2_4(length: int, encoded: str) -> None:
    assert mqtt.remaining_length(length).hex() == encoded


def test_connect_asks_for_a_clean_session_of_mqtt_3_1_1() -> None:
    # Figure 3.6 has the same header with other flags: length 4, "MQTT", level 4, flags, keep alive 10.
    assert mqtt.connect("a", keepalive_s=10).hex(" ") == "10 0d 00 04 4d 51 54 54 04 02 00 0a 00 01 61"


def test_connect_carries_the_will_at_qos_1_retained() -> None:
    packet = mqtt.connect("a", keepalive_s=15, will=mqtt.Will("w", b"gone"))
    assert packet[9] == 0b0010_1110  # section 3.1.2.3: will retain, QoS 1, will, clean session
    assert packet[12:].hex(" ") == "00 01 61 00 01 77 00 04 67 6f 6e 65"


def test_publish_has_the_header_of_figure_3_11() -> None:
    assert mqtt.publish("a/b", b"x", packet_id=10).hex(" ") == "32 08 00 03 61 2f 62 00 0a 78"
    assert mqtt.publish_retained("a/b", b"x", packet_id=10)[0] == 0x33


def test_subscribe_has_the_payload_of_figure_3_23_at_qos_0() -> None:
    packet = mqtt.subscribe(["a/b", "c/d"], packet_id=10)
    assert packet.hex(" ") == "82 0e 00 0a 00 03 61 2f 62 00 00 03 63 2f 64 00"


def test_small_packets_are_as_the_standard_prints_them() -> None:
    assert mqtt.pingreq() == b"\xc0\x00"
    assert mqtt.disconnect() == b"\xe0\x00"
    assert mqtt.puback(0x1234) == b"\x40\x02\x12\x34"


_STREAM = bytes.fromhex(
    "20020000"  # CONNACK, accepted
    "9003000a00"  # SUBACK of packet 10, QoS 0 granted
    "30060003612f6278"  # PUBLISH a/b "x" at QoS 0
    "32080003612f62000a79"  # PUBLISH a/b "y" at QoS 1, packet 10
    "4002000b"  # PUBACK of packet 11
    "d000"  # PINGRESP
)
_PACKETS = [
    mqtt.Connack(0),
    mqtt.Suback(10, (0,)),
    mqtt.Publish("a/b", b"x"),
    mqtt.Publish("a/b", b"y", 10),
    mqtt.Puback(11),
    mqtt.Pingresp(),
]


@given(st.lists(st.integers(min_value=0, max_value=len(_STREAM)), max_size=8))
def test_packets_are_the_same_however_the_stream_is_cut(cuts: list[int]) -> None:
    parser = mqtt.Parser()
    edges = [0, *sorted(cuts), len(_STREAM)]
    pieces = [_STREAM[start:end] for start, end in pairwise(edges)]
    assert [packet for piece in pieces for packet in parser.feed(piece)] == _PACKETS


@given(st.binary(max_size=300))
def test_any_bytes_are_packets_or_are_refused(stream: bytes) -> None:
    with suppress(MqttRefused):
        mqtt.Parser().feed(stream)


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param("30ffffffff01", id="length of five bytes"),
        pytest.param("30ffffff7f", id="packet of 256 MB"),
        pytest.param("340003612f62", id="message at QoS 2"),
        pytest.param("3003ffff61", id="topic longer than the packet"),
        pytest.param("30030001ff", id="topic that is no UTF-8"),
        pytest.param("210200", id="reserved flags"),
        pytest.param("1000", id="a packet only clients send"),
        pytest.param("400100", id="acknowledgement of one byte"),
    ],
)
def test_what_no_broker_sends_is_refused(hostile: str) -> None:
    with pytest.raises(MqttRefused):
        mqtt.Parser().feed(bytes.fromhex(hostile) + b"\x00" * 8)
