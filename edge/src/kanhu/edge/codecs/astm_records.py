"""Decode messages of ASTM E1394 (CLSI LIS2-A2): header, patients, orders, results, comments, requests and end.

Names, addresses, birth dates, sex, doctors and operators of P, O and R records are never read, nor is free text of
comments; errors tell the number of a record, never its text. Processing, action and status letters are the standard's,
and those of Afinion 2 and DCA Vantage (senaite/senaite.astm@b701c18) agree with them.
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from msgspec.structs import replace as replace_struct

from kanhu.contract import Observation, Quality, QualityLevel, QualityReason, Subject, Times
from kanhu.edge.codecs.astm_fields import Delimiters, decode_delimiters, is_day_alone, local_ms, number_in
from kanhu.edge.codecs.date_time_fields import FIRST_PLAUSIBLE_MS
from kanhu.edge.codecs.glucose import MG_PER_DL_IN_ONE_MMOL_PER_L, Beyond, glucose_part
from kanhu.edge.errors import DecodeError, DecodeReason

_MAX_BYTES = 1_048_576
_MAX_RECORDS = 10_000
_NAME_CHARACTERS = 32
_RECORD_END = re.compile(r"[\r\n]+")
_PADDING = " \t\0"
_ALARM = re.compile(r"[A-Za-z0-9_.]{1,32}", re.ASCII)
_CONTROL = re.compile(r"(?:QC|CTRL|CONTROL)(?![A-Z])", re.IGNORECASE)
_PRODUCTION = frozenset({"", "P"})  # the others are training, debugging and quality control
_CONTROL_ACTION = "Q"
_WITH_RESULT = frozenset({"", "F", "C", "R", "V", "W"})
_QUESTIONED_STATUS = "W"
_QUESTIONED_FLAG = "!"  # Afinion 2: the result is ambiguous
_NO_ALARM = "0"  # cobas c311

# Glucose in blood, by LOINC code in the test's name; venous serum and plasma have no metric.
_METRICS = {"15074-8": "glucose_capillary", "2339-0": "glucose_capillary", "41653-7": "glucose_capillary"}
_IN_MMOL_PER_L = {"mmol/l": Decimal(1), "mg/dl": MG_PER_DL_IN_ONE_MMOL_PER_L}


@dataclass(frozen=True, slots=True)
class AstmHeader:
    """Who sends, and for what purpose; None is not sent."""

    sender: tuple[str, ...]  # maker, model, version, serial number, in the order of the maker
    processing: str  # P production, T training, D debugging, Q quality control; empty where not sent
    version: str | None
    sent_at: str | None  # device's local time as sent


@dataclass(frozen=True, slots=True)
class AstmOrder:
    """One specimen and what was asked of it."""

    specimen_id: str | None  # given by the host
    instrument_specimen_id: str | None  # given by the analyser, all components as sent
    tests: tuple[str, ...]  # as sent
    action: str
    specimen: str  # its kind as sent, all components
    report: str  # F final, C correction, and others of the standard


@dataclass(frozen=True, slots=True)
class AstmResult:
    """One result; texts as sent where not said otherwise, None is not sent."""

    test: str
    code: str | None  # the maker's name of the analyte, without escapes
    value_text: str
    value: Decimal | None  # in `unit`; None where the text is no number
    comparison: str | None  # the true value lies below or above `value`
    unit: str  # without escapes; empty where not sent
    reference: str
    flags: tuple[str, ...]
    flag_text: str
    status: str
    started_at: str | None
    completed_at: str | None
    header: AstmHeader
    patient_ids: tuple[str, ...]
    order: AstmOrder | None
    test_names: tuple[str, ...]  # components of `test`, without escapes
    alarms: tuple[str, ...] = ()  # codes of the analyser's own comments

    @property
    def measured_at_ms(self) -> int | None:
        """The analyser's own clock as if it were UTC: completed, else started, which some send alone."""
        found = local_ms(self.completed_at)
        return local_ms(self.started_at) if found is None else found

    @property
    def tells_moment(self) -> bool:
        """No other result has its time: a clock that was set told more than the day."""
        told = self.completed_at if local_ms(self.completed_at) is not None else self.started_at
        at_ms = local_ms(told)
        return told is not None and at_ms is not None and at_ms >= FIRST_PLAUSIBLE_MS and not is_day_alone(told)

    @property
    def is_control(self) -> bool:
        """Quality control, training or service of the analyser: nobody's blood."""
        if self.header.processing not in _PRODUCTION:
            return True
        order = self.order
        if order is None:
            return False
        texts = (order.specimen, *re.split(r"\W+", order.specimen), order.specimen_id or "", *self.patient_ids)
        return order.action == _CONTROL_ACTION or any(_CONTROL.match(text) for text in texts)

    @property
    def beyond(self) -> Beyond | None:
        """The true value lies outside what the analyser can measure."""
        told = {(self.comparison or "")[:1], *self.flags} & {"<", ">"}
        if len(told) != 1:
            return None
        return Beyond.BELOW if "<" in told else Beyond.ABOVE


