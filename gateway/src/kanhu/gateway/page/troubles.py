"""What is wrong with the box and its devices, so that somebody on the spot can mend it."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from kanhu.contract import ClockState
from kanhu.edge.devices import DeviceSeen
from kanhu.edge.errors import LinkReason

LOW_BATTERY_PERCENT = 20
"""Project choice: a cuff on two cells measures some days more at a fifth, enough to fetch new ones."""

_NOT_PLUGGED_IN = frozenset({LinkReason.UNPLUGGED, LinkReason.OPEN_FAILED, LinkReason.REPLACED})


class TroubleKind(StrEnum):
    """Each has a sentence in words.py under the same key."""

    CARD_FAILED = "card_failed"
    CARD_FULL = "card_full"
    CLOCK_UNSET = "clock_unset"
    RADIO_LOST = "radio_lost"
    SOFTWARE_MISSING = "software_missing"
    DEVICE_LOST = "device_lost"
    BATTERY_LOW = "battery_low"
    CLOCK_UNSURE = "clock_unsure"


class Trouble(NamedTuple):
    """One thing that somebody should see to."""

    kind: TroubleKind
    device: DeviceSeen | None = None
    percent: int = 0


def troubles(
    seen: Iterable[DeviceSeen], *, clock: ClockState, card_failed: bool, fullness: float, confirmed: bool
) -> tuple[Trouble, ...]:
    """Most urgent first. `fullness` is the share of the outbox in use; `confirmed`: the county has told the time.

    A Bluetooth device that is not connected is no trouble: a cuff sleeps until it is used.
    """
    devices = list(seen)
    found = [_of_device(device) for device in devices]
    every = [trouble for trouble in found if trouble is not None]
    every += [
        Trouble(TroubleKind.BATTERY_LOW, device, device.battery_percent)
        for device in devices
        if device.battery_percent is not None and device.battery_percent <= LOW_BATTERY_PERCENT
    ]
    if card_failed:
        every.append(Trouble(TroubleKind.CARD_FAILED))
    if fullness > _NEARLY_FULL:
        every.append(Trouble(TroubleKind.CARD_FULL))
    if clock is ClockState.UNSET:
        every.append(Trouble(TroubleKind.CLOCK_UNSET))
    elif clock is ClockState.RESTORED and not confirmed:
        every.append(Trouble(TroubleKind.CLOCK_UNSURE))
    order = list(TroubleKind)
    return tuple(sorted(dict.fromkeys(every), key=lambda trouble: order.index(trouble.kind)))


_NEARLY_FULL = 0.9


def _of_device(device: DeviceSeen) -> Trouble | None:
    if device.connected:
        return None
    if device.reason is LinkReason.BACKEND_MISSING:
        return Trouble(TroubleKind.SOFTWARE_MISSING, device)
    if device.reason is LinkReason.RADIO_LOST:
        return Trouble(TroubleKind.RADIO_LOST)
    if device.reason in _NOT_PLUGGED_IN:
        return Trouble(TroubleKind.DEVICE_LOST, device)
    return None
