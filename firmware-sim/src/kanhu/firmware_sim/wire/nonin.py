"""Nonin serial data format 2."""

from collections.abc import Mapping

PACKET_FRAMES = 25


def nonin_frame(status: int, pleth: int, value: int) -> bytes:
    """01, status with its highest bit set, pleth, a value of the packet, the sum of these."""
    data = bytes([0x01, 0x80 | status, pleth, value])
    return data + bytes([sum(data) % 0x100])


def nonin_packet(
    *, heart_rate_bpm: int, spo2_percent: int, revision: int = 48, status: Mapping[int, int] = {}
) -> bytes:
    """25 frames, with the same rate and saturation in each place; 511 and 127 are no value; `status` by frame."""
    values = dict.fromkeys(range(1, PACKET_FRAMES + 1), 0)
    for place in (1, 14, 20, 22):
        values[place], values[place + 1] = heart_rate_bpm >> 7, heart_rate_bpm & 0x7F
    values |= dict.fromkeys((3, 9, 10, 11, 16, 17), spo2_percent)
    values[4] = revision
    return b"".join(
        nonin_frame(status.get(place, 0) | (place == 1), 0, values[place]) for place in range(1, PACKET_FRAMES + 1)
    )
