"""Decode the Bluetooth SIG Body Composition Measurement and Feature (0x2A9C, 0x2A9B).

Field order and flags follow the Body Composition Service specification: flags (16 bit), body fat, then the optional
fields in the order of their flags. Masses and heights have the steps of the weight scale and leave here metric.
"""

from dataclasses import dataclass
from decimal import Decimal

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs.date_time_fields import DATE_TIME_BYTES, DateTimeFields, date_time_fields_as_sent
from kanhu.edge.codecs.lengths import check_length
from kanhu.edge.codecs.weight import UNKNOWN_USER, UNSUCCESSFUL, ScaleUnits, height_of, mass_of, scale_observation
from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "0000181b-0000-1000-8000-00805f9b34fb"
CHARACTERISTIC_UUID = "00002a9c-0000-1000-8000-00805f9b34fb"
FEATURE_UUID = "00002a9b-0000-1000-8000-00805f9b34fb"

_IMPERIAL = 1 << 0
_HAS_TIME = 1 << 1
_HAS_USER = 1 << 2
# The words behind the user, each with its flag, in the order of the wire.
_WORDS = {
    "basal_metabolism": 1 << 3,
    "muscle_percent": 1 << 4,
    "muscle_mass": 1 << 5,
    "fat_free_mass": 1 << 6,
    "soft_lean_mass": 1 << 7,
    "water_mass": 1 << 8,
    "impedance": 1 << 9,
    "weight": 1 << 10,
    "height": 1 << 11,
}
_MORE_FOLLOWS = 1 << 12

_FEATURE_BYTES = 4
_MAX_BYTES = 512  # the longest attribute value in ATT


@dataclass(frozen=True, slots=True)
class BodyComposition:
    """One measurement; None is not sent or not measured."""

    body_fat_percent: Decimal | None  # None: the scale says that it did not succeed
    units: ScaleUnits
    sent_at: DateTimeFields | None  # the scale's own clock; it has no zone
    user: int | None
    basal_metabolism_kj: int | None
    muscle_percent: Decimal | None
    muscle_mass_kg: Decimal | None
    fat_free_mass_kg: Decimal | None
    soft_lean_mass_kg: Decimal | None
    water_mass_kg: Decimal | None
    impedance_ohm: Decimal | None
    weight_kg: Decimal | None
    height_m: Decimal | None
    in_several_packets: bool  # the measurement is told in more frames than this


@dataclass(frozen=True, slots=True)
class BodyCompositionFeature:
    """What this scale can do; bits and resolutions of the Body Composition Feature."""

    sends_time: bool
    knows_users: bool
    sends: frozenset[str]  # the optional fields, by their names on the wire
    mass_resolution: int  # 0 not told, 1 (0.5 kg) to 7 (0.005 kg)
    height_resolution: int  # 0 not told, 1 (0.01 m) to 3 (0.001 m)


def decode_body_composition(frame: bytes) -> BodyComposition:
    """Decode one 0x2A9C frame; bytes behind the fields that the flags name are left unread.

    Raises:
        DecodeError: the frame is shorter than its flags say, or longer than any can be.
    """
    if len(frame) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    flags = _number(frame, 0, 2)
    fat = _number(frame, 2, 2)
    at = 4
    sent_at: DateTimeFields | None = None
    if flags & _HAS_TIME:
        sent_at = date_time_fields_as_sent(frame, at)
        at += DATE_TIME_BYTES
    user: int | None = None
    if flags & _HAS_USER:
        user = _number(frame, at, 1)
        at += 1
    words: dict[str, int] = {}
    for name, flag in _WORDS.items():
        if flags & flag:
            words[name] = _number(frame, at, 2)
            at += 2
    units = ScaleUnits.IMPERIAL if flags & _IMPERIAL else ScaleUnits.METRIC
    return BodyComposition(
        body_fat_percent=None if fat == UNSUCCESSFUL else Decimal(fat).scaleb(-1),
        units=units,
        sent_at=sent_at,
        user=None if user == UNKNOWN_USER else user,
        basal_metabolism_kj=words.get("basal_metabolism"),
        muscle_percent=_tenths(words.get("muscle_percent")),
        muscle_mass_kg=_mass(words.get("muscle_mass"), units),
        fat_free_mass_kg=_mass(words.get("fat_free_mass"), units),
        soft_lean_mass_kg=_mass(words.get("soft_lean_mass"), units),
        water_mass_kg=_mass(words.get("water_mass"), units),
        impedance_ohm=_tenths(words.get("impedance")),
        weight_kg=_mass(words.get("weight"), units),
        height_m=height_of(words["height"], units) if "height" in words else None,
        in_several_packets=bool(flags & _MORE_FOLLOWS),
    )


def decode_body_composition_feature(frame: bytes) -> BodyCompositionFeature:
    """Decode the 0x2A9B value.

    Raises:
        DecodeError: it has not four bytes.
    """
    check_length(frame, _FEATURE_BYTES)
    word = int.from_bytes(frame, "little")
    return BodyCompositionFeature(
        sends_time=bool(word & 0x01),
        knows_users=bool(word & 0x02),
        sends=frozenset(name for bit, name in enumerate(_WORDS, 2) if word >> bit & 1),
        mass_resolution=word >> 11 & 0x0F,
        height_resolution=word >> 15 & 0x07,
    )


def observe_body_composition(
    record: BodyComposition, *, subject: Subject, device: str, times: Times
) -> tuple[Observation, ...]:
    """Weight and body fat, whichever was measured.

    Raises:
        DecodeError: neither was.
    """
    values = (("weight", record.weight_kg), ("body_fat", record.body_fat_percent))
    found = tuple(
        scale_observation(code, value, sent_at=record.sent_at, subject=subject, device=device, times=times)
        for code, value in values
        if value  # a scale that found nothing sends 0 or the word for no success
    )
    if not found:
        raise DecodeError(DecodeReason.NO_VALUE, "the scale has neither weight nor body fat")
    return found


def _mass(word: int | None, units: ScaleUnits) -> Decimal | None:
    return None if word is None or word == UNSUCCESSFUL else mass_of(word, units)


def _tenths(word: int | None) -> Decimal | None:
    return None if word is None or word == UNSUCCESSFUL else Decimal(word).scaleb(-1)


def _number(frame: bytes, at: int, count: int) -> int:
    if at + count > len(frame):
        raise DecodeError(DecodeReason.SHORT, f"frame {frame[:2].hex()} needs {at + count} bytes, got {len(frame)}")
    return int.from_bytes(frame[at : at + count], "little")
