"""Decode BTHome version 2 service data (UUID 0xFCD2), plain; encrypted packets have a module of their own.

One byte of device information, then objects: an id and a little-endian value whose length only the table knows, so
an unknown id ends the reading of a packet.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from kanhu.contract import EventWord, Observation, Part, Subject, Times
from kanhu.edge.codecs.advertised import Quantity
from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "0000fcd2-0000-1000-8000-00805f9b34fb"

ENCRYPTED = 0x01
HAS_ADDRESS = 0x02
"""Bits of the device information."""

_SLEEPY = 0x04
_ADDRESS_BYTES = 6
_VERSION = 2
_MAX_BYTES = 255  # an advertising structure has one byte of length

_PACKET_ID = 0x00
_BATTERY = 0x01
_BUTTON = 0x3A
_TEXT = 0x53
_RAW = 0x54


class _Object(NamedTuple):
    """One row of the object table of the BTHome format."""

    name: str
    unit: str
    size: int
    factor: Decimal = Decimal(1)
    signed: bool = False


def _of(name: str, unit: str, layout: str, factor: str = "1") -> _Object:
    """`layout` is u or s and the number of bits."""
    return _Object(name, unit, int(layout[1:]) // 8, Decimal(factor), layout[0] == "s")


_OBJECTS: dict[int, _Object] = {
    0x00: _of("packet_id", "", "u8"),
    0x01: _of("battery", "%", "u8"),
    0x02: _of("temperature", "Cel", "s16", "0.01"),
    0x03: _of("humidity", "%", "u16", "0.01"),
    0x04: _of("pressure", "hPa", "u24", "0.01"),
    0x05: _of("illuminance", "lx", "u24", "0.01"),
    0x06: _of("mass", "kg", "u16", "0.01"),
    0x07: _of("mass", "[lb_av]", "u16", "0.01"),
    0x08: _of("dew_point", "Cel", "s16", "0.01"),
    0x09: _of("count", "", "u8"),
    0x0A: _of("energy", "kW.h", "u24", "0.001"),
    0x0B: _of("power", "W", "u24", "0.01"),
    0x0C: _of("voltage", "V", "u16", "0.001"),
    0x0D: _of("pm25", "ug/m3", "u16"),
    0x0E: _of("pm10", "ug/m3", "u16"),
    0x12: _of("carbon_dioxide", "[ppm]", "u16"),
    0x13: _of("volatile_organic_compounds", "ug/m3", "u16"),
    0x14: _of("moisture", "%", "u16", "0.01"),
    0x2E: _of("humidity", "%", "u8"),
    0x2F: _of("moisture", "%", "u8"),
    0x3A: _of("button", "", "u8"),
    0x3C: _of("dimmer", "", "u16"),
    0x3D: _of("count", "", "u16"),
    0x3E: _of("count", "", "u32"),
    0x3F: _of("rotation", "deg", "s16", "0.1"),
    0x40: _of("distance", "mm", "u16"),
    0x41: _of("distance", "m", "u16", "0.1"),
    0x42: _of("duration", "s", "u24", "0.001"),
    0x43: _of("current", "A", "u16", "0.001"),
    0x44: _of("speed", "m/s", "u16", "0.01"),
    0x45: _of("temperature", "Cel", "s16", "0.1"),
    0x46: _of("uv_index", "", "u8", "0.1"),
    0x47: _of("volume", "L", "u16", "0.1"),
    0x48: _of("volume", "mL", "u16"),
    0x49: _of("volume_flow_rate", "m3/h", "u16", "0.001"),
    0x4A: _of("voltage", "V", "u16", "0.1"),
    0x4B: _of("gas", "m3", "u24", "0.001"),
    0x4C: _of("gas", "m3", "u32", "0.001"),
    0x4D: _of("energy", "kW.h", "u32", "0.001"),
    0x4E: _of("volume", "L", "u32", "0.001"),
    0x4F: _of("water", "L", "u32", "0.001"),
    0x50: _of("timestamp", "s", "u32"),
    0x51: _of("acceleration", "m/s2", "u16", "0.001"),
    0x52: _of("gyroscope", "deg/s", "u16", "0.001"),
    0x55: _of("volume_storage", "L", "u32", "0.001"),
    0x56: _of("conductivity", "uS/cm", "u16"),
    0x57: _of("temperature", "Cel", "s8"),
    0x58: _of("temperature", "Cel", "s8", "0.35"),
    0x59: _of("count", "", "s8"),
    0x5A: _of("count", "", "s16"),
    0x5B: _of("count", "", "s32"),
    0x5C: _of("power", "W", "s32", "0.01"),
    0x5D: _of("current", "A", "s16", "0.001"),
    0x5E: _of("direction", "deg", "u16", "0.01"),
    0x5F: _of("precipitation", "mm", "u16", "0.1"),
    0x60: _of("channel", "", "u8"),
    0x61: _of("rotational_speed", "/min", "u16"),
    0x62: _of("speed", "m/s", "s32", "0.000001"),
    0x63: _of("acceleration", "m/s2", "s32", "0.000001"),
    0x64: _of("light_level", "", "u8"),
}

_BINARY = {
    0x0F: "binary", 0x10: "power", 0x11: "opening", 0x15: "battery_low", 0x16: "charging", 0x17: "carbon_monoxide",
    0x18: "cold", 0x19: "connectivity", 0x1A: "door", 0x1B: "garage_door", 0x1C: "gas", 0x1D: "heat", 0x1E: "light",
    0x1F: "lock", 0x20: "moisture", 0x21: "motion", 0x22: "moving", 0x23: "occupancy", 0x24: "plug",
    0x25: "presence", 0x26: "problem", 0x27: "running", 0x28: "safety", 0x29: "smoke", 0x2A: "sound",
    0x2B: "tamper", 0x2C: "vibration", 0x2D: "window",
}  # fmt: skip  # a table reads by rows

_OBJECTS |= {object_id: _of(name, "", "u8") for object_id, name in _BINARY.items()}

_COUNTED = {_TEXT: "text", _RAW: "raw"}  # these carry their own length


class BthomeValue(NamedTuple):
    """One object of a packet, exact; text and raw objects stay bytes. The unit is UCUM, empty for a bare number."""

    object_id: int
    name: str
    value: Decimal | bytes
    unit: str

    @property
    def binary(self) -> bool:
        """It says yes or no; some names stand for a number as well."""
        return self.object_id in _BINARY


@dataclass(frozen=True, slots=True)
class BthomePacket:
    """One advertisement."""

    packet_id: int | None  # changes with each new event; the same id again is a repeat
    battery_percent: int | None
    buttons: tuple[int, ...]  # one event code a button of the device; 0 is no event
    values: tuple[BthomeValue, ...]
    sleepy: bool  # advertises only when something happens
    unknown_object: int | None  # where reading ended early

    @property
    def pressed(self) -> bool:
        """Any button was pressed in any way; a code from a later version of the format counts too."""
        return any(self.buttons)

    @property
    def indexes(self) -> tuple[int | None, ...]:
        """For each value: the how many-th of its name it is, counted from one; None where it is the only one."""
        total = Counter((value.name, value.binary) for value in self.values)
        met: Counter[tuple[str, bool]] = Counter()
        found: list[int | None] = []
        for value in self.values:
            key = (value.name, value.binary)
            met[key] += 1
            found.append(met[key] if total[key] > 1 else None)
        return tuple(found)


def decode_bthome(frame: bytes) -> BthomePacket:
    """Decode one packet.

    Raises:
        DecodeError: the packet is encrypted, of another version, or ends within an object.
    """
    information = check_information(frame)
    if information & ENCRYPTED:
        raise DecodeError(DecodeReason.ENCRYPTED, "no key for this device is kept here")
    offset = 1
    if information & HAS_ADDRESS:
        offset += _ADDRESS_BYTES
        if len(frame) < offset:
            raise DecodeError(DecodeReason.SHORT, f"address needs {offset} bytes, got {len(frame)}")
    values: list[BthomeValue] = []
    unknown: int | None = None
    while offset < len(frame):
        found = _value(frame, offset)
        if found is None:
            unknown = frame[offset]
            break
        value, offset = found
        values.append(value)
    numbers = {value.object_id: value.value for value in values if isinstance(value.value, Decimal)}
    packet_id = numbers.get(_PACKET_ID)
    battery = numbers.get(_BATTERY)
    return BthomePacket(
        packet_id=None if packet_id is None else int(packet_id),
        battery_percent=None if battery is None or battery > 100 else int(battery),
        buttons=tuple(int(value.value) for value in values if value.object_id == _BUTTON),
        values=tuple(values),
        sleepy=bool(information & _SLEEPY),
        unknown_object=unknown,
    )


def check_information(frame: bytes) -> int:
    """The device information of a packet of this version, plain or encrypted.

    Raises:
        DecodeError: there is none, it is of another version, or the packet is longer than any can be.
    """
    if not frame:
        raise DecodeError(DecodeReason.SHORT, "no device information")
    if len(frame) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    information = frame[0]
    if information >> 5 != _VERSION:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"BTHome version {information >> 5}")
    return information


_NOTHING_SAID: Mapping[int, EventWord] = {}


def observe_press(
    packet: BthomePacket, *, subject: Subject, device: str, times: Times, said: Mapping[int, EventWord] = _NOTHING_SAID
) -> Observation:
    """One press of a help button; `said` are the event codes that say something else than a call.

    Raises:
        DecodeError: no button of the packet was pressed.
    """
    pressed = {code for code in packet.buttons if code}
    if not pressed:
        raise DecodeError(DecodeReason.NO_VALUE, "no button was pressed")
    # one that calls among several outweighs all others
    metric, step = (said.get(min(pressed), EventWord.CALL) if len(pressed) == 1 else EventWord.CALL).value
    return Observation(metric, (Part(metric, (step,)),), subject, device, times)


# What each object is called among the sensors; the rest are no measures here.
_NUMBERS = {"temperature": "temperature_c", "humidity": "humidity_percent"}
_SIGNS = {
    "opening": "contact_open", "door": "contact_open", "garage_door": "contact_open", "window": "contact_open",
    "motion": "motion", "occupancy": "presence", "presence": "presence", "smoke": "smoke", "moisture": "water_leak",
    "gas": "gas_leak", "carbon_monoxide": "carbon_monoxide",
}  # fmt: skip  # a table reads by rows


def sensed(packet: BthomePacket) -> tuple[Quantity, ...]:
    """What a sensor that is no button tells, as the other sensors call it."""
    found: list[Quantity] = []
    for value in packet.values:
        name = (_SIGNS if value.binary else _NUMBERS).get(value.name)
        if name is not None and isinstance(value.value, Decimal):
            found.append(Quantity(name, value.value))
    if packet.battery_percent is not None:
        found.append(Quantity("battery_percent", Decimal(packet.battery_percent)))
    return tuple(found)


def _value(frame: bytes, offset: int) -> tuple[BthomeValue, int] | None:
    """The object at `offset` and where the next begins; None where its length is not known."""
    object_id = frame[offset]
    start = offset + 1
    counted = _COUNTED.get(object_id)
    if counted is not None:
        end = start + 1 + _slice(frame, start, start + 1)[0]
        return BthomeValue(object_id, counted, _slice(frame, start + 1, end), ""), end
    row = _OBJECTS.get(object_id)
    if row is None:
        return None
    end = start + row.size
    number = int.from_bytes(_slice(frame, start, end), "little", signed=row.signed)
    return BthomeValue(object_id, row.name, number * row.factor, row.unit), end


def _slice(frame: bytes, start: int, end: int) -> bytes:
    if end > len(frame):
        raise DecodeError(DecodeReason.SHORT, f"object 0x{frame[start - 1]:02X} needs {end} bytes, got {len(frame)}")
    return frame[start:end]
