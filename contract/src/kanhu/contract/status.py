"""A gateway's heartbeat and last will: JSON, because a technician reads it with any MQTT client."""

from enum import StrEnum
from typing import Annotated

import msgspec

from kanhu.contract.clock import ClockState
from kanhu.contract.errors import InvalidTopic, MessageRefused, MessageTooLarge, RefusalReason
from kanhu.contract.timeline import MAX_BOOTS, Boot
from kanhu.contract.topics import check_gateway_id

STATUS_VERSION = 1
MAX_STATUS_BYTES = 60 * 1024
"""As for an envelope: room for about 300 devices."""

MAX_TALLIED = 256
"""Residents counted by themselves in one status."""

MAX_REQUESTS = 8
"""Numbers of requests in one heartbeat."""

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]  # what SQLite and PostgreSQL can hold
_Seconds = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_Text = Annotated[str, msgspec.Meta(max_length=128)]


class GatewayState(StrEnum):
    """What a gateway says of itself; `lost` is said by the broker in its name, and is a hint only."""

    ONLINE = "online"
    STOPPED = "stopped"
    LOST = "lost"


class DeviceStatus(msgspec.Struct, frozen=True):
    """One device as the gateway sees it."""

    device: _Text
    kind: _Text
    connected: bool
    last_reading_ms: _Count | None = None
    battery_percent: _Count | None = None
    accepted: _Count = 0
    refused: dict[_Text, _Count] = {}
    clock_error_s: _Seconds | msgspec.UnsetType = msgspec.UNSET
    """By how much its own clock is off, ahead counts positive; absent where it has none, or nobody knows."""
    clock_corrected_s: _Seconds | msgspec.UnsetType = msgspec.UNSET
    """By how much it was off before the gateway last set it; 0 where that could not be read."""


class Running(msgspec.Struct, frozen=True):
    """How long the machine has run, and what is known of when it did."""

    mono_ns: _Count
    """Monotonic clock when this was written, nanoseconds since `boot`; the county's receipt names it again."""
    boots: Annotated[tuple[Boot, ...], msgspec.Meta(max_length=MAX_BOOTS)] = ()
    """This boot and those before it, oldest first."""


UNDER_WAY = "under_way"
"""Of a way of telling: an attempt has begun and its end is not known yet."""
_MAX_WAYS = 16
MAX_ALONE = 8
"""Alarms named in one heartbeat, oldest first."""


class Alone(msgspec.Struct, frozen=True):
    """One alarm that a gateway runs by itself, because the county has not confirmed the finding."""

    alert: _Text
    ways: Annotated[dict[_Text, _Text], msgspec.Meta(max_length=_MAX_WAYS)] = {}
    """How far each way of telling has come, such as `voice`, `sms:family`: UNDER_WAY, or how it last came out."""


class AlarmStatus(msgspec.Struct, frozen=True):
    """What a gateway can tell people with by itself, what of it is broken, and what it does with it now."""

    fitted: Annotated[tuple[_Text, ...], msgspec.Meta(max_length=_MAX_WAYS)] = ()
    faults: Annotated[dict[_Text, _Text], msgspec.Meta(max_length=_MAX_WAYS)] = {}
    """Why a part did not work when it was last used or looked at: `voice`, `light` or `modem`, and a named reason."""
    alone: Annotated[tuple[Alone, ...], msgspec.Meta(max_length=MAX_ALONE)] = ()
    """Alarms about which something was begun."""


class ReleaseStatus(msgspec.Struct, frozen=True):
    """What a gateway was given from afar."""

    number: _Count = 0
    """Release that runs, or is on trial; 0: what the gateway came with."""
    refused: _Count = 0
    """The last one that was refused and is remembered; 0: none."""
    reason: _Text = ""
    """Why, a word of ReleaseReason."""


