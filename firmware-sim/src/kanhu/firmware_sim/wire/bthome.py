"""BTHome v2, plain, as a button sends it: service data of UUID 0xFCD2 in a legacy advertisement.

The device information byte, then objects with ascending ids: packet id, battery, and the button event when pressed.
"""

from enum import IntEnum

from kanhu.firmware_sim.errors import NotEncodable

_AD_FLAGS = bytes([0x02, 0x01, 0x06])  # general discoverable, no classic Bluetooth
_AD_SERVICE_DATA_16 = 0x16
_BTHOME_UUID = 0xFCD2
_VERSION_2_PLAIN_SLEEPY = 0x44  # version 2 in bits 7-5; bit 2: sends only when triggered
_OBJECT_PACKET_ID = 0x00
_OBJECT_BATTERY = 0x01
_OBJECT_BUTTON = 0x3A


class ButtonPress(IntEnum):
    """The button events of BTHome."""

    PRESS = 0x01
    DOUBLE = 0x02
    TRIPLE = 0x03
    LONG = 0x04


def press_advertisement(packet_id: int, *, battery_percent: int, press: ButtonPress) -> bytes:
    """Advertising data of one press; the button repeats it unchanged many times."""
    return _advertisement(_head(packet_id, battery_percent) + bytes([_OBJECT_BUTTON, press]))


def idle_advertisement(packet_id: int, *, battery_percent: int) -> bytes:
    """Advertising data of a button nobody pressed: it only says how its battery is."""
    return _advertisement(_head(packet_id, battery_percent))


def _head(packet_id: int, battery_percent: int) -> bytes:
    if not 0 <= packet_id <= 0xFF or not 0 <= battery_percent <= 100:
        raise NotEncodable(f"packet id {packet_id} or battery {battery_percent} is out of range")
    return bytes([_OBJECT_PACKET_ID, packet_id, _OBJECT_BATTERY, battery_percent])


def _advertisement(objects: bytes) -> bytes:
    service_data = _BTHOME_UUID.to_bytes(2, "little") + bytes([_VERSION_2_PLAIN_SLEEPY]) + objects
    return _AD_FLAGS + bytes([1 + len(service_data), _AD_SERVICE_DATA_16]) + service_data
