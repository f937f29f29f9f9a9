"""What a gateway tells Prometheus: a table of metrics, and the text format 0.0.4 that they are told in.

Only counts, sizes and ages: no reading, no person, no device.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kanhu.contract import Clock
from kanhu.gateway._figures import Owed
from kanhu.gateway.card import CardMeter
from kanhu.gateway.disk import partition_of
from kanhu.gateway.heartbeat import refusals
from kanhu.gateway.outbox import Outbox
from kanhu.gateway.updates.store import State

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ALARM = "alarm:"
_STATM = Path("/proc/self/statm")
_PAGE_BYTES = 4096

Value = float | Mapping[str, float] | None
"""One number, one for each value of the label, or None where it cannot be known."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of the table; units are in the name."""

    name: str
    kind: str
    help: str
    label: str = ""


METRICS = (
    Metric("kanhu_gateway_readings_accepted_total", "counter", "Readings committed to the card."),
    Metric("kanhu_gateway_readings_refused_total", "counter", "Readings that could not be taken.", "reason"),
    Metric("kanhu_gateway_readings_dropped_total", "counter", "Readings named in gaps: the outbox was full."),
    Metric("kanhu_gateway_delivered_dropped_total", "counter", "Delivered records that gave way before their time."),
    Metric("kanhu_gateway_records_quarantined_total", "counter", "Records set aside."),
    Metric("kanhu_gateway_findings_total", "counter", "Findings committed."),
    Metric("kanhu_gateway_records_owed", "gauge", "Records without the county's receipt."),
    Metric(
        "kanhu_gateway_oldest_owed_age_seconds", "gauge", "Age of the oldest of them by the wall clock, 0 for none."
    ),
    Metric("kanhu_gateway_receipts_total", "counter", "Receipts of the county since the process began."),
    Metric("kanhu_gateway_link_ends_total", "counter", "Connections that ended, or never were.", "reason"),
    Metric("kanhu_gateway_task_restarts_total", "counter", "Restarts by the supervisor.", "task"),
    Metric("kanhu_gateway_alarms_open", "gauge", "High findings that the county has not confirmed."),
    Metric("kanhu_gateway_alarm_decisions_total", "counter", "What the local alarm decided and did.", "reason"),
    Metric("kanhu_gateway_card_written_bytes_total", "counter", "Bytes this process caused to be written."),
    Metric("kanhu_gateway_card_written_day_bytes", "gauge", "The same in the last 24 h, or since the process began."),
    Metric("kanhu_gateway_card_free_bytes", "gauge", "Free space on the partition of the outbox."),
    Metric("kanhu_gateway_release_number", "gauge", "Release from the county that runs; 0 for none."),
    Metric("kanhu_gateway_releases_refused", "gauge", "Refused releases that are remembered.", "reason"),
    Metric("process_resident_memory_bytes", "gauge", "Resident memory."),
)


@dataclass(frozen=True, slots=True)
class OutboxFigures:
    """What the outbox's thread reads for one answer."""

    counters: Mapping[tuple[str, str], int]
    owed: Owed
    alarms_open: int

    @classmethod
    def of(cls, outbox: Outbox) -> "OutboxFigures":
        """Read them."""
        return cls(outbox.counters(), outbox.owed(), outbox.alarms.open)


def figures(
    outbox: OutboxFigures,
    *,
    receipts: int,
    link_ends: Mapping[str, int],
    restarts: Mapping[str, int],
    card: CardMeter,
    updates: State,
    folder: Path,
    clock: Clock,
) -> dict[str, Value]:
    """A value for each metric, by its name."""
    counters, oldest_ms, last_day = outbox.counters, outbox.owed.oldest_ms, card.last_day()
    of_all: Counter[str] = Counter()
    for (_, name), count in counters.items():
        of_all[name] += count
    return {
        "kanhu_gateway_readings_accepted_total": of_all["accepted"],
        "kanhu_gateway_readings_refused_total": refusals(counters),
        "kanhu_gateway_readings_dropped_total": of_all["dropped"],
        "kanhu_gateway_delivered_dropped_total": of_all["delivered_dropped"],
        "kanhu_gateway_records_quarantined_total": of_all["quarantined"],
        "kanhu_gateway_findings_total": of_all["findings"],
        "kanhu_gateway_records_owed": outbox.owed.total,
        "kanhu_gateway_oldest_owed_age_seconds": 0 if oldest_ms is None else max(0, clock.wall_ms() - oldest_ms) / 1000,
        "kanhu_gateway_receipts_total": receipts,
        "kanhu_gateway_link_ends_total": link_ends,
        "kanhu_gateway_task_restarts_total": restarts,
        "kanhu_gateway_alarms_open": outbox.alarms_open,
        "kanhu_gateway_alarm_decisions_total": {
            name.removeprefix(_ALARM): count for name, count in of_all.items() if name.startswith(_ALARM)
        },
        "kanhu_gateway_card_written_bytes_total": card.written(),
        "kanhu_gateway_card_written_day_bytes": None if last_day is None else last_day[0],
        "kanhu_gateway_card_free_bytes": partition_of(folder).free,
        "kanhu_gateway_release_number": 0 if updates.running is None else updates.running.number,
        "kanhu_gateway_releases_refused": Counter(each.reason.value for each in updates.refused),
        "process_resident_memory_bytes": _resident_bytes(),
    }


def exposition(values: Mapping[str, Value]) -> str:
    """The text that Prometheus reads; what is not known is left out."""
    lines: list[str] = []
    for metric in METRICS:
        value = values[metric.name]
        if value is None:
            continue
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
        if isinstance(value, Mapping):
            lines += [f'{metric.name}{{{metric.label}="{_escaped(of)}"}} {value[of]}' for of in sorted(value)]
        else:
            lines.append(f"{metric.name} {value}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _resident_bytes() -> int | None:
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return None
