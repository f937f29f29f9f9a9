"""Encrypted BTHome: published packets, the seal of another hand, and every byte that an attacker may change."""

import subprocess
import sys
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.bthome import decode_bthome
from kanhu.edge.codecs.bthome_encrypted import decode_bthome_encrypted
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.firmware_sim.wire.aes_ccm import seal
from kanhu.firmware_sim.wire.bthome_encrypted import bthome_sealed
from tests.edge.test_bthome import expected_values
from tests.edge.vectors import Vector, name_of, vectors

# Of bthome-ble and ble_monitor, which seal all their published packets with it.
_KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
_ADDRESS = bytes.fromhex("5448e68f80a5")
_FRAME = bytes.fromhex("41a47266c95f730011223378237214")
_COUNTER = 0x33221100


def sealed_vectors() -> list[Vector]:
    return [vector for vector in vectors("bthome") if vector.given["encrypted"]]


@pytest.mark.parametrize("vector", sealed_vectors(), ids=name_of)
def test_published_packets_open_with_their_key(vector: Vector) -> None:
    opened = decode_bthome_encrypted(vector.frame, key=_KEY, address=_ADDRESS)
    wanted = {name: value for name, value in vector.expected.items() if name != "packet"}
    assert {value.value for value in opened.packet.values} == set(expected_values(wanted))


def test_the_counter_is_told() -> None:
    assert decode_bthome_encrypted(_FRAME, key=_KEY, address=_ADDRESS).counter == _COUNTER


@pytest.mark.parametrize(
    ("key", "address"),
    [(bytes(16), _ADDRESS), (_KEY[:-1], _ADDRESS), (b"", _ADDRESS), (_KEY, bytes(6)), (_KEY, _ADDRESS[:-1])],
)
def test_another_key_or_sender_opens_nothing(key: bytes, address: bytes) -> None:
    with pytest.raises(DecodeError) as refused:
        decode_bthome_encrypted(_FRAME, key=key, address=address)
    assert refused.value.reason is DecodeReason.ENCRYPTED


def test_a_plain_packet_of_a_device_with_a_key_is_refused() -> None:
    with pytest.raises(DecodeError) as refused:
        decode_bthome_encrypted(bytes.fromhex("403a01"), key=_KEY, address=_ADDRESS)
    assert refused.value.reason is DecodeReason.NO_VALUE


@pytest.mark.parametrize("length", range(len(_FRAME)))
def test_a_cut_packet_is_refused(length: int) -> None:
    with pytest.raises(DecodeError):
        decode_bthome_encrypted(_FRAME[:length], key=_KEY, address=_ADDRESS)


@given(st.integers(0, 8 * len(_FRAME) - 1))
def test_any_changed_bit_is_noticed(bit: int) -> None:
    changed = bytearray(_FRAME)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DecodeError):
        decode_bthome_encrypted(bytes(changed), key=_KEY, address=_ADDRESS)


@given(st.binary(max_size=300), st.binary(max_size=20), st.binary(max_size=8))
def test_any_bytes_open_or_are_refused(frame: bytes, key: bytes, address: bytes) -> None:
    with suppress(DecodeError):
        decode_bthome_encrypted(frame, key=key, address=address)


@given(
    st.integers(0, 255), st.binary(min_size=16, max_size=16), st.binary(min_size=6, max_size=6),
    st.integers(0, 2**32 - 1),
)  # fmt: skip  # fields by rows
def test_simulated_packet_is_read_back(event: int, key: bytes, address: bytes, counter: int) -> None:
    objects = bytes([0x00, 7, 0x3A, event])
    opened = decode_bthome_encrypted(
        bthome_sealed(objects, key=key, address=address, counter=counter), key=key, address=address
    )
    assert opened.counter == counter
    assert opened.packet == decode_bthome(b"\x40" + objects)
    assert [value.value for value in opened.packet.values] == [Decimal(7), Decimal(event)]


def test_the_seal_of_the_simulator_is_that_of_rfc_3610() -> None:
    """Packet vector 1 of the document."""
    sealed = seal(
        bytes(range(0x08, 0x1F)), key=bytes(range(0xC0, 0xD0)),
        nonce=bytes.fromhex("00000003020100a0a1a2a3a4a5"), associated=bytes(range(8)), tag_bytes=8,
    )  # fmt: skip  # fields by rows
    assert sealed.hex() == "588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0"


def test_a_gateway_without_keyed_sensors_never_loads_the_cipher() -> None:
    script = (
        "import sys\n"
        "from kanhu.edge.codecs import atc_pvvx, bthome_encrypted\n"
        "assert 'cryptography' not in sys.modules, 'loaded with the codec'\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
