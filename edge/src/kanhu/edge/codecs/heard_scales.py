"""Decode scales that advertise: Amazfit, Xiaogui and Laica weigh people, the Atomax Skale weighs coffee.

Layouts: ble_monitor@0ed19ef, openScale@690fd5f (Laica) and Theengs decoder@d6fdd205 (Skale).
"""

from dataclasses import dataclass
from decimal import Decimal

from kanhu.edge.codecs.advertised import piece, signed
from kanhu.edge.errors import DecodeError, DecodeReason

AMAZFIT_UUID = "0000fee0-0000-1000-8000-00805f9b34fb"
SKALE_COMPANY = 0x81EF
XIAOGUI_LOW_BYTE, LAICA_HIGH_BYTE = 0xC0, 0xA0
"""Of the company; the other byte of Xiaogui's counts frames, and the high one of Laica's is the key."""

_AMAZFIT_BYTES, _XIAOGUI_BYTES, _LAICA_BYTES, _SKALE_BYTES = 20, 13, 12, 4
# State: is the weight settled, and what its step is in kg.
_XIAOGUI_STATES = {
    0x20: (False, Decimal("0.1")), 0x21: (True, Decimal("0.1")),
    0x24: (False, Decimal("0.01")), 0x25: (True, Decimal("0.01")),
}  # fmt: skip  # a table reads by rows
_LAICA_WEIGHT, _LAICA_IMPEDANCE = 0xAD, 0xA6
_LAICA_GRAMS, _LAICA_FINAL = 0x3FFFF, 1 << 31
_LAICA_SUM = 0x1F
_GRAM = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class HeardScale:
    """One advertisement of a body scale; only a settled weight is anybody's."""

    weight_kg: Decimal | None
    settled: bool
    impedance_ohm: Decimal | None = None
    heart_rate_bpm: int | None = None
    address: bytes | None = None  # in printed order
    packet: int | None = None


def decode_amazfit_scale(frame: bytes) -> HeardScale:
    """Decode service data of UUID 0xFEE0, 20 bytes; three zero bytes behind the weight: not settled.

    Raises:
        DecodeError: it is short.
    """
    data = piece(frame, 0, _AMAZFIT_BYTES)
    settled = any(data[9:12])
    return HeardScale(
        weight_kg=Decimal(int.from_bytes(data[7:9], "little")) / 200,
        settled=settled,
        impedance_ohm=int.from_bytes(data[5:7], "little") * Decimal("0.1") if settled else None,
        heart_rate_bpm=data[12] or None if settled else None,
    )


def decode_xiaogui(company: int, frame: bytes) -> HeardScale:
    """Decode manufacturer data; the low byte of its company is 0xC0, the high one a counter.

    Raises:
        DecodeError: it is short, of another company, or in a state that nobody has named.
    """
    if company & 0xFF != XIAOGUI_LOW_BYTE:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"company 0x{company:04X} is no Xiaogui scale")
    data = piece(frame, 0, _XIAOGUI_BYTES)
    state = data[6]
    known = _XIAOGUI_STATES.get(state)
    if known is None:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"state 0x{state:02X}")
    settled, step = known
    return HeardScale(
        weight_kg=int.from_bytes(data[:2], "big") * step,
        settled=settled,
        impedance_ohm=int.from_bytes(data[2:4], "big") * Decimal("0.1") if settled else None,
        address=data[7:],
        packet=(company >> 8) << 8 | state,
    )


def decode_laica(company: int, frame: bytes) -> HeardScale:
    """Decode manufacturer data; the high byte of its company is the key of a sum of bytes.

    Raises:
        DecodeError: it is short, of another company, its checksum is wrong, or it tells neither weight nor impedance.
    """
    key = company >> 8
    if key != LAICA_HIGH_BYTE:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"company 0x{company:04X} is no Laica scale")
    data = piece(frame, 0, _LAICA_BYTES)
    opened = bytes(byte ^ key for byte in data[6:])
    if sum(opened[:5]) & _LAICA_SUM != opened[5] & _LAICA_SUM:
        raise DecodeError(DecodeReason.CHECKSUM_WRONG, f"0x{opened[5]:02X}")
    word = int.from_bytes(opened[:4], "big")
    address = data[5::-1]
    if opened[4] == _LAICA_IMPEDANCE:
        return HeardScale(None, settled=False, impedance_ohm=Decimal(word >> 16), address=address)
    if opened[4] != _LAICA_WEIGHT:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"kind of value 0x{opened[4]:02X}")
    grams = Decimal(word & _LAICA_GRAMS)
    return HeardScale(grams * _GRAM, settled=bool(word & _LAICA_FINAL), address=address)


def decode_skale(frame: bytes) -> Decimal:
    """Grams or ounces on a kitchen scale, in tenths; never a body weight.

    Raises:
        DecodeError: it is short.
    """
    return signed(piece(frame, 0, _SKALE_BYTES)[:2], "0.1")
