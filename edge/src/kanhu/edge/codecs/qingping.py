"""Decode Qingping and ClearGrass sensors (service data of UUID 0xFDCD).

Flags, model, address reversed, then values of id, length and bytes. An unknown id is passed over by its length.
"""

from dataclasses import dataclass
from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, battery, piece, signed, unsigned

SERVICE_UUID = "0000fdcd-0000-1000-8000-00805f9b34fb"

CONTACT_MODEL = 0x04
"""CGH1, the door sensor."""

_COUNTER = 0x0F
_BATTERY_MASK = 0x7F  # a published clock on external power sets the bit above
_CLOSED, _LEFT_OPEN = 1, 2


@dataclass(frozen=True, slots=True)
class Qingping:
    """One advertisement."""

    model: int
    told: Advertisement
    unknown: tuple[int, ...]  # ids that were passed over


def decode_qingping(frame: bytes) -> Qingping:
    """Decode one frame.

    Raises:
        DecodeError: it ends within its head or within a value.
    """
    head = piece(frame, 0, 8)
    model = head[1]
    values: list[Quantity] = []
    unknown: list[int] = []
    packet: int | None = None
    offset = len(head)
    while offset < len(frame):
        name, length = piece(frame, offset, 2)
        data = piece(frame, offset + 2, length)
        offset += 2 + length
        if (name, length) == (_COUNTER, 1) and packet is None:
            packet = data[0]
            continue
        found = _values(model, name, data)
        if found is None:
            unknown.append(name)
        else:
            values.extend(found)
    return Qingping(model, Advertisement(tuple(values), address=head[:1:-1], packet=packet), tuple(unknown))


def _values(model: int, name: int, data: bytes) -> tuple[Quantity, ...] | None:
    """None for an id, or a length of it, that is not known."""
    match name, len(data):
        case 0x01, 4:
            return (
                Quantity("temperature_c", signed(data[:2], "0.1")),
                Quantity("humidity_percent", unsigned(data[2:], "0.1")),
            )
        case 0x02, 1:
            return battery(data[0] & _BATTERY_MASK)
        case 0x07, 2:
            return (Quantity("pressure_hpa", unsigned(data, "0.1")),)
        case 0x08, 4:
            return (
                Quantity("motion", Decimal(int(bool(data[0])))),
                Quantity("illuminance_lx", unsigned(data[1:])),
            )
        case 0x09, 4:
            return (Quantity("illuminance_lx", unsigned(data)),)
        case 0x11, 1:
            return (Quantity("light", Decimal(int(bool(data[0])))),)
        case 0x12, 4:
            return (Quantity("pm25_ug_m3", unsigned(data[:2])), Quantity("pm10_ug_m3", unsigned(data[2:])))
        case 0x13, 2:
            return (Quantity("carbon_dioxide_ppm", unsigned(data)),)
        case ((0x04 | 0x0F), 1) if model == CONTACT_MODEL and data[0] <= _LEFT_OPEN:
            # The door, as event by its own id and in between as the second 0x0F behind the counter.
            return (Quantity("contact_open", Decimal(int(data[0] != _CLOSED))),)
        case _:
            return None
