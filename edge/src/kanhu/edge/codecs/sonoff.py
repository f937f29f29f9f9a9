"""Decode the battery remotes of Sonoff (S-MATE, R5), which advertise a list of 32-bit UUIDs (type 0x05) as data.

All of them send from the address 66:55:44:33:22:11; the number in the data tells one from another. The bytes behind it
are hidden by a fixed table and a seed, which proves nothing about the sender. Layout and table:
custom-components/ble_monitor@d00eb94, ble_parser/sonoff.py, and Flobul/Tasmota-eWeLinkRemote@2b07989, remote.be.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from kanhu.edge.codecs.advertised import Advertisement, Quantity, piece
from kanhu.edge.errors import DecodeError, DecodeReason

STRUCTURE = 0x05
"""The type of the structure that holds it."""

_MODEL_AT, _NUMBER_AT, _SEED_AT = 8, 11, 15
_HIDDEN_AT, _HIDDEN_BYTES = 16, 10
_TABLE = bytes.fromhex("0f39be5f2705bef966b5")


class Model(IntEnum):
    """Which remote."""

    S_MATE = 0x46
    R5 = 0x47


class Press(IntEnum):
    """How it was pressed."""

    SINGLE = 0
    DOUBLE = 1
    LONG = 2


_BUTTONS = {Model.S_MATE: 3, Model.R5: 6}


@dataclass(frozen=True, slots=True)
class Sonoff:
    """One press."""

    model: Model
    number: bytes
    """Of the remote, four bytes."""
    button: int
    """Counted from zero: left to right, top to bottom."""
    press: Press
    count: int
    """Of all presses; a repeat of one press has the same."""

    @property
    def told(self) -> Advertisement:
        """The press as a value; the remote has no address of its own."""
        return Advertisement((Quantity("button", Decimal(1)),), packet=self.count)


def decode_sonoff(frame: bytes) -> Sonoff:
    """Decode the structure without its length and type.

    Raises:
        DecodeError: it is short, or of a model, a button or a press that is not known.
    """
    kind = piece(frame, _MODEL_AT, 1)[0]
    if kind not in _BUTTONS:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"Sonoff model 0x{kind:02X}")
    model = Model(kind)
    hidden = piece(frame, _HIDDEN_AT, _HIDDEN_BYTES)
    seed = frame[_SEED_AT]
    data = bytes(one ^ seed ^ mask for one, mask in zip(hidden, _TABLE, strict=True))
    if data[1] >= _BUTTONS[model] or data[2] > max(Press):
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"button {data[1]}, press {data[2]}")
    number = frame[_NUMBER_AT:_SEED_AT]
    return Sonoff(model, number, data[1], Press(data[2]), int.from_bytes(data[3:7], "big"))
