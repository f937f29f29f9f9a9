"""RuuviTag: manufacturer data of company 0x0499 in formats 3 and 5, big endian."""

import struct


def ruuvi_raw_v1(
    half_percents: int, hundredths_c: int, pascal: int, axes_mg: tuple[int, int, int], millivolt: int
) -> bytes:
    """Format 3: whole degrees below a sign bit, then hundredths."""
    whole, fraction = divmod(abs(hundredths_c), 100)
    sign = 0x80 if hundredths_c < 0 else 0
    return struct.pack(">BBBBHhhhH", 3, half_percents, sign | whole, fraction, pascal - 50_000, *axes_mg, millivolt)


def ruuvi_raw_v2(
    *, two_hundredths_c: int, four_hundredths_percent: int, pascal: int, axes_mg: tuple[int, int, int], millivolt: int,
    transmit_dbm: int, movements: int, sequence: int, address: bytes,
) -> bytes:  # fmt: skip  # fields by rows
    """Format 5: temperature in 0.005 C, humidity in 0.0025 %, voltage above 1600 mV, power in steps of 2 above -40."""
    power = (millivolt - 1600) << 5 | (transmit_dbm + 40) // 2
    return (
        struct.pack(
            ">BhHHhhhHBH", 5, two_hundredths_c, four_hundredths_percent, pascal - 50_000, *axes_mg, power, movements,
            sequence,
        ) + address
    )  # fmt: skip  # fields by rows