@dataclass(frozen=True, slots=True)
class AstmMessage:
    """From its header to its end."""

    header: AstmHeader
    results: tuple[AstmResult, ...]
    orders: tuple[AstmOrder, ...]
    requests: tuple[str, ...]  # specimens that the analyser asks the host about, as sent
    complete: bool  # the end record came
    termination: str | None  # N normal, and others of the standard


def decode_astm(text: bytes) -> tuple[AstmMessage, ...]:
    """Decode the joined text of a session's frames.

    Raises:
        DecodeError: it is too long, has no header, or one whose delimiters cannot be told apart.
    """
    if len(text) > _MAX_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(text)} bytes")
    lines = (line.lstrip(_PADDING) for line in _RECORD_END.split(_characters(text)))
    records = [line for line in lines if line]
    if len(records) > _MAX_RECORDS:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(records)} records")
    if not records or _letter(records[0]) != "H":
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "the first record is no header")
    starts = [at for at, record in enumerate(records) if _letter(record) == "H"]
    return tuple(_message(records[start:end]) for start, end in zip(starts, [*starts[1:], len(records)], strict=True))


def observe_astm(result: AstmResult, *, subject: Subject, device: str, times: Times) -> Observation:
    """Glucose in blood that the analyser names by LOINC, rounded to a hundredth of mmol/L.

    Raises:
        DecodeError: quality control, not final, no number, an unknown unit, or an analyte without metric.
    """
    if result.is_control:
        raise DecodeError(DecodeReason.NO_VALUE, "quality control, training or service of the analyser")
    if result.status not in _WITH_RESULT:
        raise DecodeError(DecodeReason.NO_VALUE, "not a final result")
    code = next((_METRICS[name] for name in result.test_names if name in _METRICS), None)
    if code is None:
        raise DecodeError(DecodeReason.NO_VALUE, f"no metric for {(result.code or '')[:_NAME_CHARACTERS]!r}")
    if result.value is None:
        raise DecodeError(DecodeReason.NOT_A_NUMBER, "the analyser sent no number")
    divisor = _IN_MMOL_PER_L.get(result.unit.lower())
    if divisor is None:
        raise DecodeError(DecodeReason.RESERVED_VALUE, f"unit {result.unit[:16]!r}")
    if result.comparison is not None and result.beyond is None:
        raise DecodeError(DecodeReason.NO_VALUE, "the analyser says above and below at once")
    part, reasons = glucose_part(code, result.value / divisor, result.beyond)
    if result.status == _QUESTIONED_STATUS or _QUESTIONED_FLAG in result.flags:
        reasons += (QualityReason.QUESTIONED,)
    at_ms = result.measured_at_ms
    if at_ms is None or at_ms < FIRST_PLAUSIBLE_MS:
        reasons += (QualityReason.DEVICE_CLOCK_UNSET,)
    return Observation(
        code, (part,), subject, device, replace_struct(times, device_ms=at_ms), Quality(QualityLevel.OK, reasons)
    )


