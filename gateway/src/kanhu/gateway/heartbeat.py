"""The heartbeat: what a gateway says of itself, from what is committed and what is seen."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import msgspec

from kanhu.contract import VERSION, AlarmStatus, Clock, DeviceStatus, GatewayState, Running, Status
from kanhu.contract.status import STATUS_VERSION, ReadingCount, Tally
from kanhu.edge.devices import DeviceSeen
from kanhu.gateway._tally import TALLY_SINCE
from kanhu.gateway.config import DeviceSection
from kanhu.gateway.device_clocks import DeviceClocks
from kanhu.gateway.outbox import Outbox

_REFUSED = "refused:"


def heartbeat(
    outbox: Outbox,
    *,
    gateway: str,
    state: GatewayState,
    heartbeat_s: float,
    clock: Clock,
    running: Running,
    devices: Sequence[DeviceSection] = (),
    seen: Mapping[str, DeviceSeen] | None = None,
    last_reading_ms: Mapping[str, int] | None = None,
    restarts: Mapping[str, int] | None = None,
    clocks: DeviceClocks | None = None,
    alarm: Callable[[Outbox], AlarmStatus] | None = None,
) -> Status:
    """One heartbeat; runs in the outbox's thread."""
    counters = outbox.counters()
    owed = outbox.owed()
    return Status(
        version=STATUS_VERSION,
        gateway=gateway,
        epoch=outbox.epoch,
        state=state,
        boot=clock.boot,
        software=VERSION,
        sent_ms=clock.wall_ms(),
        clock=clock.state(),
        heartbeat_s=heartbeat_s,
        running=running,
        accepted=sum(count for (_, name), count in counters.items() if name == "accepted"),
        refused=refusals(counters),
        findings=counters.get(("", "findings"), 0),
        owed=owed.total,
        oldest_owed_ms=owed.oldest_ms,
        quarantined=counters.get(("", "quarantined"), 0),
        gaps=counters.get(("", "dropped"), 0),
        restarts=dict(restarts or {}),
        alarm=msgspec.UNSET if alarm is None else alarm(outbox),
        devices=tuple(
            _with_clock(_device(device, counters, (seen or {}), (last_reading_ms or {})), clocks) for device in devices
        ),
    )


def tallied(outbox: Outbox) -> Tally:
    """Readings by resident as they stand now; runs in the outbox's thread."""
    counts = (
        ReadingCount(resident, one.accepted, one.confirmed, one.lost) for resident, one in outbox.tallies().items()
    )
    return Tally(outbox.last_seq, tuple(counts), outbox.notes().get(TALLY_SINCE, 0))


def _device(
    device: DeviceSection,
    counters: Mapping[tuple[str, str], int],
    seen: Mapping[str, DeviceSeen],
    last_reading_ms: Mapping[str, int],
) -> DeviceStatus:
    now = seen.get(device.id)
    return DeviceStatus(
        device=device.id,
        kind=device.kind,
        connected=now is not None and now.connected,
        last_reading_ms=last_reading_ms.get(device.id),
        battery_percent=None if now is None else now.battery_percent,
        accepted=counters.get((device.id, "accepted"), 0),
        refused=refusals({key: count for key, count in counters.items() if key[0] == device.id}),
    )


def _with_clock(device: DeviceStatus, clocks: DeviceClocks | None) -> DeviceStatus:
    if clocks is None:
        return device
    return msgspec.structs.replace(
        device,
        clock_error_s=clocks.errors_s.get(device.device, msgspec.UNSET),
        clock_corrected_s=clocks.corrected_s.get(device.device, msgspec.UNSET),
    )


def refusals(counters: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Refused readings, by reason."""
    refused: Counter[str] = Counter()
    for (_, name), count in counters.items():
        if name.startswith(_REFUSED):
            refused[name.removeprefix(_REFUSED)] += count
    return dict(refused)
