"""What a gateway of the fleet says of itself: docs/spec/status.md."""

from kanhu.contract import VERSION, Clock, DeviceStatus, GatewayState, Status, encode_status
from kanhu.contract.status import STATUS_VERSION
from kanhu.firmware_sim.fleet.outbox import Outbox

__all__ = ["heartbeat"]

_BATTERY_PERCENT = 80


def heartbeat(
    state: GatewayState,
    *,
    gateway: str,
    outbox: Outbox,
    last_reading_ms: int | None,
    heartbeat_s: float,
    clock: Clock,
) -> bytes:
    """One status message, or a will; its length is that of a home with one device."""
    oldest = outbox.oldest()
    cuff = DeviceStatus(
        f"cuff-{gateway}",
        "cuff-ble",
        connected=True,
        last_reading_ms=last_reading_ms,
        battery_percent=_BATTERY_PERCENT,
        accepted=outbox.accepted,
    )
    status = Status(
        version=STATUS_VERSION,
        gateway=gateway,
        epoch=outbox.epoch,
        state=state,
        boot=clock.boot,
        software=VERSION,
        sent_ms=clock.wall_ms(),
        clock=clock.state(),
        heartbeat_s=heartbeat_s,
        accepted=outbox.accepted,
        owed=outbox.owed,
        oldest_owed_ms=None if oldest is None else oldest.times.arrival_ms,
        devices=(cuff,),
    )
    return encode_status(status)