def _message(records: list[str]) -> AstmMessage:
    delimiters = decode_delimiters(records[0])
    header = _header(delimiters, delimiters.fields(records[0]))
    results: list[AstmResult] = []
    orders: list[AstmOrder] = []
    requests: list[str] = []
    patient_ids: tuple[str, ...] = ()
    order: AstmOrder | None = None
    after = ""
    termination: str | None = None
    complete = False
    for record in records[1:]:
        fields = delimiters.fields(record)
        letter = _letter(record)
        if letter == "P":
            patient_ids = tuple(delimiters.plain(one) for one in (_at(fields, 2), _at(fields, 3)) if one)
            order = None
        elif letter == "O":
            order = _order(delimiters, fields)
            orders.append(order)
        elif letter == "R":
            results.append(_result(delimiters, fields, header=header, patient_ids=patient_ids, order=order))
        elif letter == "C" and after == "R" and results:
            alarm = _alarm(delimiters, fields)
            if alarm is not None:
                results[-1] = replace(results[-1], alarms=(*results[-1].alarms, alarm))
        elif letter == "Q":
            requests.append(_at(fields, 2))
        elif letter == "L":
            complete, termination = True, _at(fields, 2) or None
        after = after if letter == "C" else letter
    return AstmMessage(header, tuple(results), tuple(orders), tuple(requests), complete, termination)


def _header(delimiters: Delimiters, fields: tuple[str, ...]) -> AstmHeader:
    return AstmHeader(
        sender=delimiters.components(_at(fields, 4)),
        processing=_at(fields, 11).strip().upper(),
        version=_at(fields, 12) or None,
        sent_at=_at(fields, 13) or None,
    )


def _order(delimiters: Delimiters, fields: tuple[str, ...]) -> AstmOrder:
    return AstmOrder(
        specimen_id=delimiters.plain(delimiters.components(_at(fields, 2))[0]).strip() or None,
        instrument_specimen_id=_at(fields, 3) or None,
        tests=delimiters.repeats(_at(fields, 4)),
        action=_at(fields, 11).strip().upper(),
        specimen=_at(fields, 15),
        report=_at(fields, 25).strip().upper(),
    )


def _result(
    delimiters: Delimiters,
    fields: tuple[str, ...],
    *,
    header: AstmHeader,
    patient_ids: tuple[str, ...],
    order: AstmOrder | None,
) -> AstmResult:
    names = delimiters.components(_at(fields, 2))
    # Cepheid keeps the first component for words, and sends numbers in the second.
    told = next((one for one in delimiters.components(_at(fields, 3)) if one.strip()), "")
    number = number_in(told)
    flag_text = _at(fields, 6)
    flags = (delimiters.components(one) for one in delimiters.repeats(flag_text))
    return AstmResult(
        test=_at(fields, 2),
        code=_code(names),
        value_text=_at(fields, 3),
        value=None if number is None else number.value,
        comparison=None if number is None else number.comparison,
        unit=delimiters.plain(_at(fields, 4)).strip(),
        reference=_at(fields, 5),
        flags=tuple(one for repeat in flags for one in repeat if one),
        flag_text=flag_text,
        status=_at(fields, 8).strip().upper(),
        started_at=_at(fields, 11) or None,
        completed_at=_at(fields, 12) or None,
        header=header,
        patient_ids=patient_ids,
        order=order,
        test_names=names,
    )


def _code(names: tuple[str, ...]) -> str | None:
    """The maker's part is the fourth; Spotchem and Cepheid name the test in an earlier one."""
    return next((one for one in (*names[3:], *names[:3]) if one), None)


def _alarm(delimiters: Delimiters, fields: tuple[str, ...]) -> str | None:
    """The code of a comment by the analyser itself, of the kind that is no free text."""
    if _at(fields, 2) != "I" or _at(fields, 4).strip() != "I":
        return None
    code = delimiters.components(_at(fields, 3))[0].strip()
    return code if code != _NO_ALARM and _ALARM.fullmatch(code) else None


def _at(fields: tuple[str, ...], index: int) -> str:
    return fields[index] if index < len(fields) else ""


def _letter(record: str) -> str:
    return record[:1].upper()


def _characters(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")  # every byte is a character, so no text is lost
