"""Everything that can go wrong between a device and its reading.

EdgeError
├── DecodeError     a reading a device sent that cannot become an observation; carries a named reason
├── KindUnusable    a kind of device whose package cannot be used; carries its name
├── DeviceRefused   a device's settings contradict each other; carries the device, the field and the remedy
├── ReplayRefused   a line of a replayed file that is not an observation; carries its number
├── CaptureRefused  a line of a capture that is none; carries its number
└── LinkLost        a port, radio or connection that is gone; carries a named reason
"""

from enum import StrEnum


class DecodeReason(StrEnum):
    """Why a reading was refused. Counted by gateways and shown to staff, so the words never change their meaning."""

    SHORT = "short"
    """The frame ends before its own flags say so."""
    TOO_LONG = "too_long"
    """The frame is longer than its format can be."""
    NOT_SYNCHRONISED = "not_synchronised"
    """Framing bits contradict the format."""
    RESERVED_VALUE = "reserved_value"
    """A value the specification keeps for later."""
    NOT_A_NUMBER = "not_a_number"
    """The device measured and says that it has no result."""
    NOT_AT_THIS_RESOLUTION = "not_at_this_resolution"
    """The device has a result and cannot express it."""
    INFINITE = "infinite"
    """The device's own range was left."""
    NO_VALUE = "no_value"
    """A zero where the device means: nothing found."""
    NO_CONTACT = "no_contact"
    """A sensor that says it touches nobody, and has no value."""
    ENCRYPTED = "encrypted"
    """Bytes under a key that this gateway does not hold."""
    CHECKSUM_WRONG = "checksum_wrong"
    """Bytes were changed on the way."""
    UNPROVEN = "unproven"
    """The device has a key, and this was sent without it or was heard before: anybody near may have sent it."""
    UNSUPPORTED_VERSION = "unsupported_version"
    """A version of the format that was not written down when this was built."""
    NO_VALID_PACKETS = "no_valid_packets"
    """A whole window of an oximeter without one usable packet."""
    WINDOW_INCOMPLETE = "window_incomplete"
    """An oximeter fell silent before a window was full."""
    CARD_UNKNOWN = "card_unknown"
    """A card or a barcode that was read whole, and chooses nobody here."""
    CODEC_FAILED = "codec_failed"
    """The codec itself is defective: it raised what it may not raise. Worth a report to who wrote it."""
    BACKLOG_FULL = "backlog_full"
    """More readings wait for the disk than may wait."""


class LinkReason(StrEnum):
    """The state of the way to a device, and why it is so."""

    STARTING = "starting"
    OPEN = "open"
    CONNECTED = "connected"
    LISTENING = "listening"
    """The radio listens; the device has not been heard yet."""
    HEARD = "heard"
    GARBLED = "garbled"
    """Bytes come, and nothing among them is a packet: another kind of device, or another speed."""
    OPEN_FAILED = "open_failed"
    UNPLUGGED = "unplugged"
    REPLACED = "replaced"
    """The path now leads to another device."""
    CONNECT_FAILED = "connect_failed"
    TIMED_OUT = "timed_out"
    SERVICE_MISSING = "service_missing"
    NOT_PAIRED = "not_paired"
    """The device tells nothing before it is paired; pairing is tried on the next link."""
    DISCONNECTED = "disconnected"
    RADIO_LOST = "radio_lost"
    BACKEND_MISSING = "backend_missing"
    """The library for this kind of radio or port is not installed."""


class EdgeError(Exception):
    """Base of this part's errors."""


class DecodeError(EdgeError):
    """A reading that cannot become an observation."""

    def __init__(self, reason: DecodeReason, detail: str) -> None:
        """Keep the named reason; `detail` is for people."""
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


class DeviceRefused(EdgeError, ValueError):
    """Settings of a device that contradict each other."""

    def __init__(self, device: str, field: str, remedy: str) -> None:
        """Keep what to mend."""
        super().__init__(f"device {device!r}, {field}: {remedy}")
        self.device = device
        self.field = field
        self.remedy = remedy


class KindUnusable(EdgeError):
    """A kind of device that another package ships and that cannot be used."""

    def __init__(self, kind: str, detail: str) -> None:
        """Keep which."""
        super().__init__(f"kind {kind!r}: {detail}")
        self.kind = kind
        self.detail = detail


class ReplayRefused(EdgeError):
    """A line of a replayed file that is not an observation."""

    def __init__(self, line: int, detail: str) -> None:
        """Keep the number of the line, counted from one."""
        super().__init__(f"line {line}: {detail}")
        self.line = line
        self.detail = detail


class CaptureRefused(EdgeError):
    """A line of a capture that says nothing that a transport hands over."""

    def __init__(self, line: int, detail: str) -> None:
        """Keep the number of the line, counted from one."""
        super().__init__(f"line {line}: {detail}")
        self.line = line
        self.detail = detail


class LinkLost(EdgeError):
    """A port, radio or connection that is gone."""

    def __init__(self, reason: LinkReason, detail: str) -> None:
        """Keep the named reason; `detail` is for people."""
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
