"""Xiaomi MiBeacon: service data of UUID 0xFE95, plain or sealed, as the maker's miio_open describes it.

Frame control in 16 bits (3 encrypted, 4 address, 5 capability, 6 object, 12 to 15 version), product, counter, then what
its bits name. Sealed with AES-CCM, associated data 0x11: from version 4 with a tag, before with none.
"""

import struct
from dataclasses import dataclass

from kanhu.firmware_sim.errors import NotEncodable
from kanhu.firmware_sim.wire.aes_ccm import seal

_ENCRYPTED, _ADDRESS, _CAPABILITY, _OBJECT = 1 << 3, 1 << 4, 1 << 5, 1 << 6
_INPUT_OUTPUT = 1 << 5
_ASSOCIATED = b"\x11"
_TAG_BYTES = 4
_FIXED_KEY_BYTES = b"\x8d\x3d\x3c\x97"


@dataclass(frozen=True, slots=True)
class BeaconHead:
    """What every advertisement of a device begins with; `address` in printed order."""

    product: int
    counter: int
    version: int = 5
    address: bytes | None = None
    capability: int | None = None

    def frame(self, control: int) -> bytes:
        """The head, with these bits besides its own."""
        control |= self.version << 12
        more = b""
        if self.address is not None:
            control |= _ADDRESS
            more += self.address[::-1]
        if self.capability is not None:
            control |= _CAPABILITY
            more += bytes([self.capability])
            if self.capability & _INPUT_OUTPUT:
                more += b"\x01\x00"  # six digits can be typed in; reserved
        return struct.pack("<HHB", control, self.product, self.counter & 0xFF) + more


def beacon_object(name: int, data: bytes) -> bytes:
    """One object."""
    return struct.pack("<HB", name, len(data)) + data


def plain_beacon(head: BeaconHead, objects: bytes = b"") -> bytes:
    """Not encrypted; without objects it says only that the device is there."""
    return head.frame(_OBJECT if objects else 0) + objects


def sealed_beacon(head: BeaconHead, objects: bytes, *, key: bytes, sender: bytes) -> bytes:
    """Of version 4 or 5; the counter is one of 32 bits, and `sender` the address in printed order."""
    if head.version < 4:
        raise NotEncodable(f"version {head.version} has no tag")
    frame = head.frame(_ENCRYPTED | _OBJECT)
    higher = (head.counter >> 8).to_bytes(3, "little")
    nonce = sender[::-1] + frame[2:5] + higher
    sealed = seal(objects, key=key, nonce=nonce, associated=_ASSOCIATED, tag_bytes=_TAG_BYTES)
    return frame + sealed[:-_TAG_BYTES] + higher + sealed[-_TAG_BYTES:]


def sealed_beacon_without_tag(head: BeaconHead, objects: bytes, *, key: bytes, sender: bytes) -> bytes:
    """Of version 2 or 3, whose key has 12 bytes."""
    if head.version > 3 or len(key) != 12:
        raise NotEncodable(f"version {head.version}, key of {len(key)} bytes")
    frame = head.frame(_ENCRYPTED | _OBJECT)
    higher = (head.counter >> 8).to_bytes(3, "little")
    nonce = frame[:5] + higher + sender[::-1][:5]
    whole_key = key[:6] + _FIXED_KEY_BYTES + key[6:]
    sealed = seal(objects, key=whole_key, nonce=nonce, associated=_ASSOCIATED, tag_bytes=_TAG_BYTES)
    return frame + sealed[:-_TAG_BYTES] + higher + b"\x00"


def motion_object(lux: int) -> bytes:
    """Somebody moves, with the light of that moment."""
    return beacon_object(0x000F, lux.to_bytes(3, "little"))


def idle_object(seconds: int) -> bytes:
    """Nobody moved since."""
    return beacon_object(0x1017, struct.pack("<I", seconds))


def door_object(state: int) -> bytes:
    """A door sensor: 0 open, 1 closed, 2 not closed in time, 3 reset."""
    return beacon_object(0x1019, bytes([state]))


def climate_object(tenths_c: int, tenths_percent: int) -> bytes:
    """Temperature and humidity."""
    return beacon_object(0x100D, struct.pack("<hH", tenths_c, tenths_percent))


def battery_object(percent: int) -> bytes:
    """The battery."""
    return beacon_object(0x100A, bytes([percent]))


def smoke_object(state: int) -> bytes:
    """0 watching, 1 fire, 2 failure, 3 self-test, 4 simulated."""
    return beacon_object(0x1015, bytes([state]))


def press_object(button: int, kind: int) -> bytes:
    """A button: 0 single, 1 double, 2 long."""
    return beacon_object(0x1001, struct.pack("<HB", button, kind))
