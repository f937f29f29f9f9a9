"""A gateway's heartbeat and last will: JSON, because a technician reads it with any MQTT client."""

from enum import StrEnum

import msgspec

from kanhu.contract.clock import ClockState
from kanhu.contract.errors import MessageRefused, RefusalReason

STATUS_VERSION = 1
MAX_STATUS_BYTES = 16 * 1024


class GatewayState(StrEnum):
    """What a gateway says of itself; `lost` is said by the broker in its name, and is a hint only."""

    ONLINE = "online"
    STOPPED = "stopped"
    LOST = "lost"


class DeviceStatus(msgspec.Struct, frozen=True):
    """One device as the gateway sees it."""

    device: str
    kind: str
    connected: bool
    last_reading_ms: int | None = None
    battery_percent: int | None = None
    accepted: int = 0
    refused: dict[str, int] = {}


class Status(msgspec.Struct, frozen=True):
    """One heartbeat. Counters run since the outbox was made, so they survive a restart."""

    version: int
    gateway: str
    epoch: str
    state: GatewayState
    boot: str = ""
    software: str = ""
    sent_ms: int = 0
    clock: ClockState = ClockState.UNSET
    heartbeat_s: float = 0
    accepted: int = 0
    """Readings committed to the gateway's own disk."""
    refused: dict[str, int] = {}
    """Readings a device sent that could not become one, by named reason."""
    findings: int = 0
    owed: int = 0
    """Records in the outbox without the county's receipt."""
    oldest_owed_ms: int | None = None
    quarantined: int = 0
    gaps: int = 0
    restarts: dict[str, int] = {}
    """Restarts by the supervisor, by task."""
    devices: tuple[DeviceStatus, ...] = ()


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Status)


def encode_status(status: Status) -> bytes:
    """Wire bytes."""
    return _encoder.encode(status)


def decode_status(wire: bytes) -> Status:
    """Read wire bytes of any kind.

    Raises:
        MessageRefused: too large, not a status, or of another version.
    """
    if len(wire) > MAX_STATUS_BYTES:
        raise MessageRefused(RefusalReason.TOO_LARGE, f"{len(wire)} bytes, limit {MAX_STATUS_BYTES}")
    try:
        status = _decoder.decode(wire)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MessageRefused(RefusalReason.MALFORMED, str(error)) from error
    if status.version != STATUS_VERSION:
        raise MessageRefused(RefusalReason.UNKNOWN_VERSION, f"status version {status.version}")
    return status
