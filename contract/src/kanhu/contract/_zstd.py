"""Expanding what came from the wire, never beyond a bound."""

import zstandard

from kanhu.contract.errors import MessageRefused, RefusalReason


def expand(packed: bytes, *, most_bytes: int, dictionary: zstandard.ZstdCompressionDict | None = None) -> bytes:
    """What one zstd frame holds, where it says that this is at most so many bytes.

    Raises:
        MessageRefused: it says more or nothing, or is no such frame.
    """
    try:
        claimed = zstandard.get_frame_parameters(packed).content_size
        if claimed > most_bytes:  # also where the frame does not say: zstd states that as a number near 2**64
            raise MessageRefused(RefusalReason.EXPANDS_TOO_FAR, f"claims {claimed} bytes, limit {most_bytes}")
        return zstandard.ZstdDecompressor(dict_data=dictionary).decompress(
            packed, max_output_size=most_bytes, allow_extra_data=False
        )
    except (zstandard.ZstdError, MemoryError) as error:
        raise MessageRefused(RefusalReason.BAD_COMPRESSION, str(error)) from error
