"""How long each codec takes for a frame that its publisher has shown, with the reading that comes of it."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from kanhu.edge.errors import DecodeError
from kanhu.harness.fuzz.published import published_frames
from kanhu.harness.fuzz.targets import find_targets

__all__ = ["microseconds_a_frame"]


def microseconds_a_frame(*, seconds_each: float, tell: Callable[[str], None] = lambda _: None) -> Mapping[str, float]:
    """By codec, the best of five rounds; a codec without published frames is not measured."""
    found: dict[str, float] = {}
    for name, target in find_targets().items():
        frames = [frame for frame in published_frames(name) if _decodes(target, frame)]
        if frames:
            tell(name)
            found[name] = min(_once(target, frames, seconds_each / 5) for _ in range(5))
    return found


def _decodes(target: Callable[[bytes], object], frame: bytes) -> bool:
    with suppress(DecodeError):
        target(frame)
        return True
    return False


def _once(target: Callable[[bytes], object], frames: Sequence[bytes], seconds: float) -> float:
    began_s, rounds = time.perf_counter(), 0
    while (passed_s := time.perf_counter() - began_s) < seconds:
        for frame in frames:
            target(frame)
        rounds += 1
    return 1e6 * passed_s / (rounds * len(frames))