class ReadingCount(msgspec.Struct, frozen=True):
    """Readings of one resident behind `since`; an empty name stands for all others together."""

    resident: _Text
    accepted: _Count
    confirmed: _Count
    """Owed no more on the county's receipt; less again once the county lost them and asked for them."""
    lost: _Count
    """Named in gaps."""

    @property
    def owed(self) -> int:
        """What the gateway still has."""
        return self.accepted - self.confirmed - self.lost


class Tally(msgspec.Struct, frozen=True):
    """Readings by resident at one moment of the outbox."""

    seq: _Count
    """The last number given out then: readings up to it are counted, and none after it."""
    residents: Annotated[tuple[ReadingCount, ...], msgspec.Meta(max_length=MAX_TALLIED)]
    since: _Count = 0
    """Readings up to this number are not counted: 0, but for an outbox that is older than its counting."""


class Status(msgspec.Struct, frozen=True):
    """One heartbeat. Counters run since the outbox was made, so they survive a restart."""

    version: int
    gateway: _Text
    epoch: _Text
    state: GatewayState
    boot: _Text = ""
    software: _Text = ""
    sent_ms: _Count = 0
    clock: ClockState = ClockState.UNSET
    heartbeat_s: Annotated[float, msgspec.Meta(ge=0)] = 0
    accepted: _Count = 0
    """Readings committed to the gateway's own disk."""
    refused: dict[_Text, _Count] = {}
    """Readings a device sent that could not become one, by named reason."""
    findings: _Count = 0
    owed: _Count = 0
    """Records in the outbox without the county's receipt."""
    oldest_owed_ms: _Count | None = None
    quarantined: _Count = 0
    gaps: _Count = 0
    restarts: dict[_Text, _Count] = {}
    """Restarts by the supervisor, by task."""
    devices: tuple[DeviceStatus, ...] = ()
    running: Running | msgspec.UnsetType = msgspec.UNSET
    alarm: AlarmStatus | msgspec.UnsetType = msgspec.UNSET
    """Absent where the gateway does not say."""
    release: ReleaseStatus | msgspec.UnsetType = msgspec.UNSET
    """Absent where the gateway takes nothing from afar."""
    tally: Tally | msgspec.UnsetType = msgspec.UNSET
    requests: Annotated[tuple[_Count, ...], msgspec.Meta(max_length=MAX_REQUESTS)] | msgspec.UnsetType = msgspec.UNSET
    """Numbers of the county's last requests that were taken, oldest first; absent where none ever is."""

    @property
    def boots(self) -> tuple[Boot, ...]:
        """What is known of this boot and those before it; empty where it was not said."""
        return self.running.boots if isinstance(self.running, Running) else ()

    @property
    def mono_ns(self) -> int:
        """Monotonic clock when this was written; 0 where it was not said."""
        return self.running.mono_ns if isinstance(self.running, Running) else 0


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Status)


def encode_status(status: Status) -> bytes:
    """Wire bytes.

    Raises:
        MessageTooLarge: over MAX_STATUS_BYTES.
    """
    wire = _encoder.encode(status)
    if len(wire) > MAX_STATUS_BYTES:
        raise MessageTooLarge(RefusalReason.TOO_LARGE, f"{len(wire)} bytes, limit {MAX_STATUS_BYTES}")
    return wire


def decode_status(wire: bytes) -> Status:
    """Read wire bytes of any kind.

    Raises:
        MessageRefused: too large, not a status, of another version, or without a gateway's id.
    """
    if len(wire) > MAX_STATUS_BYTES:
        raise MessageRefused(RefusalReason.TOO_LARGE, f"{len(wire)} bytes, limit {MAX_STATUS_BYTES}")
    try:
        status = _decoder.decode(wire)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MessageRefused(RefusalReason.MALFORMED, str(error)) from error
    if status.version != STATUS_VERSION:
        raise MessageRefused(RefusalReason.UNKNOWN_VERSION, f"status version {status.version}")
    try:
        check_gateway_id(status.gateway)
    except InvalidTopic as error:
        raise MessageRefused(RefusalReason.INCONSISTENT, str(error)) from error
    return status
