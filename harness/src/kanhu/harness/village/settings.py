"""The configuration files written for the processes of a village.

Rules are never shortened; heartbeats and the silence limit are, and they are configuration.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kanhu.harness.village.script import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The settings a play on one machine shortens, so that minutes show what hours do in the field."""

    heartbeat_s: float = 5
    gateway_silent_s: float = 30
    """A gateway unheard for so long is raised."""
    watch_list_s: float | None = None
    """So long where somebody of the watch list lives; None leaves it to the rule."""
    watch_all_s: float | None = None
    reconnect_grace_s: float = 10
    """How long gateways have to come back after the county itself was away: two heartbeats."""
    routine_s: float = 2
    """How often routine readings leave; 60 s in the field, where the link costs money."""
    reconnect_max_s: float = 2
    """Longest pause of a gateway between two tries."""


USUAL = Pace()

_KINDS = {
    "cuff": "cuff-ble",
    "strap": "strap-ble",
    "button": "button-bthome",
    "oximeter": "oximeter-cms50d",
}


def write_cloud(folder: Path, *, http_port: int, broker_port: int, pace: Pace = USUAL) -> Path:
    """cloud.toml of the county."""
    silence = {
        "gateway_silent_s": pace.gateway_silent_s,
        "watch_lost_watch_list_s": pace.watch_list_s,
        "watch_lost_all_s": pace.watch_all_s,
        "reconnect_grace_s": pace.reconnect_grace_s,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "cloud.toml"
    path.write_text(
        _toml({"data": str(folder), "timezone": "Asia/Shanghai", "broker": f"mqtt://127.0.0.1:{broker_port}"})
        + _table("county", {"zh": "云岭县", "en": "Yunling County"})
        + _table("http", {"host": "127.0.0.1", "port": http_port})
        + _table("silence", {name: seconds for name, seconds in silence.items() if seconds is not None}),
        encoding="utf-8",
    )
    return path


def write_gateway(folder: Path, home: Home, links: Mapping[str, Any], *, broker_port: int, pace: Pace = USUAL) -> Path:
    """gateway.toml of one home, with the addresses at which its simulated devices are reached."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "gateway.toml"
    text = _toml(
        {"gateway": home.id, "data": str(folder), "timezone": "Asia/Shanghai", "heartbeat_s": pace.heartbeat_s}
    )
    text += _table("broker", {"host": "127.0.0.1", "port": broker_port})
    text += _table("uplink", {"routine_s": pace.routine_s, "reconnect_max_s": pace.reconnect_max_s})
    text += _table("radio", {"bumble": links["hci"]})
    text += _table("journal", {"path": str(folder / "accepted.ndjson")})
    for person in home.residents:
        limit = {} if person.spo2_limit_percent is None else {"spo2_limit_percent": person.spo2_limit_percent}
        text += _table("[resident]", {"id": person.id, "tags": list(person.tags)} | limit)
    for device in home.devices:
        link = links["devices"][device.id]
        row: dict[str, Any] = {"id": device.id, "kind": _KINDS.get(device.kind, device.kind)}
        row |= {key: link[key] for key in ("address", "port") if key in link}
        if device.person is not None:
            row["resident"] = device.person
        text += _table("[device]", row)
    path.write_text(text, encoding="utf-8")
    return path


def _table(name: str, values: Mapping[str, Any]) -> str:
    return f"\n[{name}]\n{_toml(values)}"


def _toml(values: Mapping[str, Any]) -> str:
    # JSON strings, numbers and arrays of strings are also TOML.
    return "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
