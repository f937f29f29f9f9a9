"""Decode Aranet sensors: manufacturer data of company 0x0702, little endian.

An Aranet4 (carbon dioxide) begins with its flags, the others with their type: 1 Aranet2, 2 radiation, 3 radon.
Layout and marks of what was not measured follow Anrijs/Aranet4-Python@aa6200d, aranet4/client.py, and its test
advertisements@c60d451.
"""

from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, battery, piece, unsigned
from kanhu.edge.errors import DecodeError, DecodeReason

COMPANY = 0x0702

_CARBON_DIOXIDE_BYTES, _BYTES = 22, 24
_WITHOUT_READING_BYTES = 7
_CLIMATE, _RADIATION, _RADON = 1, 2, 3
_TOLD_TO_ALL = 0x20
_NOT_MEASURED = 0x8000
_OUT_OF_RANGE_TWENTIETHS = 0x4000  # 819 degrees: the mark of a temperature that was not measured


def decode_aranet(frame: bytes) -> Advertisement:
    """Decode manufacturer data without its company.

    Raises:
        DecodeError: it is short, of another type, or of a sensor that keeps its readings to itself.
    """
    piece(frame, 0, _WITHOUT_READING_BYTES)
    if len(frame) == _WITHOUT_READING_BYTES:
        raise DecodeError(DecodeReason.NO_VALUE, "an Aranet4 that does not share its readings")
    if len(frame) == _CARBON_DIOXIDE_BYTES:
        _check_shared(frame[0])
        return _carbon_dioxide(frame[8:])
    data = piece(frame, 0, _BYTES)
    if data[0] not in {_CLIMATE, _RADIATION, _RADON}:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"Aranet type {data[0]}")
    _check_shared(data[1])
    return _radiation(data[6:]) if data[0] == _RADIATION else _climate(data[0], data[8:])


def _check_shared(flags: int) -> None:
    if not flags & _TOLD_TO_ALL:
        raise DecodeError(DecodeReason.NO_VALUE, "a sensor that does not share its readings")


def _carbon_dioxide(data: bytes) -> Advertisement:
    return Advertisement(
        (
            *_measured("carbon_dioxide_ppm", data[:2], "1"),
            *_temperature(data[2:4]),
            *_measured("pressure_hpa", data[4:6], "0.1"),
            Quantity("humidity_percent", Decimal(data[6])),
            *battery(data[7] & 0x7F),  # theengs/decoder@1f40770, src/devices/ARANET4_json.h
            Quantity("level", Decimal(data[8])),  # 1 green, 2 amber, 3 red
            *_times(data[9:]),
        )
    )


def _climate(kind: int, data: bytes) -> Advertisement:
    """Aranet2 and radon: the latter fills what the former leaves empty."""
    radon = kind == _RADON
    return Advertisement(
        (
            *(_measured("radon_bq_m3", data[:2], "1") if radon else ()),
            *_temperature(data[2:4]),
            *(_measured("pressure_hpa", data[4:6], "0.1") if radon else ()),
            *_measured("humidity_percent", data[6:8], "0.1"),
            *battery(data[9]),
            *((Quantity("level", Decimal(data[10])),) if radon else _limits(data[10])),
            *_times(data[11:]),
        )
    )


def _limits(flags: int) -> tuple[Quantity, ...]:
    """Whether a limit that was set on the sensor is passed, each way."""
    names = ("humidity_too_low", "humidity_too_high", "temperature_too_low", "temperature_too_high")
    return tuple(Quantity(name, Decimal(flags >> bit & 1)) for bit, name in enumerate(names))


def _radiation(data: bytes) -> Advertisement:
    return Advertisement(
        (
            Quantity("radiation_dose_nsv", unsigned(data[:4])),
            Quantity("radiation_duration_s", unsigned(data[4:8])),
            Quantity("radiation_rate_nsv_h", unsigned(data[8:10])),
            *battery(data[11]),
            *_times(data[13:]),
        )
    )


def _measured(name: str, word: bytes, factor: str) -> tuple[Quantity, ...]:
    """The highest bit says that it was not measured."""
    if int.from_bytes(word, "little") & _NOT_MEASURED:
        return ()
    return (Quantity(name, unsigned(word, factor)),)


def _temperature(word: bytes) -> tuple[Quantity, ...]:
    twentieths = int.from_bytes(word, "little", signed=True)
    if not -_OUT_OF_RANGE_TWENTIETHS <= twentieths < _OUT_OF_RANGE_TWENTIETHS:
        return ()
    return (Quantity("temperature_c", twentieths * Decimal("0.05")),)


def _times(data: bytes) -> tuple[Quantity, ...]:
    """How often it measures, how long ago it did, and a counter of advertisements."""
    return (
        Quantity("interval_s", unsigned(data[:2])),
        Quantity("measured_ago_s", unsigned(data[2:4])),
        Quantity("advertisement_count", Decimal(data[4])),
    )
