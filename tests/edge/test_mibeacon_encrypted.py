"""Encrypted MiBeacon: published advertisements, the seal of another hand, and what the old form cannot prove."""

import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.mibeacon import decode_mibeacon
from kanhu.edge.codecs.mibeacon_encrypted import decode_mibeacon_encrypted
from kanhu.edge.codecs.mibeacon_presses import Press, PressKind
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire import mibeacon as wire

# Of the smoke sensor that both publishers keep.
_KEY = bytes.fromhex("5b51a7c91cde6707c9ef18dfda143a58")
_ADDRESS = bytes.fromhex("54ef44e39cbc")
_FRAME = bytes.fromhex("5859970966bc9ce344ef5401081205000000715ebe90")
# Of the dimmer that xiaomi-ble and ble_monitor keep in their tests, pressed once; its form has no tag.
_OLD_KEY = bytes.fromhex("b853075158487ca39a5b5ea9")
_OLD_FRAME = bytes.fromhex("5830b603d28b98c54124f8c3491476757e00000099")
_OLD_FRAME_TURNED = bytes.fromhex("5830b603368b98c54124f88bb8f2661351000000d6")

_keys = st.binary(min_size=16, max_size=16)
_addresses = st.binary(min_size=6, max_size=6)
_counters = st.integers(0, 2**32 - 1)


def test_the_published_smoke_sensor_opens_with_its_key() -> None:
    opened = decode_mibeacon_encrypted(_FRAME, key=_KEY, address=_ADDRESS)
    assert opened.beacon.told.get("smoke") == 1
    assert (opened.counter, opened.authenticated) == (0x66, True)


@pytest.mark.parametrize(("frame", "kind"), [(_OLD_FRAME, PressKind.SINGLE), (_OLD_FRAME_TURNED, PressKind.LEFT)])
def test_the_published_dimmer_of_the_old_form_opens_with_its_key(frame: bytes, kind: PressKind) -> None:
    opened = decode_mibeacon_encrypted(frame, key=_OLD_KEY, address=b"")
    assert opened.beacon.presses == (Press("", kind, 1),)
    assert opened.authenticated is False


@pytest.mark.parametrize("key", [bytes(16), _KEY[:-1], _OLD_KEY, b""])
def test_another_key_opens_nothing(key: bytes) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_mibeacon_encrypted(_FRAME, key=key, address=_ADDRESS)
    assert refused.value.reason is DecodeReason.ENCRYPTED


@pytest.mark.parametrize("key", [bytes(16), b"", _OLD_KEY[:-1]])
def test_the_old_form_takes_no_key_of_another_length(key: bytes) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_mibeacon_encrypted(_OLD_FRAME, key=key, address=b"")
    assert refused.value.reason is DecodeReason.ENCRYPTED


def test_the_address_of_the_sender_is_needed_only_where_the_frame_has_none() -> None:
    head = wire.BeaconHead(0x0A8D, 7)
    frame = wire.sealed_beacon(head, wire.idle_object(60), key=_KEY, sender=_ADDRESS)
    assert decode_mibeacon_encrypted(frame, key=_KEY, address=_ADDRESS).beacon.told.get("idle_s") == 60
    for address in (b"", bytes(6), _ADDRESS[::-1]):
        with pytest.raises(DecodeError) as refused:
            decode_mibeacon_encrypted(frame, key=_KEY, address=address)
        assert refused.value.reason is DecodeReason.ENCRYPTED
    assert decode_mibeacon_encrypted(_FRAME, key=_KEY, address=b"").beacon.told.get("smoke") == 1


@pytest.mark.parametrize("frame", ["5050aa0101bf2e3b342d580a100151", "1059d53b06e6a564934684"])
def test_a_plain_advertisement_of_a_device_with_a_key_is_refused(frame: str) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_mibeacon_encrypted(bytes.fromhex(frame), key=_KEY, address=_ADDRESS)
    assert refused.value.reason is DecodeReason.NO_VALUE


@pytest.mark.parametrize("length", range(len(_FRAME)))
def test_a_cut_advertisement_is_refused(length: int) -> None:
    with pytest.raises(DecodeError):
        decode_mibeacon_encrypted(_FRAME[:length], key=_KEY, address=_ADDRESS)


@given(st.integers(2 * 8, 8 * len(_FRAME) - 1))
def test_any_changed_bit_behind_the_frame_control_is_noticed(bit: int) -> None:
    changed = bytearray(_FRAME)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DecodeError):
        decode_mibeacon_encrypted(bytes(changed), key=_KEY, address=_ADDRESS)


@given(st.binary(max_size=300), st.binary(max_size=20), st.binary(max_size=8), st.sampled_from(["5859", "4830", ""]))
def test_any_bytes_open_or_are_refused(frame: bytes, key: bytes, address: bytes, start: str) -> None:
    with suppress(DecodeError):
        decode_mibeacon_encrypted(bytes.fromhex(start) + frame, key=key, address=address)


@given(_keys, _addresses, _counters, st.sampled_from([4, 5]), st.booleans(), st.integers(0, 3))
def test_a_simulated_sealed_door_is_read_back(
    key: bytes, address: bytes, counter: int, version: int, inside: bool, state: int
) -> None:
    head = wire.BeaconHead(0x098B, counter, version=version, address=address if inside else None)
    frame = wire.sealed_beacon(head, wire.door_object(state), key=key, sender=address)
    opened = decode_mibeacon_encrypted(frame, key=key, address=address)
    plain = decode_mibeacon(wire.plain_beacon(head, wire.door_object(state)))
    assert (opened.counter, opened.authenticated) == (counter, True)
    assert opened.beacon.told == plain.told
    assert opened.beacon.told.get("contact_state") == state


@given(st.binary(min_size=12, max_size=12), _addresses, _counters, st.sampled_from([2, 3]), st.integers(0, 2))
def test_a_simulated_button_of_the_old_form_is_read_back(
    key: bytes, address: bytes, counter: int, version: int, kind: int
) -> None:
    head = wire.BeaconHead(0x07BF, counter, version=version, address=address)
    frame = wire.sealed_beacon_without_tag(head, wire.press_object(0, kind), key=key, sender=address)
    opened = decode_mibeacon_encrypted(frame, key=key, address=address)
    assert (opened.counter, opened.authenticated) == (counter, False)
    assert opened.beacon.presses == (Press("", list(PressKind)[kind]),)


def test_with_another_key_the_old_form_rarely_looks_like_an_object() -> None:
    opened = 0
    for number in range(200):
        with suppress(DecodeError):
            decode_mibeacon_encrypted(_OLD_FRAME, key=number.to_bytes(12, "big"), address=b"")
            opened += 1
    assert opened < 10


def test_a_gateway_without_keyed_sensors_never_loads_the_cipher() -> None:
    script = (
        "import sys\n"
        "from kanhu.edge.codecs import mi_scale_s400, mibeacon_encrypted\n"
        "assert 'cryptography' not in sys.modules, 'loaded with the codec'\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
