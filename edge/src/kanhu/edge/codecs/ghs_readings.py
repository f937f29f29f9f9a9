"""Which observations of a Generic Health Sensor are readings, by types and units of IEEE 11073-10101. Experimental.

Philips' drafts number status bits 3 to 6 otherwise than Realtek and STMicroelectronics, so a value with any of them, as
with all others that say that nothing was measured, is refused.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from msgspec.structs import replace

from kanhu.contract import Observation, Part, Quality, QualityLevel, QualityReason, Subject, Times, metric
from kanhu.contract.metrics import METRICS, MetricKind
from kanhu.edge.codecs.blood_pressure import MMHG_IN_ONE_KPA
from kanhu.edge.codecs.elapsed_time import ElapsedTime
from kanhu.edge.codecs.ghs import UNIT_PARTITION, GhsReport, HealthObservation, Measured, MeasurementStatus
from kanhu.edge.codecs.glucose import MG_PER_DL_IN_ONE_MMOL_PER_L
from kanhu.edge.codecs.weight import KG_IN_ONE_LB
from kanhu.edge.errors import DecodeError, DecodeReason

_MEASUREMENT = 2  # the partition of the codes of what is measured
_LARGEST = Decimal(1_000_000)  # no metric is near it

_CELSIUS, _FAHRENHEIT = UNIT_PARTITION + 6048, UNIT_PARTITION + 4416
_MMHG, _KILOPASCAL = UNIT_PARTITION + 3872, UNIT_PARTITION + 3843
_KILOGRAM, _POUND = UNIT_PARTITION + 1731, UNIT_PARTITION + 1760
_MMOL_PER_L, _MG_PER_DL = UNIT_PARTITION + 4722, UNIT_PARTITION + 2130
# By the unit of the metric and the unit sent: what to add, then the factor.
_CONVERSIONS = {
    (_CELSIUS, _FAHRENHEIT): (Fraction(-32), Fraction(5, 9)),
    (_MMHG, _KILOPASCAL): (Fraction(0), Fraction(MMHG_IN_ONE_KPA)),
    (_KILOGRAM, _POUND): (Fraction(0), Fraction(KG_IN_ONE_LB)),
    (_MMOL_PER_L, _MG_PER_DL): (Fraction(0), 1 / Fraction(MG_PER_DL_IN_ONE_MMOL_PER_L)),
}
_AS_IT_IS = (Fraction(0), Fraction(1))

_BY_TYPE = {
    row.mdc: row
    for row in METRICS.values()
    if row.kind is MetricKind.SCALAR and row.mdc_unit is not None and row.mdc and row.mdc >> 16 == _MEASUREMENT
}
# Records of several parts, and those without which there is none.
_NEEDED = {"bp": {"systolic", "diastolic"}, "oximetry": {"spo2"}, "heart_rhythm": {"heart_rate"}}
_PANELS = {part: panel for panel in _NEEDED for part in metric(panel).parts}

# All others say that nothing was measured, or are numbered otherwise elsewhere.
_HARMLESS = MeasurementStatus.QUESTIONABLE | MeasurementStatus.BEYOND_THRESHOLD | MeasurementStatus.THRESHOLDS_OFF


def observe_ghs(record: GhsReport, *, subject: Subject, device: str, times: Times) -> tuple[Observation, ...]:
    """The readings: parts of one record with one time are one; values are rounded to a step, half to even.

    What no metric is for is left out beside what can be read.

    Raises:
        DecodeError: nothing of it is a reading, and why not; or a value is there twice.
    """
    found: dict[tuple[str, ElapsedTime | None], dict[str, Part]] = {}
    doubted: set[tuple[str, ElapsedTime | None]] = set()
    unread: list[DecodeError] = []
    for observation, measured in _values(record):
        try:
            part = _part(observation, measured)
        except DecodeError as error:
            unread.append(error)
            continue
        key = (_PANELS.get(part.metric, part.metric), observation.time)
        if part.metric in found.setdefault(key, {}):
            raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"{part.metric} twice at one time")
        found[key][part.metric] = part
        if observation.status & MeasurementStatus.QUESTIONABLE:
            doubted.add(key)
    for code, time in [key for key, parts in found.items() if not _NEEDED.get(key[0], set()) <= parts.keys()]:
        lone = found.pop((code, time))
        unread.append(DecodeError(DecodeReason.NO_VALUE, f"{', '.join(lone)} without the rest of {code}"))
    if not found:
        raise unread[0] if unread else DecodeError(DecodeReason.NO_VALUE, "an empty bundle")
    return tuple(
        Observation(
            metric=code,
            parts=tuple(parts[part] for part in metric(code).parts or (code,) if part in parts),
            subject=subject,
            device=device,
            times=replace(times, device_ms=None if time is None else time.local_ms),
            quality=Quality(
                QualityLevel.QUESTIONABLE if (code, time) in doubted else QualityLevel.OK,
                (QualityReason.DEVICE_CLOCK_UNSET,) if time is not None and time.clock_unset else (),
            ),
        )
        for (code, time), parts in found.items()
    )


def _values(record: GhsReport) -> Iterator[tuple[HealthObservation, Measured | None]]:
    """Each number with its observation, and each observation without one."""
    for observation in record.observations:
        if not observation.values:
            yield observation, None
        for measured in observation.values:
            yield observation, measured


def _part(observation: HealthObservation, measured: Measured | None) -> Part:
    """The number in steps of its metric.

    Raises:
        DecodeError: no metric is for it, or the sensor says that it is none.
    """
    faults = observation.status & ~_HARMLESS
    if faults:
        raise DecodeError(DecodeReason.NO_VALUE, f"the sensor reports status 0x{faults:04X}")
    if measured is None:
        raise DecodeError(DecodeReason.NO_VALUE, f"no metric for {observation.observation_class.name}")
    row = None if measured.type_code is None else _BY_TYPE.get(measured.type_code)
    if row is None or row.mdc_unit is None:
        raise DecodeError(DecodeReason.NO_VALUE, f"no metric for type {measured.type_code}")
    convert = _AS_IT_IS if measured.unit == row.mdc_unit else _CONVERSIONS.get((row.mdc_unit, measured.unit))
    if convert is None:
        raise DecodeError(DecodeReason.NO_VALUE, f"{row.code} in unit {measured.unit}, which is not known for it")
    if not measured.value:
        raise DecodeError(DecodeReason.NO_VALUE, f"{row.code} without a number")
    if abs(measured.value) > _LARGEST:
        raise DecodeError(DecodeReason.INFINITE, f"{row.code} of {measured.value}")
    added, factor = convert
    return Part(row.code, (round((Fraction(measured.value) + added) * factor * row.steps_per_unit),))
