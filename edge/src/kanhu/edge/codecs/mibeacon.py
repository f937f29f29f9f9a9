"""Decode Xiaomi MiBeacon (service data of UUID 0xFE95) whose objects are not encrypted.

Frame control, product, counter, [address reversed], [capability, [two bytes of input and output]], [objects of id,
length and bytes], after the maker's miio_open, "BLE MiBeacon". Two open projects read one byte of input and output; no
published frame has any.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs.advertised import Advertisement, Quantity, observe_advertised, piece
from kanhu.edge.codecs.mibeacon_objects import quantities
from kanhu.edge.codecs.mibeacon_presses import NOT_CALLS, Press, PressKind, presses
from kanhu.edge.codecs.sealed import ADDRESS_BYTES
from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "0000fe95-0000-1000-8000-00805f9b34fb"

LOCK, FINGERPRINT, SCALE_S200, SCALE_S400 = 0x000B, 0x0006, 0x4E16, 0x6E16
SCALE_BYTES = 9

_HEAD_BYTES = 5
_ENCRYPTED, _HAS_ADDRESS, _HAS_CAPABILITY, _HAS_OBJECT, _MESH = 0x08, 0x10, 0x20, 0x40, 0x80
_HAS_INPUT_OUTPUT = 0x20
_INPUT_OUTPUT_BYTES = 2
_OLDEST_VERSION = 2  # a draft before it had other bits
_OBJECT_HEAD_BYTES = 3
_SLEEP_OR_BED_BUTTONS = {(0x4810, 2), (0x5010, 2), (0x5A16, 3)}
_CALLS = frozenset({PressKind.SINGLE, PressKind.DOUBLE, PressKind.LONG, PressKind.TRIPLE})


class MibeaconHead(NamedTuple):
    """What stands before the objects; `start` is where they begin."""

    version: int
    product: int
    counter: int
    address: bytes | None  # in printed order
    encrypted: bool
    has_objects: bool
    start: int


class MibeaconObject(NamedTuple):
    """One object as sent."""

    id: int
    data: bytes


class LockEvent(NamedTuple):
    """What a lock did, with whose key; codes as the maker numbers them."""

    action: int
    method: int
    key: int
    at_s: int  # the lock's own clock, seconds since 1970


class FingerEvent(NamedTuple):
    """A finger that was tried; result 0 is a match."""

    key: int
    result: int


@dataclass(frozen=True, slots=True)
class Mibeacon:
    """One advertisement; it may tell nothing but that the device is there."""

    head: MibeaconHead
    objects: tuple[MibeaconObject, ...]
    told: Advertisement
    presses: tuple[Press, ...]
    lock: LockEvent | None
    finger: FingerEvent | None
    unknown: tuple[int, ...]  # ids that were passed over


def decode_mibeacon(frame: bytes) -> Mibeacon:
    """Decode one frame.

    Raises:
        DecodeError: it ends within a field or an object, is encrypted, of a mesh, or older than version 2.
    """
    head = mibeacon_head(frame)
    if head.encrypted and head.has_objects:
        raise DecodeError(DecodeReason.ENCRYPTED, f"product 0x{head.product:04X} sends under a key")
    return read_mibeacon(head, frame[head.start :] if head.has_objects else b"")


def mibeacon_head(frame: bytes) -> MibeaconHead:
    """Everything before the objects."""
    first = piece(frame, 0, _HEAD_BYTES)
    control, version = first[0], first[1] >> 4
    if control & _MESH or version < _OLDEST_VERSION:
        raise DecodeError(DecodeReason.UNSUPPORTED_VERSION, f"version {version}, control 0x{control:02X}")
    start = _HEAD_BYTES
    address: bytes | None = None
    if control & _HAS_ADDRESS:
        address = piece(frame, start, ADDRESS_BYTES)[::-1]
        start += ADDRESS_BYTES
    if control & _HAS_CAPABILITY:
        capability = piece(frame, start, 1)[0]
        start += 1
        if capability & _HAS_INPUT_OUTPUT:
            piece(frame, start, _INPUT_OUTPUT_BYTES)
            start += _INPUT_OUTPUT_BYTES
    return MibeaconHead(
        version, int.from_bytes(first[2:4], "little"), first[4], address, bool(control & _ENCRYPTED),
        bool(control & _HAS_OBJECT), start,
    )  # fmt: skip  # fields by rows


def read_mibeacon(head: MibeaconHead, payload: bytes) -> Mibeacon:
    """Read the plain objects behind a head; one or two bytes behind the last are no object."""
    values: list[Quantity] = []
    pressed: list[Press] = []
    unknown: list[int] = []
    lock: LockEvent | None = None
    finger: FingerEvent | None = None
    objects = split_objects(payload)
    for name, data in objects:
        buttons = _presses(head.product, name, data)
        found = () if buttons is not None else quantities(head.product, name, data)
        if buttons is not None:
            pressed.extend(buttons)
        elif found is not None:
            values.extend(found)
        elif (name, len(data)) == (LOCK, 9):
            key, at_s = int.from_bytes(data[1:5], "little"), int.from_bytes(data[5:], "little")
            lock = LockEvent(data[0] & 0x0F, data[0] >> 4, key, at_s)
        elif (name, len(data)) == (FINGERPRINT, 5):
            finger = FingerEvent(int.from_bytes(data[:4], "little"), data[4])
        elif name not in {SCALE_S200, SCALE_S400} or len(data) != SCALE_BYTES:
            unknown.append(name)
    if head.product not in NOT_CALLS and any(one.kind in _CALLS for one in pressed):
        values.append(Quantity("button", Decimal(1)))
    told = Advertisement(tuple(values), address=head.address, packet=head.counter)
    return Mibeacon(head, objects, told, tuple(pressed), lock, finger, tuple(unknown))


def split_objects(payload: bytes) -> tuple[MibeaconObject, ...]:
    """All objects, in their order."""
    found: list[MibeaconObject] = []
    at = 0
    while at + _OBJECT_HEAD_BYTES <= len(payload):
        head = piece(payload, at, _OBJECT_HEAD_BYTES)
        at += _OBJECT_HEAD_BYTES
        found.append(MibeaconObject(int.from_bytes(head[:2], "little"), piece(payload, at, head[2])))
        at += head[2]
    return tuple(found)


def observe_mibeacon(record: Mibeacon, *, subject: Subject, device: str, times: Times) -> tuple[Observation, ...]:
    """One observation a metric.

    Raises:
        DecodeError: nothing of it is a measure.
    """
    return observe_advertised(record.told.values, subject=subject, device=device, times=times)


def _presses(product: int, name: int, data: bytes) -> tuple[Press, ...] | None:
    if len(data) == 1 and (name, data[0]) in _SLEEP_OR_BED_BUTTONS:
        return (Press("", PressKind.DOUBLE),)
    return presses(product, name, data)
