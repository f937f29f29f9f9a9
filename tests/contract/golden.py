"""Golden messages: fixed records, the bytes that format version 1 gives them, and those bytes in words.

`python -m tests.contract.golden` writes what is missing in `tests/vectors/contract/golden_v1` and changes nothing:
a message once written is what the field has in its outboxes. A new format gets a folder of its own.
"""

import enum
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from kanhu.contract import (
    ClockState,
    Context,
    DeviceStatus,
    Envelope,
    Evidence,
    Finding,
    Gap,
    GapReason,
    GatewayState,
    Meal,
    Motion,
    Observation,
    Oxygen,
    Part,
    Phase,
    Posture,
    Priority,
    Quality,
    QualityLevel,
    QualityReason,
    Receipt,
    Record,
    Refusal,
    RefusalReason,
    Status,
    Subject,
    SubjectKind,
    Times,
    Waveform,
    alert_id,
    decode_envelope,
    decode_receipt,
    decode_record,
    decode_status,
    encode_envelope,
    encode_receipt,
    encode_record,
    encode_status,
    record_digest,
)
from kanhu.contract.envelope import encode_body

FOLDER = Path(__file__).parents[1] / "vectors" / "contract" / "golden_v1"

EPOCH = "00112233445566778899aabbccddeeff"
BOOT = "0123456789abcdef0123456789abcdef"
PERSON = Subject(SubjectKind.RESIDENT, "r-0003")
NOON_MS = 1_790_000_000_000


def _times(after_ms: int, **more: Any) -> Times:
    return Times(NOON_MS + after_ms, (5_000 + after_ms) * 1_000_000, BOOT, ClockState.SYNCED, **more)


BUTTON = Observation("help_button", (Part("help_button", (1,)),), PERSON, "button-03", _times(0))
PRESSURE = Observation(
    "bp",
    (
        Part("systolic", (18_450,)),
        Part("diastolic", (11_200,)),
        Part("mean_pressure", (13_600,)),
        Part("pulse_cuff", (8_850,)),
    ),
    PERSON,
    "cuff-03",
    _times(60_000, device_ms=NOON_MS + 28_860_000, earliest_ms=NOON_MS + 59_000, latest_ms=NOON_MS + 60_500),
    context=Context(Meal.CASUAL, Posture.SITTING, Motion.STILL, Oxygen.AIR),
)
OXIMETRY = Observation(
    "oximetry",
    (Part("spo2", (880,)), Part("pulse_oximeter", (910,)), Part("perfusion", (45,))),
    Subject(SubjectKind.UNIDENTIFIED, "session-7"),
    "oximeter-01",
    Times(0, 90_000_000_000, BOOT, ClockState.UNSET),
    Quality(QualityLevel.QUESTIONABLE, (QualityReason.LOW_PERFUSION, QualityReason.IDENTITY_UNKNOWN)),
)
RHYTHM = Observation(
    "heart_rhythm",
    (Part("heart_rate", (72,)), Part("rr_interval", (106_625, 98_000, 111_250))),
    PERSON,
    "strap-03",
    _times(61_000),
)
RHYTHM_NEXT = Observation("heart_rhythm", (Part("heart_rate", (71,)),), PERSON, "strap-03", _times(62_000))
MOTION = Observation(
    "motion", (Part("motion", (0,)),), Subject(SubjectKind.DWELLING, "home-03"), "motion-厨房", _times(63_000)
)
WAVEFORM = Waveform(
    "heart_rate", PERSON, "patch-03", _times(64_000), 250_000, 5_000_000, bytes.fromhex("0100ffff0080ff7f")
)
EVIDENCE = Evidence("help_button", 1, "button-03", BOOT, 5_000_000_000, NOON_MS)
FINDING = Finding(
    alert_id(PERSON, "SOS", EVIDENCE),
    "SOS",
    "2026.11",
    PERSON,
    Priority.HIGH,
    Phase.START,
    "confirmed",
    _times(0),
    (EVIDENCE,),
    {"device": "button-03"},
    ("voice",),
)
GAP = Gap(GapReason.OUTBOX_FULL, "heart_rhythm", ((4, 6), (9, 9)), NOON_MS - 5_000, NOON_MS - 1_000, _times(65_000))


def _envelope(*records: Record, first: int = 1, step: int = 1) -> Envelope:
    numbered = ((first + step * at, record) for at, record in enumerate(records))
    return Envelope("home-03", EPOCH, tuple(numbered))


@dataclass(frozen=True)
class Golden:
    """One message: its object, and the two ways between object and bytes."""

    value: Any
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


