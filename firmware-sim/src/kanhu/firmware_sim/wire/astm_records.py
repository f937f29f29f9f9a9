"""Records of ASTM E1394 (CLSI LIS2-A2) as an analyser writes them, with the person's name that a clinic typed in."""

from dataclasses import dataclass

GLUCOSE_LOINC = "15074-8"
"""Glucose in blood, moles a volume."""

_CODES = {"|": "F", "\\": "R", "^": "S", "&": "E"}


@dataclass(frozen=True, slots=True)
class SentResult:
    """One result record; the value is text, as on the display."""

    analyte: str
    value: str
    unit: str
    flag: str = ""
    status: str = "F"
    completed: str = ""
    loinc: str = ""  # written behind the analyte, as some makers do


def escaped(text: str) -> str:
    """Delimiters within a text, each as a letter between two ampersands."""
    return "".join(f"&{_CODES[one]}&" if one in _CODES else one for one in text)


def astm_message(
    results: list[SentResult],
    *,
    specimen: str,
    patient_id: str = "",
    patient_name: str = "",
    born: str = "",
    processing: str = "P",
    action: str = "",
    specimen_kind: str = "",
    operator: str = "",
    sent: str = "20241206141235",
) -> list[bytes]:
    """The records of one specimen from header to end, without their CR."""
    lines = [
        f"H|\\^&|||kanhu^1.0^0001|||||||{processing}|1|{sent}",
        f"P|1|{escaped(patient_id)}|||{escaped(patient_name)}||{born}",
        f"O|1|{escaped(specimen)}|||R||||||{action}||||{specimen_kind}||||||||||F",
    ]
    lines += [
        f"R|{at}|{_test(one)}|{escaped(one.value)}|{escaped(one.unit)}||{one.flag}||{one.status}"
        f"||{operator}||{one.completed}"
        for at, one in enumerate(results, start=1)
    ]
    return [line.encode() for line in [*lines, "L|1|N"]]


def _test(result: SentResult) -> str:
    named = f"^^^{escaped(result.analyte)}"
    return f"{named}^{result.loinc}" if result.loinc else named
