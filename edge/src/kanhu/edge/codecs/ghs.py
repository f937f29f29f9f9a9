"""Decode an observation of the Bluetooth SIG Generic Health Sensor Service 1.0 (0x1840). Experimental.

An observation: class (1 byte), length (2), flags (2), then what the flags name, in the order of their bits: type (4),
time (9), duration (4), status (2), id (4), patient (1), supplemental codes, derived from, member of (each a count and
four bytes apiece), attributes (a count, then type 4, length 2, format 1, value each); then the value. A bundle holds
observations.

No frame of a product was found. The layout is from three open implementations: Realtek's and STMicroelectronics'
sensors, and Philips' sensor and collector, written along the drafts; what is read here two of them at least agree on.
Where they differ nothing is guessed:

* length: STMicroelectronics counts what is behind it, Realtek all from the class on, Philips has had both. The segments
  say how long the observation is, so each tells which it means; a length that is neither is refused.
* bundles: Realtek's code writes the length of the bundle into each of its observations. That is refused.
* sample arrays (class 4): three layouts. They are passed over by their length, and refused as a component.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import IntEnum, IntFlag

from kanhu.edge.codecs.elapsed_time import ELAPSED_TIME_BYTES, ElapsedTime, decode_elapsed_time
from kanhu.edge.codecs.ieee_float import FLOAT_BYTES, decode_float_or_absent
from kanhu.edge.errors import DecodeError, DecodeReason

SERVICE_UUID = "00001840-0000-1000-8000-00805f9b34fb"
LIVE_UUID = "00002b8b-0000-1000-8000-00805f9b34fb"
CONTROL_UUID = "00002bf4-0000-1000-8000-00805f9b34fb"

START_LIVE = b"\x01"
"""To the control point: send what is measured from now on. The three implementations agree on it and on the answer."""
STARTED = b"\x80"

MAX_BYTES = 2048
"""Of one observation; project choice: a cuff's has 56, and only sample arrays, which are not read, are longer."""

_HAS_TYPE = 1 << 0
_HAS_TIME = 1 << 1
_HAS_DURATION = 1 << 2
_HAS_STATUS = 1 << 3
_HAS_ID = 1 << 4
_HAS_PATIENT = 1 << 5
_HAS_CODES = (1 << 6, 1 << 7, 1 << 8)  # supplemental, derived from, member of
_HAS_ATTRIBUTES = 1 << 9
_RESERVED_FLAGS = 0xFC00
_UNCOUNTED_BYTES = (0, 3)  # of an observation, by its own length: none, or class and length

UNIT_PARTITION = 4 << 16
"""Of IEEE 11073-10101; units are sent without it."""


class ObservationClass(IntEnum):
    """What an observation holds."""

    NUMERIC = 1
    DISCRETE = 2
    STRING = 3
    SAMPLES = 4
    DISCRETE_EVENTS = 5
    STATES = 6
    COMPOUND = 7
    ATTRIBUTES = 8
    BUNDLE = 255


_CLASSES = {one.value: one for one in ObservationClass}


class MeasurementStatus(IntFlag):
    """What the sensor says of a value, as Realtek and STMicroelectronics number it."""

    INVALID = 1 << 0
    QUESTIONABLE = 1 << 1
    NOT_AVAILABLE = 1 << 2
    CALIBRATING = 1 << 3
    TEST_DATA = 1 << 4
    EARLY_ESTIMATE = 1 << 5
    ENTERED_BY_HAND = 1 << 6
    SETTING = 1 << 7
    BEYOND_THRESHOLD = 1 << 14
    THRESHOLDS_OFF = 1 << 15


@dataclass(frozen=True, slots=True)
class Measured:
    """One number with what it is of and its unit, codes of IEEE 11073-10101 with their partition; None is not sent."""

    type_code: int | None
    unit: int
    value: Decimal | None  # None: the sensor has no number


@dataclass(frozen=True, slots=True)
class HealthObservation:
    """One observation, with what its bundle says of it; None is not sent."""

    observation_class: ObservationClass
    type_code: int | None
    time: ElapsedTime | None
    status: MeasurementStatus
    patient: int | None  # the sensor's own number for whom it measured
    values: tuple[Measured, ...]  # of a numeric or a compound observation; the others are not read


@dataclass(frozen=True, slots=True)
class GhsReport:
    """What was sent as one: an observation, or those of a bundle."""

    observations: tuple[HealthObservation, ...]


