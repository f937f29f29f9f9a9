"""What stands before the body of a message: two letters, a version, a compression; and the body, never too large."""

from collections.abc import Mapping
from dataclasses import dataclass

import zstandard

from kanhu.contract.errors import MessageRefused, RefusalReason

HEADER_BYTES = 4
PLAIN = 0
"""The compression of a body that is not compressed."""


@dataclass(frozen=True, slots=True)
class Framing:
    """How one kind of message begins, and how large it may be."""

    magic: bytes
    version: int
    named: str
    """What the version is of."""
    most_bytes: int
    most_body_bytes: int
    dictionaries: Mapping[int, zstandard.ZstdCompressionDict | None]
    """By compression other than PLAIN; None for zstd without one."""

    def header(self, compression: int) -> bytes:
        """The first bytes of a message."""
        return bytes((*self.magic, self.version, compression))

    def body(self, wire: bytes) -> bytes:
        """The rest, expanded.

        Raises:
            MessageRefused: empty, too large, of another kind or version, or a body that does not expand.
        """
        if not wire:
            raise MessageRefused(RefusalReason.EMPTY, "no bytes")
        if len(wire) > self.most_bytes:
            raise MessageRefused(RefusalReason.TOO_LARGE, f"{len(wire)} bytes, limit {self.most_bytes}")
        if wire[:2] != self.magic or len(wire) <= HEADER_BYTES:
            raise MessageRefused(RefusalReason.NOT_KANHU, f"does not begin with {self.magic.decode()}")
        version, compression, packed = wire[2], wire[3], wire[HEADER_BYTES:]
        if version != self.version:
            detail = f"{self.named} {version}, this software reads {self.version}"
            raise MessageRefused(RefusalReason.UNKNOWN_VERSION, detail)
        if compression == PLAIN:
            return packed
        if compression not in self.dictionaries:
            raise MessageRefused(RefusalReason.UNKNOWN_COMPRESSION, f"compression {compression}")
        return _expand(packed, most_bytes=self.most_body_bytes, dictionary=self.dictionaries[compression])


def _expand(packed: bytes, *, most_bytes: int, dictionary: zstandard.ZstdCompressionDict | None) -> bytes:
    try:
        claimed = zstandard.get_frame_parameters(packed).content_size
        if claimed > most_bytes:  # also where the frame does not say: zstd states that as a number near 2**64
            raise MessageRefused(RefusalReason.EXPANDS_TOO_FAR, f"claims {claimed} bytes, limit {most_bytes}")
        return zstandard.ZstdDecompressor(dict_data=dictionary).decompress(
            packed, max_output_size=most_bytes, allow_extra_data=False
        )
    except (zstandard.ZstdError, MemoryError) as error:
        raise MessageRefused(RefusalReason.BAD_COMPRESSION, str(error)) from error
