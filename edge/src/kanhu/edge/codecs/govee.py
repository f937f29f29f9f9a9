"""Decode Govee hygrometers: what they put behind companies 0xEC88, 0x0001 and 0x8801, told apart by length.

Forms as in custom-components/ble_monitor@5690220 (ble_parser/govee.py), theengs/decoder@d6fdd205 (devices/H5*.h) and
Bluetooth-Devices/govee-ble@2d7ddd0b (parser.py). Some forms need the model, which only the name tells.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, battery, piece, signed, unsigned
from kanhu.edge.errors import DecodeError, DecodeReason

COMPANIES = (0xEC88, 0x0001, 0x8801)
"""The first is the maker's own, the others are where other makers have theirs."""
REMOTE = "remote_"
"""What an outer sensor measures begins so: it is not the room."""

_BEACON = b"\x4c\x00\x02\x15INTELLI_ROCKS"  # an iBeacon that some models glue behind their reading
_MODEL = re.compile(r"(?:GV|[HB])(5\d{3})")
_LEAST_C, _MOST_C = Decimal(-40), Decimal(100)  # govee-ble takes what is beyond for an error
_LEAST_BYTES = 6
_FAILED = 0x80  # above the battery
_ROOM_MOST_C = Decimal(60)
"""The range of H5101 ends here. An H5106 in a room above 15.4 degrees, taken for an H5101, would tell more."""
_AIR_MONITOR, _CO2_MONITOR, _TWO_PROBES = 5106, 5140, 5112
_ONE_PROBE = 5108
_PROBES = {0x41: 1, 0x82: 2}

_Read = Callable[[bytes, int | None], tuple[Quantity, ...]]


def model_of(name: str | None) -> int | None:
    """The four digits of the model in an advertised name, such as `GVH5075_1234`."""
    found = _MODEL.search(name or "")
    return None if found is None else int(found[1])


def without_beacon(frame: bytes) -> bytes:
    """The frame without the iBeacon that is glued to its end."""
    return frame.partition(_BEACON)[0]


def decode_govee(company: int, frame: bytes, *, model: int | None = None) -> Advertisement:
    """Decode manufacturer data without its company.

    Raises:
        DecodeError: it is short, or no form of this company and length is known.
    """
    frame = without_beacon(piece(frame, 0, len(frame)))
    piece(frame, 0, _LEAST_BYTES)
    if company not in _HEADS:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"company 0x{company:04X}")
    read = _FORMS.get((company, len(frame)))
    if read is None:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"no form of 0x{company:04X} has {len(frame)} bytes")
    if not frame.startswith(_HEADS[company]):
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "it begins otherwise than Govee's do")
    return Advertisement(read(frame, model))


def _h5075(frame: bytes, model: int | None) -> tuple[Quantity, ...]:
    del model
    return (*_packed(frame[1:5]), *battery(frame[4] & 0x7F))


def _h5074(frame: bytes, model: int | None) -> tuple[Quantity, ...]:
    del model
    return _hundredths(frame[1:6])


def _h5179(frame: bytes, model: int | None) -> tuple[Quantity, ...]:
    del model
    return _hundredths(frame[4:9])


def _h5101(frame: bytes, model: int | None) -> tuple[Quantity, ...]:
    if model == _AIR_MONITOR:
        return _h5106(frame)
    climate = _packed(frame[2:5] + b"\x00")
    if model is None and (not climate or climate[0].value > _ROOM_MOST_C):
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, "without its name, perhaps an air monitor")
    return (*(() if frame[5] & _FAILED else climate), *battery(frame[5] & 0x7F))


def _h5106(frame: bytes) -> tuple[Quantity, ...]:
    """One number of nine digits below a sign: three of temperature, three of humidity, three of dust."""
    number = int.from_bytes(frame[2:6], "big")
    sign = -1 if number >> 31 else 1
    warmth, rest = divmod(number & 0x7FFF_FFFF, 1_000_000)
    damp, dust = divmod(rest, 1000)
    return (*_climate(sign * _tenth(warmth), _tenth(damp)), Quantity("pm25_ug_m3", Decimal(dust)))


def _h5108(frame: bytes, model: int | None) -> tuple[Quantity, ...]:
    """Several models share eight bytes and where the temperature stands; what else they tell needs the model."""
    if model == _CO2_MONITOR:
        if frame[7]:  # the sensor failed
            return ()
        dioxide = Quantity("carbon_dioxide_ppm", Decimal(int.from_bytes(frame[5:7], "big")))
        return (*_packed(frame[2:5] + b"\x00"), dioxide)
    if model == _TWO_PROBES:
        number = _PROBES.get(frame[7])
        if number is None:
            raise DecodeError(DecodeReason.RESERVED_VALUE, f"probe 0x{frame[7]:02X}")
        told = _packed(frame[2:6])[: 2 if number == 1 else 1]  # the second probe has no hygrometer
        named = tuple(Quantity(f"probe_{number}_{one.name}", one.value) for one in told)
        return (*named, *battery(frame[5] & 0x7F))
    if model is None:
        return _packed(frame[2:5] + b"\x00")[:1]
    climate = _packed(frame[2:6])
    return (*(climate[:1] if model == _ONE_PROBE else climate), *battery(frame[5] & 0x7F))


def _h5178(frame: bytes, model: int | None) -> tuple[Quantity, ...]:
    """Its receiver in the room, number 0, tells for itself and for its outer sensor by turns."""
    del model
    number = frame[2]
    told = (*_packed(frame[3:7]), *battery(frame[6] & 0x7F))
    if number:
        told = tuple(Quantity(REMOTE + one.name, one.value) for one in told)
    return (*told, Quantity("sensor_number", Decimal(number)))


def _packed(data: bytes) -> tuple[Quantity, ...]:
    """One number of six digits below a sign, three of temperature, three of humidity; none where it failed."""
    number = int.from_bytes(data[:3], "big")
    if data[3] & _FAILED:
        return ()
    warmth, damp = divmod(number & 0x7F_FFFF, 1000)
    return _climate(_tenth(-warmth if number >> 23 else warmth), _tenth(damp))


def _hundredths(data: bytes) -> tuple[Quantity, ...]:
    return (*_climate(signed(data[:2], "0.01"), unsigned(data[2:4], "0.01")), *battery(data[4]))


def _climate(temperature_c: Decimal, humidity_percent: Decimal) -> tuple[Quantity, ...]:
    """Neither of them where one is beyond what can be measured."""
    if not _LEAST_C <= temperature_c <= _MOST_C or humidity_percent > 100:
        return ()
    return Quantity("temperature_c", temperature_c), Quantity("humidity_percent", humidity_percent)


def _tenth(count: int) -> Decimal:
    return count * Decimal("0.1")


_HEADS: Mapping[int, bytes] = {0xEC88: b"", 0x0001: b"\x01\x01", 0x8801: b"\xec\x00"}
_FORMS: Mapping[tuple[int, int], _Read] = {
    (0xEC88, 6): _h5075,  # H5072, H5075, H5129
    (0xEC88, 7): _h5074,
    (0xEC88, 9): _h5074,  # H5051, H5052, H5071
    (0x0001, 6): _h5101,  # H5100 to H5106, H5110, H5174, H5177, and H5179 since 2023
    (0x0001, 8): _h5108,  # H5108, H5112, H5140
    (0x0001, 9): _h5178,
    (0x8801, 9): _h5179,
}  # fmt: skip  # a table reads by rows
"""By company and length."""
