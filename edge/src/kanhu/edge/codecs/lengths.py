"""The length of frames that have one length only."""

from kanhu.edge.errors import DecodeError, DecodeReason


def check_length(frame: bytes, count: int) -> None:
    """Refuse a frame that has not `count` bytes.

    Raises:
        DecodeError: it is shorter or longer.
    """
    if len(frame) != count:
        reason = DecodeReason.SHORT if len(frame) < count else DecodeReason.TOO_LONG
        raise DecodeError(reason, f"{len(frame)} bytes, not {count}")
