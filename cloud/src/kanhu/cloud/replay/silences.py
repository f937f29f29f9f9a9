"""When the county hears each gateway: the stretches between silences, and the heartbeats that count in them."""

import zlib
from collections.abc import Iterable, Iterator

from kanhu.cloud.replay.virtual_gateway import HEARTBEAT_MS
from kanhu.contract.recording import Silence

__all__ = ["first_beat_ms", "heard", "last_beat_ms"]


def heard(silences: Iterable[Silence], gateway: str, *, starts_ms: int, ends_ms: int) -> Iterator[tuple[int, int]]:
    """Stretches in which a gateway is heard, rising and disjoint, each up to and without its end."""
    at_ms = starts_ms
    for silence in sorted((one for one in silences if one.gateway == gateway), key=lambda one: one.from_ms):
        if silence.from_ms > at_ms:
            yield at_ms, min(silence.from_ms, ends_ms)
        at_ms = max(at_ms, silence.to_ms)
        if at_ms >= ends_ms:
            return
    yield at_ms, ends_ms


def first_beat_ms(gateway: str, heard_from_ms: int, *, starts_ms: int) -> int:
    """Who comes back says hello at once; at the start of a recording all have been there, each in its own rhythm."""
    if heard_from_ms != starts_ms:
        return heard_from_ms
    return starts_ms + zlib.crc32(gateway.encode()) % (HEARTBEAT_MS // 1000) * 1000


def last_beat_ms(first_ms: int, heard_to_ms: int) -> int:
    """The last heartbeat of a stretch that began with `first_ms`."""
    return first_ms + max(0, heard_to_ms - 1 - first_ms) // HEARTBEAT_MS * HEARTBEAT_MS