def decode_ghs(body: bytes) -> GhsReport:
    """Decode one observation or one bundle, put together from its segments.

    Raises:
        DecodeError: it is shorter or longer than it says, or something in it is reserved.
    """
    if len(body) > MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(body)} bytes")
    fields = _Fields(body)
    kind, length = _head(fields)
    uncounted = len(body) - length
    if uncounted not in _UNCOUNTED_BYTES:
        reason = DecodeReason.SHORT if uncounted < max(_UNCOUNTED_BYTES) else DecodeReason.TOO_LONG
        raise DecodeError(reason, f"length {length}, got {len(body)} bytes")
    outer = _attributes(fields, kind, within=None)
    if kind is not ObservationClass.BUNDLE:
        return GhsReport((_with_values(fields, outer, end=len(body)),))
    observations: list[HealthObservation] = []
    for _ in range(fields.number(1)):
        start = fields.at
        kind, length = _head(fields)
        if kind is ObservationClass.BUNDLE:
            raise DecodeError(DecodeReason.RESERVED_VALUE, "a bundle in a bundle")
        inner = _attributes(fields, kind, within=outer)
        observations.append(_with_values(fields, inner, end=start + length + uncounted))
    fields.ends_at(len(body))
    return GhsReport(tuple(observations))


class _Fields:
    """Reads one field after the other."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.at = 0

    def skip(self, count: int) -> int:
        """Pass over `count` bytes; where they begin."""
        start, self.at = self.at, self.at + count
        if self.at > len(self._body):
            raise DecodeError(DecodeReason.SHORT, f"needs {self.at} bytes, got {len(self._body)}")
        return start

    def number(self, count: int) -> int:
        start = self.skip(count)
        return int.from_bytes(self._body[start : self.at], "little")

    def value(self) -> Decimal | None:
        return decode_float_or_absent(self._body, self.skip(FLOAT_BYTES), field="value")

    def time(self) -> ElapsedTime:
        return decode_elapsed_time(self._body, self.skip(ELAPSED_TIME_BYTES))

    def ends_at(self, end: int) -> None:
        """Refuse what ends elsewhere."""
        if self.at != end:
            short = self.at > end or end > len(self._body)
            reason = DecodeReason.SHORT if short else DecodeReason.TOO_LONG
            raise DecodeError(reason, f"{self.at} bytes by its fields, {end} by its length")


def _head(fields: _Fields) -> tuple[ObservationClass, int]:
    code = fields.number(1)
    if code not in _CLASSES:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"observation class {code}")
    return _CLASSES[code], fields.number(2)


def _attributes(fields: _Fields, kind: ObservationClass, *, within: HealthObservation | None) -> HealthObservation:
    """What stands before the value; what is not sent is that of the bundle, whose status is one of each."""
    flags = fields.number(2)
    if flags & _RESERVED_FLAGS:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"flags 0x{flags:04X}")
    type_code = within.type_code if within is not None else None
    if flags & _HAS_TYPE:
        type_code = fields.number(4)
    time = within.time if within is not None else None
    if flags & _HAS_TIME:
        time = fields.time()
    if flags & _HAS_DURATION:
        fields.skip(FLOAT_BYTES)
    status = within.status if within is not None else MeasurementStatus(0)
    if flags & _HAS_STATUS:
        status |= MeasurementStatus(fields.number(2))
    if flags & _HAS_ID:
        fields.skip(4)
    patient = within.patient if within is not None else None
    if flags & _HAS_PATIENT:
        patient = fields.number(1)
    for flag in _HAS_CODES:
        if flags & flag:
            fields.skip(4 * fields.number(1))
    if flags & _HAS_ATTRIBUTES:
        for _ in range(fields.number(1)):
            fields.skip(4)
            fields.skip(fields.number(2) + 1)  # its format stands between
    return HealthObservation(kind, type_code, time, status, patient, ())


def _with_values(fields: _Fields, observation: HealthObservation, *, end: int) -> HealthObservation:
    values: tuple[Measured, ...] = ()
    if observation.observation_class is ObservationClass.NUMERIC:
        values = (_number(fields, observation.type_code),)
    elif observation.observation_class is ObservationClass.COMPOUND:
        values = tuple(_components(fields))
    elif fields.at < end:
        fields.skip(end - fields.at)
    fields.ends_at(end)
    return replace(observation, values=values)


def _components(fields: _Fields) -> Iterator[Measured]:
    """The numbers among them."""
    for _ in range(fields.number(1)):
        type_code, code = fields.number(4), fields.number(1)
        if code == ObservationClass.NUMERIC:
            yield _number(fields, type_code)
        elif code == ObservationClass.DISCRETE:
            fields.skip(4)
        elif code == ObservationClass.STRING:
            fields.skip(fields.number(2))
        elif code == ObservationClass.DISCRETE_EVENTS:
            fields.skip(4 * fields.number(1))
        elif code == ObservationClass.STATES:
            fields.skip(3 * fields.number(1))  # which are supported, which are states, and the bits
        else:
            raise DecodeError(DecodeReason.RESERVED_VALUE, f"a component of class {code}")


def _number(fields: _Fields, type_code: int | None) -> Measured:
    unit = UNIT_PARTITION + fields.number(2)
    return Measured(type_code, unit, fields.value())
