"""Decode SwitchBot thermometers, contact and motion sensors (service data of UUID 0xFD3D, before 2022 0x0D00).

The first byte is the model, whose highest bit is none of it. Newer thermometers repeat their reading in manufacturer
data of company 0x0969 behind their address.
"""

from dataclasses import dataclass
from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, battery, piece
from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "0000fd3d-0000-1000-8000-00805f9b34fb"
OLD_SERVICE_UUID = "00000d00-0000-1000-8000-00805f9b34fb"
COMPANY = 0x0969

THERMOMETERS = frozenset(b"Ti")
OUTDOOR = ord("w")
"""A thermometer whose service data tells only its battery."""
CONTACT, MOTION = ord("d"), ord("s")

_LEFT_OPEN = 2


@dataclass(frozen=True, slots=True)
class SwitchBot:
    """One advertisement; `left_open` is a contact that was not closed in its time."""

    model: int
    told: Advertisement
    left_open: bool = False


def decode_switchbot(frame: bytes) -> SwitchBot:
    """Decode service data.

    Raises:
        DecodeError: it is short, of a model that is no sensor here, or states a reserved value.
    """
    model = piece(frame, 0, 1)[0] & 0x7F
    if model in THERMOMETERS:
        return SwitchBot(model, Advertisement((*_climate(piece(frame, 3, 3)), *battery(frame[2] & 0x7F))))
    if model == OUTDOOR:
        return SwitchBot(model, Advertisement(battery(piece(frame, 2, 1)[0] & 0x7F)))
    if model == MOTION:
        return _motion(piece(frame, 0, 6))
    if model == CONTACT:
        return _contact(piece(frame, 0, 9))
    raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"SwitchBot model 0x{model:02X}")


def decode_switchbot_manufacturer(frame: bytes) -> Advertisement:
    """Decode manufacturer data of a thermometer without its company: address, two bytes, the reading."""
    return Advertisement(_climate(piece(frame, 8, 3)), address=piece(frame, 0, 6))


def _climate(data: bytes) -> tuple[Quantity, ...]:
    """Tenths, whole degrees with a bit that says warmer than zero, humidity below the bit of its display's unit."""
    magnitude = (data[1] & 0x7F) + (data[0] & 0x0F) * Decimal("0.1")
    return (
        Quantity("temperature_c", magnitude if data[1] & 0x80 else -magnitude),
        Quantity("humidity_percent", Decimal(data[2] & 0x7F)),
    )


def _motion(frame: bytes) -> SwitchBot:
    state, sensing = frame[1], frame[5]
    return SwitchBot(
        MOTION,
        Advertisement(
            (
                Quantity("motion", _bit(state, 6)),
                *battery(frame[2] & 0x7F),
                Quantity("light", _bit(sensing, 1)),
                Quantity("scope_tested", _bit(state, 7)),
                Quantity("led_on", _bit(sensing, 5)),
                Quantity("sensing_distance", Decimal(sensing >> 2 & 0x03)),  # 0 long, 1 middle, 2 short
                Quantity("since_motion_s", Decimal((sensing >> 7) << 16 | int.from_bytes(frame[3:5], "big"))),
            )
        ),
    )


def _contact(frame: bytes) -> SwitchBot:
    state, door, counts = frame[1], frame[3], frame[8]
    contact = door >> 1 & 0x03
    if contact > _LEFT_OPEN:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"contact {contact}")
    values = (
        Quantity("contact_open", Decimal(int(contact != 0))),
        Quantity("motion", _bit(state, 6)),
        *battery(frame[2] & 0x7F),
        Quantity("light", _bit(door, 0)),
        Quantity("scope_tested", _bit(state, 7)),
        Quantity("entrance_count", Decimal(counts >> 6)),
        Quantity("exit_count", Decimal(counts >> 4 & 0x03)),
        Quantity("press_count", Decimal(counts & 0x0F)),  # of its button; only a change of it is a press
        Quantity("since_motion_s", Decimal((door >> 7) << 16 | int.from_bytes(frame[4:6], "big"))),
        Quantity("since_contact_s", Decimal((door >> 6 & 1) << 16 | int.from_bytes(frame[6:8], "big"))),
    )
    return SwitchBot(CONTACT, Advertisement(values), left_open=contact == _LEFT_OPEN)


def _bit(value: int, number: int) -> Decimal:
    return Decimal(value >> number & 1)
