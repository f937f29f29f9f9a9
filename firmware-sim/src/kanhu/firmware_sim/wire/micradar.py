"""MicRadar R60ABD1, and Seeed's MR60FDA1 of the same protocol: "53 59" frames at 115200 baud (user manual V3.0).

Two bytes of head, control, command, length, data, the low byte of the sum of all before it, two bytes of tail.
"""

from kanhu.firmware_sim.errors import NotEncodable

OUT_OF_BED, IN_BED, BED_UNKNOWN = 0, 1, 2
DEEP, LIGHT, AWAKE, NO_SLEEP = 0, 1, 2, 3
NO_MOTION, STILL, ACTIVE = 0, 1, 2


def micradar_frame(control: int, command: int, data: bytes) -> bytes:
    """One frame."""
    if len(data) > 0xFFFF:
        raise NotEncodable(f"{len(data)} bytes do not fit one frame")
    counted = bytes((0x53, 0x59, control, command)) + len(data).to_bytes(2, "big") + data
    total = 0
    for byte in counted:
        total = (total + byte) % 256
    return counted + bytes((total, 0x54, 0x43))


def heartbeat() -> bytes:
    """Sent by itself, and in answer to itself."""
    return micradar_frame(0x01, 0x01, b"\x0f")


def presence(present: bool) -> bytes:
    """Sent when it changes."""
    return micradar_frame(0x80, 0x01, bytes([present]))


def motion(state: int) -> bytes:
    """NO_MOTION, STILL or ACTIVE."""
    return micradar_frame(0x80, 0x02, bytes([state]))


def body_movement(percent: int) -> bytes:
    """0 to 100, once a second."""
    return micradar_frame(0x80, 0x03, bytes([percent]))


def distance(centimetres: int) -> bytes:
    """Every two seconds."""
    return micradar_frame(0x80, 0x04, centimetres.to_bytes(2, "big"))


def position(x_cm: int, y_cm: int, z_cm: int) -> bytes:
    """Sign bit and magnitude, every two seconds."""
    data = b""
    for one in (x_cm, y_cm, z_cm):
        if abs(one) > 0x3FFF:
            raise NotEncodable(f"{one} cm does not fit 14 bits")
        data += ((0x8000 if one < 0 else 0) + abs(one)).to_bytes(2, "big")
    return micradar_frame(0x80, 0x05, data)


def breath_rate(per_minute: int) -> bytes:
    """Every three seconds; 0 where none is found."""
    return micradar_frame(0x81, 0x02, bytes([per_minute]))


def heart_rate(bpm: int) -> bytes:
    """Every three seconds; 0 where none is found."""
    return micradar_frame(0x85, 0x02, bytes([bpm]))


def fall(fallen: bool) -> bytes:
    """Of the MR60FDA1, when it changes."""
    return micradar_frame(0x83, 0x01, bytes([fallen]))


def bed(state: int) -> bytes:
    """OUT_OF_BED, IN_BED or BED_UNKNOWN."""
    return micradar_frame(0x84, 0x01, bytes([state]))


def sleep_state(state: int) -> bytes:
    """DEEP, LIGHT, AWAKE or NO_SLEEP, every ten minutes."""
    return micradar_frame(0x84, 0x02, bytes([state]))
