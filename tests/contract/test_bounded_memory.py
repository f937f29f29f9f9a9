"""A bomb of any kind costs bounded memory and time, measured from outside the decoder's own accounting."""

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import pytest
import zstandard

from kanhu.contract import MessageRefused, RefusalReason, decode_envelope
from kanhu.contract.envelope import MAX_BODY_BYTES, MAX_ENVELOPE_BYTES, encode_body
from tests.contract.test_envelope import batch

MOST_BYTES = 64 * 1024 * 1024  # of the 96 MB a gateway's or an ingest worker's cgroup leaves
MOST_CPU_S = 2.0


def zeros(*, size: int, says_size: int | None) -> bytes:
    """A frame of zeros; what it says of its size is the sender's choice."""
    packed = zstandard.ZstdCompressor(write_content_size=says_size is not None).compress(bytes(size))
    if says_size is not None and says_size != size:
        stated = size.to_bytes(4, "little")
        assert packed.count(stated, 0, 20) == 1
        packed = packed.replace(stated, says_size.to_bytes(4, "little"), 1)
    return b"KH\x01\x01" + packed


def crowded(**changes: object) -> bytes:
    """A body of nearly MAX_BODY_BYTES that is all small objects."""
    names = ("gateway", "epoch", "seqs", "origins", "origin", "whole", "arrival_ms", "mono_ns", "device_ms",
             "earliest_ms", "latest_ms", "lengths", "steps")  # fmt: skip
    fields = dict(zip(names, msgspec.msgpack.decode(encode_body(batch(3))), strict=True))
    body = msgspec.msgpack.encode([*(fields | changes).values()])
    assert len(body) <= MAX_BODY_BYTES
    wire = b"KH\x01\x01" + zstandard.ZstdCompressor(level=9).compress(body)
    assert len(wire) <= MAX_ENVELOPE_BYTES
    return wire


GAP = ["g", "outbox_full", "", [[1, 1]] * 340_000, 0, 0, [0, 0, "", "unset"]]
FINDING = ["f", "", "", "", ["resident", ""], "low", "start", "", [0, 0, "", "unset"]]
ORIGIN = ["heart_rate", ["heart_rate"], ["resident", ""], "", "", "unset", ["ok", []], [None] * 4]


@dataclass(frozen=True)
class Bomb:
    """What a hostile sender makes, only when it is wanted, and how it is refused."""

    name: str
    make: Callable[[], bytes]
    reason: RefusalReason


_BOUND = MAX_BODY_BYTES
_MANY_PARTS = [ORIGIN[0], ["a"] * 500_000, *ORIGIN[2:]]
_MUCH_EVIDENCE = [*FINDING, [["", 0, "", "", 0, 0]] * 140_000]
_MANY_PARAMETERS = [*FINDING, [], {f"{n:x}": "" for n in range(100_000)}]
BOMBS = [
    Bomb("one that says 100 MB", lambda: zeros(size=10**8, says_size=10**8), RefusalReason.EXPANDS_TOO_FAR),
    Bomb("one that does not say", lambda: zeros(size=10**8, says_size=None), RefusalReason.EXPANDS_TOO_FAR),
    Bomb("one that lies", lambda: zeros(size=10**8, says_size=10**5), RefusalReason.BAD_COMPRESSION),
    Bomb("one byte over", lambda: zeros(size=_BOUND + 1, says_size=_BOUND + 1), RefusalReason.EXPANDS_TOO_FAR),
    Bomb("zeros to the bound", lambda: zeros(size=_BOUND, says_size=_BOUND), RefusalReason.MALFORMED),
    Bomb("a million steps", lambda: crowded(steps=[1] * 1_000_000), RefusalReason.INCONSISTENT),
    Bomb("wide steps", lambda: crowded(steps=[2**62] * 110_000), RefusalReason.INCONSISTENT),
    Bomb("a million numbers", lambda: crowded(seqs=[1] * 1_000_000), RefusalReason.MALFORMED),
    Bomb("lengths", lambda: crowded(lengths=[1, 1] * 250_000), RefusalReason.INCONSISTENT),
    Bomb("origins", lambda: crowded(origins=[ORIGIN] * 15_000), RefusalReason.MALFORMED),
    Bomb("an origin of many parts", lambda: crowded(origins=[_MANY_PARTS]), RefusalReason.MALFORMED),
    Bomb("a gap of many ranges", lambda: crowded(whole=[GAP]), RefusalReason.MALFORMED),
    Bomb("endless evidence", lambda: crowded(whole=[_MUCH_EVIDENCE]), RefusalReason.MALFORMED),
    Bomb("endless parameters", lambda: crowded(whole=[_MANY_PARAMETERS]), RefusalReason.MALFORMED),
]


def peak_bytes(decode: Callable[[bytes], object], wire: bytes) -> int:
    tracemalloc.start()
    try:
        decode(wire)
    except MessageRefused:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb.name)
def test_a_bomb_is_refused_within_bounded_memory_and_time(bomb: Bomb) -> None:
    wire = bomb.make()
    before_s = time.process_time()
    with pytest.raises(MessageRefused) as caught:
        decode_envelope(wire)
    assert time.process_time() - before_s < MOST_CPU_S
    assert caught.value.reason is bomb.reason
    assert peak_bytes(decode_envelope, wire) < MOST_BYTES


def test_a_decoder_without_the_bound_is_caught() -> None:
    wire = zeros(size=10**8, says_size=None)
    assert peak_bytes(lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data[4:]), wire) > MOST_BYTES


# The memory of the C libraries as well, which tracemalloc does not see: the peak of a fresh process.
_FRESH = """
import resource, sys
from kanhu.contract import MessageRefused, decode_envelope
before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for line in sys.stdin:
    try:
        decode_envelope(bytes.fromhex(line))
    except MessageRefused as refusal:
        print(refusal.reason.value)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib)
"""


def test_all_bombs_together_leave_the_process_small() -> None:
    lines = "\n".join(bomb.make().hex() for bomb in BOMBS)
    done = subprocess.run(
        [sys.executable, "-c", _FRESH], input=lines, capture_output=True, text=True, check=True, timeout=60
    )
    *reasons, grown_kib = done.stdout.split()
    assert reasons == [bomb.reason.value for bomb in BOMBS]
    assert int(grown_kib) * 1024 < MOST_BYTES
