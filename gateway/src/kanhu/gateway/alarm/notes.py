"""Notes about the alarm in the outbox, for the doctor and the heartbeat."""

from collections.abc import Mapping

PIN_TRIED = "alarm_pin_tried"
"""When the contacts file was last changed, of a PIN that was tried and not accepted; else 0."""

_FAULT = "alarm_fault:"  # then the part and the reason; 1 where it is so, 0 where it was
_PARTS = {"sms": "modem"}


def part_of(channel: str) -> str:
    """The equipment that a way of telling needs: `voice`, `light` or `modem`; of messages that is one for all."""
    return _PARTS.get(channel, channel)


def faults(notes: Mapping[str, int]) -> dict[str, str]:
    """Parts that did not work when they were last used or looked at, each with its named reason."""
    found = (name.removeprefix(_FAULT).split(":", 1) for name, is_so in notes.items() if is_so and _is_fault(name))
    return dict(sorted((part, reason) for part, reason in found))


def with_fault(notes: Mapping[str, int], part: str, reason: str) -> dict[str, int]:
    """What to write so that this part has this fault and no other, an empty reason meaning none; only what changes."""
    of_part = f"{_FAULT}{part}:"
    wanted = dict.fromkeys((name for name in notes if name.startswith(of_part)), 0)
    if reason:
        wanted[of_part + reason] = 1
    return {name: value for name, value in wanted.items() if notes.get(name, 0) != value}


def _is_fault(name: str) -> bool:
    return name.startswith(_FAULT) and name.count(":") > 1