def _uncompressed(envelope: Envelope) -> bytes:
    return b"KH\x01\x00" + encode_body(envelope)


def _plain_zstd(envelope: Envelope) -> bytes:
    return b"KH\x01\x01" + zstandard.ZstdCompressor(level=9, write_checksum=True).compress(encode_body(envelope))


EVERYTHING = _envelope(
    BUTTON, FINDING, PRESSURE, OXIMETRY, RHYTHM, RHYTHM_NEXT, MOTION, WAVEFORM, GAP, first=40, step=3
)
MESSAGES: Mapping[str, Golden] = {
    "envelope_uncompressed": Golden(_envelope(BUTTON), _uncompressed, decode_envelope),
    "envelope_plain_zstd": Golden(_envelope(RHYTHM, RHYTHM_NEXT), _plain_zstd, decode_envelope),
    "envelope_observations": Golden(
        _envelope(PRESSURE, OXIMETRY, RHYTHM, RHYTHM_NEXT, MOTION, first=7), encode_envelope, decode_envelope
    ),
    "envelope_waveform": Golden(_envelope(WAVEFORM, first=2**62), encode_envelope, decode_envelope),
    "envelope_finding": Golden(_envelope(BUTTON, FINDING, first=12), encode_envelope, decode_envelope),
    "envelope_gap": Golden(_envelope(GAP, first=30), encode_envelope, decode_envelope),
    "envelope_everything": Golden(EVERYTHING, encode_envelope, decode_envelope),
    "record_observation": Golden(PRESSURE, encode_record, decode_record),
    "record_waveform": Golden(WAVEFORM, encode_record, decode_record),
    "record_finding": Golden(FINDING, encode_record, decode_record),
    "record_gap": Golden(GAP, encode_record, decode_record),
    "receipt": Golden(
        Receipt(1, "home-03", EPOCH, 11, ((14, 20), (22, 22)), (Refusal(12, 13, RefusalReason.MALFORMED),), NOON_MS),
        encode_receipt,
        decode_receipt,
    ),
    "status": Golden(
        Status(
            1,
            "home-03",
            EPOCH,
            GatewayState.ONLINE,
            BOOT,
            "0.1.0",
            NOON_MS,
            ClockState.SYNCED,
            60,
            7,
            {"short": 1},
            1,
            2,
            NOON_MS - 500,
            devices=(DeviceStatus("cuff-03", "cuff-ble", connected=True, battery_percent=80, accepted=3),),
        ),
        encode_status,
        decode_status,
    ),
}


def body_of(wire: bytes) -> bytes:
    """What an envelope's compression hides, read without the code under test."""
    if wire[3] == 0:
        return wire[4:]
    shipped = (Path(__file__).parents[2] / "contract/src/kanhu/contract/envelope_v1.zdict").read_bytes()
    dictionary = zstandard.ZstdCompressionDict(shipped) if wire[3] == 2 else None
    return zstandard.ZstdDecompressor(dict_data=dictionary).decompress(wire[4:])


_UNSAID: dict[str, tuple[object, ...]] = {
    **dict.fromkeys(
        ("running", "alarm", "release", "tally", "requests", "clock_error_s", "clock_corrected_s"), (msgspec.UNSET,)
    ),
    "heard_ns": (0,),
}


def in_words(value: Any) -> Any:
    """Plain JSON with every field named; bytes as hex; a record says its type and digest.

    What version 1 may leave unsaid, and a message does not say, is no field of it.
    """
    if isinstance(value, msgspec.Struct):
        said = [name for name in value.__struct_fields__ if getattr(value, name) not in _UNSAID.get(name, ())]
        fields = {name: in_words(getattr(value, name)) for name in said}
        if isinstance(value, Record):
            return {"type": type(value).__name__, **fields, "sha256": record_digest(value).hex()}
        return fields
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [in_words(each) for each in value]
    if isinstance(value, dict):
        return {key: in_words(each) for key, each in value.items()}
    return value


def write_missing() -> list[str]:
    """Write the messages that have no file yet; return their names."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    written = []
    for name, golden in MESSAGES.items():
        if not (FOLDER / f"{name}.bin").exists():
            (FOLDER / f"{name}.bin").write_bytes(golden.encode(golden.value))
            words = json.dumps(in_words(golden.value), ensure_ascii=False, indent=1)
            (FOLDER / f"{name}.json").write_text(words + "\n", encoding="utf-8")
            written.append(name)
    return written


if __name__ == "__main__":
    write_missing()
