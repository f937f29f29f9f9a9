"""Decode Xiaomi's encrypted scales: S400 (object 0x6E16) and S200 (0x4E16) within MiBeacon.

Profile, a word, seconds since 1970. The S400 packs 11 bits of weight in 0.1 kg, 7 of heart rate less 50, 14 of
impedance in 0.1 ohm; the S200 has a weight in 0.01 kg. One S400 weighing sends two packets with an impedance each, one
of them with the weight. Which of both frequencies is which is told the other way round by xiaomi-ble (1.21.2) and by
openScale (f7a733b2): not decided.
"""

from dataclasses import dataclass
from decimal import Decimal

from kanhu.contract import Observation, Subject, Times
from kanhu.edge.codecs.mibeacon import SCALE_BYTES, SCALE_S200, SCALE_S400, Mibeacon
from kanhu.edge.codecs.mibeacon_encrypted import decode_mibeacon_encrypted
from kanhu.edge.codecs.weight import scale_observation
from kanhu.edge.errors import DecodeError, DecodeReason

_WEIGHT_BITS, _HEART_BITS = 11, 7
_NO_WEIGHT = (1 << _WEIGHT_BITS) - 1  # so says the S400 Pro (xiaomi-ble)
_NO_HEART = (1 << _HEART_BITS) - 1
_HEART_FROM_BPM = 50


@dataclass(frozen=True, slots=True)
class SealedScale:
    """One packet of a weighing; None is not told in it."""

    profile: int
    weight_kg: Decimal | None
    heart_rate_bpm: int | None
    impedance_ohm: Decimal | None
    at_s: int  # the scale's own clock, seconds since 1970; 0 where it has none

    @property
    def settled(self) -> bool:
        """The last packet of a weighing: the second impedance alone, or a weight in shoes, which has none."""
        if self.weight_kg is None:
            return self.heart_rate_bpm is None and self.impedance_ohm is not None
        return self.impedance_ohm is None


def decode_mi_scale_s400(frame: bytes, *, key: bytes, address: bytes) -> SealedScale:
    """Open one advertisement of such a scale.

    Raises:
        DecodeError: it holds no object, the key does not open it, or what is inside is no weighing.
    """
    found = scale_of(decode_mibeacon_encrypted(frame, key=key, address=address).beacon)
    if found is None:
        raise DecodeError(DecodeReason.NO_VALUE, "no weighing in it")
    return found


def scale_of(beacon: Mibeacon) -> SealedScale | None:
    """The weighing among the objects, None where there is none."""
    for name, data in beacon.objects:
        if name in {SCALE_S200, SCALE_S400} and len(data) == SCALE_BYTES:
            word, at_s = int.from_bytes(data[1:5], "little"), int.from_bytes(data[5:], "little")
            return _s400(data[0], word, at_s) if name == SCALE_S400 else _s200(data[0], word, at_s)
    return None


def observe_sealed_scale(record: SealedScale, *, subject: Subject, device: str, times: Times) -> Observation:
    """The weight.

    Raises:
        DecodeError: this packet tells none.
    """
    if record.weight_kg is None:
        raise DecodeError(DecodeReason.NO_VALUE, "a packet without weight")
    return scale_observation("weight", record.weight_kg, sent_at=None, subject=subject, device=device, times=times)


def _s400(profile: int, word: int, at_s: int) -> SealedScale:
    weight = word & _NO_WEIGHT
    heart = word >> _WEIGHT_BITS & _NO_HEART
    impedance = word >> _WEIGHT_BITS + _HEART_BITS
    return SealedScale(
        profile,
        Decimal(weight).scaleb(-1) if 0 < weight < _NO_WEIGHT else None,
        heart + _HEART_FROM_BPM if 0 < heart < _NO_HEART else None,
        Decimal(impedance).scaleb(-1) if impedance else None,
        at_s,
    )


def _s200(profile: int, word: int, at_s: int) -> SealedScale:
    return SealedScale(profile, Decimal(word).scaleb(-2) if word else None, None, None, at_s)
