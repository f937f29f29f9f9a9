"""Decode thermometers with ATC1441 or pvvx firmware (service data of UUID 0x181A), told apart by their length.

ATC1441, 13 bytes big endian: address, temperature 0.1 C, humidity %, battery %, voltage mV, counter.
pvvx, 15 bytes little endian: address reversed, temperature 0.01 C, humidity 0.01 %, voltage mV, battery %, counter,
flags. What a sealed pvvx frame holds, 6 bytes: temperature, humidity, battery, flags.
"""

from dataclasses import dataclass
from decimal import Decimal

from kanhu.edge.codecs.advertised import Advertisement, Quantity, battery, piece, signed, unsigned
from kanhu.edge.codecs.sealed import TAG_BYTES, check_address, open_sealed
from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "0000181a-0000-1000-8000-00805f9b34fb"

_ATC1441, _PVVX, _OPENED = 13, 15, 6
_SEALED_PVVX, _SEALED_ATC1441 = 11, 8
_SERVICE_DATA_16_BIT = 0x16
_UUID = b"\x1a\x18"
_ASSOCIATED = b"\x11"
_SWITCH, _OUTPUT = 0x01, 0x02


@dataclass(frozen=True, slots=True)
class SealedAtc:
    """The pieces of an encrypted frame."""

    counter: int
    ciphertext: bytes
    tag: bytes


def decode_atc(frame: bytes) -> Advertisement:
    """Decode one plain frame.

    Raises:
        DecodeError: it is encrypted, or has a length that none of the forms has.
    """
    length = len(frame)
    if length == _ATC1441:
        return Advertisement(
            (
                Quantity("temperature_c", signed(frame[7:5:-1], "0.1")),
                Quantity("humidity_percent", Decimal(frame[8])),
                *battery(frame[9]),
                Quantity("voltage_v", unsigned(frame[11:9:-1], "0.001")),
            ),
            address=frame[:6],
            packet=frame[12],
        )
    if length == _PVVX:
        return Advertisement(
            (
                *_climate(frame[6:10]),
                *battery(frame[12]),
                Quantity("voltage_v", unsigned(frame[10:12], "0.001")),
                *_flags(frame[14]),
            ),
            address=frame[5::-1],
            packet=frame[13],
        )
    if length == _OPENED:
        return Advertisement((*_climate(frame[:4]), *battery(frame[4]), *_flags(frame[5])))
    if length in {_SEALED_PVVX, _SEALED_ATC1441}:
        raise DecodeError(DecodeReason.ENCRYPTED, "no key for this device is kept here")
    raise DecodeError(DecodeReason.SHORT if length < _PVVX else DecodeReason.TOO_LONG, f"no form has {length} bytes")


def split_sealed_atc(frame: bytes) -> SealedAtc:
    """The pieces of an encrypted frame, unopened.

    Raises:
        DecodeError: it has the length of none.
    """
    if len(frame) not in {_SEALED_PVVX, _SEALED_ATC1441}:
        reason = DecodeReason.SHORT if len(frame) < _SEALED_PVVX else DecodeReason.TOO_LONG
        raise DecodeError(reason, f"no encrypted form has {len(frame)} bytes")
    return SealedAtc(frame[0], frame[1:-TAG_BYTES], frame[-TAG_BYTES:])


def decode_atc_encrypted(frame: bytes, *, key: bytes, address: bytes) -> Advertisement:
    """Open and decode one frame; `address` is the sender's, in printed order.

    Nonce: the address reversed, then the advertising structure up to and with the counter.

    Raises:
        DecodeError: the key does not open it, or it has the length of no encrypted form.
    """
    sealed = split_sealed_atc(frame)
    check_address(address)
    header = bytes([len(frame) + 1 + len(_UUID), _SERVICE_DATA_16_BIT]) + _UUID
    nonce = address[::-1] + header + frame[:1]
    opened = open_sealed(sealed.ciphertext + sealed.tag, key=key, nonce=nonce, associated=_ASSOCIATED)
    if len(opened) == _OPENED:
        inner = decode_atc(opened)
        return Advertisement(inner.values, address=address, packet=sealed.counter)
    # ATC1441: temperature in halves of a degree above -40, humidity in halves, battery below a flag.
    climate, charge = piece(opened, 0, 2), piece(opened, 2, 1)[0]
    return Advertisement(
        (
            Quantity("temperature_c", Decimal(climate[0]) / 2 - 40),
            Quantity("humidity_percent", Decimal(climate[1]) / 2),
            *battery(charge & 0x7F),
            Quantity("output_on", Decimal(charge >> 7)),
        ),
        address=address,
        packet=sealed.counter,
    )


def _climate(data: bytes) -> tuple[Quantity, ...]:
    return (
        Quantity("temperature_c", signed(data[:2], "0.01")),
        Quantity("humidity_percent", unsigned(data[2:4], "0.01")),
    )


def _flags(flags: int) -> tuple[Quantity, ...]:
    """The two pins; the rest says which limits of the thermometer were passed."""
    return (
        Quantity("input_high", Decimal(int(bool(flags & _SWITCH)))),
        Quantity("output_on", Decimal(int(bool(flags & _OUTPUT)))),
    )
