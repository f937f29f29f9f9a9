"""Decode Inkbird: manufacturer data whose company is data, told apart by length.

9 bytes: IBS-TH1, IBS-TH2, IBS-P01B, ITH-12S (ble_monitor@5690220 ble_parser/inkbird.py, theengs/decoder IBS_THBP01B).
17 bytes: IAM-T2; 18 bytes: ITH-11-B, ITH-13-B, ITH-21-B, IBS-P02B (inkbird-ble@00c23f7 src/inkbird_ble/parser.py and
theengs/decoder IBS_P02B). 12, 14, 18 or 22 bytes behind a head: thermometers for meat, iBBQ (the same three).
The CRC in bytes 5 and 6 of the 9 is not checked: two of six published frames have a constant there.
"""

from dataclasses import dataclass
from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, battery, piece, signed, unsigned
from kanhu.edge.errors import DecodeError, DecodeReason

SMALL, AIR, LARGE = 9, 17, 18
"""Bytes of a hygrometer's frame, its company counted."""

_PROBES = {12: 1, 14: 2, 18: 4, 22: 6}
_HEADS = {b"\x00\x00\x00\x00": 1, b"\x01\x00\x00\x00": -1}  # and the direction in which the address follows
_NO_PROBE = frozenset({-10, -1})  # f6ff by Theengs, ffff by inkbird-ble
_NOT_FITTED = frozenset({b"\x00\x00", b"\xff\xff"})  # what sensors without hygrometer tell as their humidity
_AIR_HEAD = b"T2\x00\x62"
_FAHRENHEIT = 0x02


@dataclass(frozen=True, slots=True)
class InkbirdProbes:
    """What the probes of a thermometer for meat measure."""

    address: bytes
    """In printed order."""
    temperatures_c: tuple[Decimal | None, ...]
    """By socket, None where no probe is plugged in."""


def decode_inkbird(frame: bytes) -> Advertisement:
    """Decode manufacturer data with its company in front, of a sensor that stands in a room or in water.

    Raises:
        DecodeError: it is of another length, of a thermometer for meat, or a corrupt one.
    """
    data = piece(frame, 0, len(frame))
    if len(data) == SMALL:
        return Advertisement(_small(data))
    if len(data) == AIR and data.startswith(_AIR_HEAD):
        return Advertisement(_air(data))
    if len(data) == LARGE and data[:4] not in _HEADS:
        return Advertisement(_large(data), address=data[:6])
    if len(data) < SMALL:
        raise DecodeError(DecodeReason.SHORT, f"needs {SMALL} bytes, got {len(data)}")
    raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"no sensor of Inkbird tells {len(data)} bytes like these")


def decode_inkbird_probes(frame: bytes) -> InkbirdProbes:
    """Decode manufacturer data with its company in front, of a thermometer for meat.

    Raises:
        DecodeError: it begins otherwise, or is of another length.
    """
    direction = _HEADS.get(piece(frame, 0, 4))
    if direction is None:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "no thermometer for meat of Inkbird")
    count = _PROBES.get(len(frame))
    if count is None:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"{len(frame)} bytes")
    tenths = [int.from_bytes(frame[at : at + 2], "little", signed=True) for at in range(10, 10 + 2 * count, 2)]
    return InkbirdProbes(
        frame[4:10][::direction],
        tuple(None if one in _NO_PROBE else one * Decimal("0.1") for one in tenths),
    )


def _small(data: bytes) -> tuple[Quantity, ...]:
    """The lower digit of byte 4 tells an external probe."""
    if data[:4] == b"\x00\x00\xff\xff":
        raise DecodeError(DecodeReason.NO_VALUE, "zero degrees and no humidity: a corrupt advertisement")
    name = "probe_temperature_c" if data[4] & 0x0F else "temperature_c"
    return (Quantity(name, signed(data[:2], "0.01")), *_humidity(data[2:4], "0.01"), *battery(data[7]))


def _large(data: bytes) -> tuple[Quantity, ...]:
    """An IBS-P02B has no hygrometer and floats in a pool: what it measures is no room."""
    humidity = _humidity(data[8:10], "0.1")
    warmth = signed(data[6:8], "0.1")
    if humidity:
        return (Quantity("temperature_c", warmth), *humidity, *battery(data[10]))
    return (
        Quantity("probe_temperature_c", warmth),
        *battery(data[10]),
        Quantity("battery_low", Decimal(data[13] >> 4 & 0x01)),
        Quantity("shows_fahrenheit", Decimal(data[11] & 0x01)),
    )


def _air(data: bytes) -> tuple[Quantity, ...]:
    """Big endian. The battery's encoding is not known: 145 was seen at three quarters."""
    warmth = int.from_bytes(data[10:12], "big", signed=True) * Decimal("0.1")
    celsius = (warmth - 32) * 5 / 9 if data[9] & _FAHRENHEIT else warmth
    return (
        Quantity("temperature_c", celsius),
        *_humidity(data[13:11:-1], "0.1"),
        Quantity("carbon_dioxide_ppm", Decimal(int.from_bytes(data[14:16], "big"))),
    )


def _humidity(data: bytes, factor: str) -> tuple[Quantity, ...]:
    if data in _NOT_FITTED:
        return ()
    percent = unsigned(data, factor)
    if percent > 100:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"humidity {percent} %: a corrupt advertisement")
    return (Quantity("humidity_percent", percent),)
