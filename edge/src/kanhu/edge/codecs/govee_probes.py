"""Decode Govee's thermometers with probes for meat. Nothing of it is a measure here.

Behind 0xFF stand the last three bytes of the address, not a company: they say nothing of the model, which its service
UUID or its name tells. Forms as in custom-components/ble_monitor@5690220 and Bluetooth-Devices/govee-ble@2d7ddd0b
(of H5055 the lower alarm stands first, as govee-ble has it: its test frame sets 20 and 177; ble_monitor swaps them).
"""

from dataclasses import dataclass
from decimal import Decimal

from kanhu.edge.codecs.advertised import piece
from kanhu.edge.codecs.govee import without_beacon
from kanhu.edge.errors import DecodeError, DecodeReason

SEEN = {
    0xEA1C: 5055, 0xF861: 5181, 0x388A: 5181, 0xEA42: 5181, 0xAAA2: 5181, 0xD14B: 5181, 0x2730: 5182, 0x67DD: 5183,
    0xE02F: 5183, 0xF79F: 5183, 0x1B36: 5184, 0x4A32: 5185, 0x0332: 5185, 0x4C32: 5185, 0xAC63: 5191, 0x3022: 5198,
}  # fmt: skip  # a table reads by rows
"""Models by the bytes of single devices that publishers met."""

_HEAD = b"\x01\x00\x01\x01"
_LENGTHS = {5055: 20, 5181: 14, 5182: 17, 5183: 14, 5184: 17, 5185: 20, 5191: 20, 5198: 20}
_OF_LENGTH = {14: 5183, 17: 5184, 20: 5198}
_IN_GROUPS = frozenset({5184, 5198})
_SIX_PROBES, _GRILL = 5055, 5191


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe, where its alarms are set, in degrees Celsius; a probe that is not plugged in has no temperature."""

    number: int
    temperature_c: Decimal | None
    high_alarm_c: Decimal | None = None
    low_alarm_c: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Probes:
    """The one or two probes of one advertisement; a device with more tells two at a time."""

    model: int
    probes: tuple[Probe, ...]
    ambient_c: Decimal | None = None  # in the grill, not in the room
    battery_percent: int | None = None


def decode_govee_probes(frame: bytes, *, model: int | None = None) -> Probes:
    """Decode manufacturer data without its first two bytes; without the model, the commonest of its length.

    Raises:
        DecodeError: it is short, has the length of none, or does not begin as theirs do.
    """
    frame = without_beacon(piece(frame, 0, len(frame)))
    if model is None:
        piece(frame, 0, min(_OF_LENGTH))
        model = _SIX_PROBES if frame[1] == 0 else _OF_LENGTH.get(len(frame))
        if model is None:
            raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"no thermometer has {len(frame)} bytes")
    if model not in _LENGTHS:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"H{model}")
    piece(frame, 0, _LENGTHS[model])
    if len(frame) > _LENGTHS[model]:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    if model == _SIX_PROBES:
        return _six_probes(frame)
    if frame[1:5] != _HEAD:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "it begins otherwise than Govee's do")
    if model == _GRILL:
        return Probes(model, (Probe(1, _at(frame, 8), _at(frame, 10)),), ambient_c=_at(frame, 14))
    first = _first(frame[6]) if model in _IN_GROUPS else 1
    if len(frame) == 14:
        return Probes(model, (Probe(first, _at(frame, 8), _at(frame, 10)),))
    if len(frame) == 17:
        second = Probe(first + 1, _at(frame, 13), _at(frame, 15))
        return Probes(model, (Probe(first, _at(frame, 8), _at(frame, 10)), second))
    # What H5185 has in the place of the lower alarms, nobody says.
    low = (_at(frame, 12), _at(frame, 18)) if model in _IN_GROUPS else (None, None)
    return Probes(
        model,
        (
            Probe(first, _at(frame, 8), _at(frame, 10), low[0]),
            Probe(first + 1, _at(frame, 14), _at(frame, 16), low[1]),
        ),
    )


def _six_probes(frame: bytes) -> Probes:
    """H5055: whole degrees, little endian; the two highest bits of byte 3 say which two of its six."""
    group = frame[3] >> 6
    if group == 3:
        raise DecodeError(DecodeReason.RESERVED_VALUE, "probes 7 and 8")
    charge = frame[2] & 0x7F
    return Probes(
        _SIX_PROBES,
        tuple(
            Probe(1 + 2 * group + more, *(_whole(frame[at + each : at + each + 2]) for each in (0, 4, 2)))
            for more, at in enumerate((5, 12))
        ),
        battery_percent=charge if 0 < charge <= 100 else None,
    )


def _first(group: int) -> int:
    """The lower bits number the pair."""
    pair = group & 0x3F
    if pair not in {1, 2}:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"probes of group 0x{group:02X}")
    return 2 * pair - 1


def _at(frame: bytes, start: int) -> Decimal | None:
    """Hundredths of a degree, big endian; below zero is none."""
    value = int.from_bytes(frame[start : start + 2], "big", signed=True)
    return None if value < 0 else value * Decimal("0.01")


def _whole(data: bytes) -> Decimal | None:
    value = int.from_bytes(data, "little", signed=True)
    return None if value < 0 else Decimal(value)
