"""Advertisements come from anybody near: whatever their bytes, the radio keeps listening."""

from bumble.device import Advertisement
from bumble.hci import Address
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.transports.bumble_advertisement import advertisement_data

_ADDRESS = Address("F0:0D:00:00:00:05")
_BTHOME = "0000fcd2-0000-1000-8000-00805f9b34fb"


def heard(data: bytes) -> Advertisement:
    return Advertisement(address=_ADDRESS, data_bytes=data)


@given(st.binary(max_size=255))
def test_any_bytes_are_heard_without_harm(data: bytes) -> None:
    advertisement_data(heard(data))


_KINDS = [0x02, 0x03, 0x06, 0x07, 0x08, 0x09, 0x16, 0x20, 0x21, 0xFF]


@given(st.lists(st.tuples(st.sampled_from(_KINDS), st.binary(max_size=40)), max_size=6))
def test_any_known_structure_is_heard_without_harm(structures: list[tuple[int, bytes]]) -> None:
    advertisement_data(heard(b"".join(bytes([len(body) + 1, kind]) + body for kind, body in structures)))


def test_service_data_names_and_services_are_read() -> None:
    data = advertisement_data(heard(bytes.fromhex("0201060303 0d180916 d2fc 44 0001 3a01 000409 61626305ff 4c00 0102")))
    assert data.service_data == {_BTHOME: bytes.fromhex("4400013a0100")}
    assert data.service_uuids == ["0000180d-0000-1000-8000-00805f9b34fb"]
    assert data.local_name == "abc"
    assert data.manufacturer_data == {0x004C: b"\x01\x02"}
