"""The configuration files that the demo writes for the processes it starts.

Rules are never shortened; heartbeats and the silence limit are, and they are configuration.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kanhu.harness.demo.script import Home

HEARTBEAT_S = 5
GATEWAY_SILENT_S = 30
"""A gateway unheard for so long is raised; heartbeat and limit are the two settings the demo shortens."""
RECONNECT_GRACE_S = 10
"""How long gateways have to come back after the county itself was away: two heartbeats."""
ROUTINE_S = 2
"""How often routine readings leave; 60 s in the field, where the link costs money."""

_KINDS = {
    "cuff": "cuff-ble",
    "strap": "strap-ble",
    "button": "button-bthome",
    "oximeter": "oximeter-cms50d",
}


def write_cloud(folder: Path, *, http_port: int, broker_port: int) -> Path:
    """cloud.toml of the county."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "cloud.toml"
    path.write_text(
        _toml({"data": str(folder), "timezone": "Asia/Shanghai", "broker": f"mqtt://127.0.0.1:{broker_port}"})
        + _table("county", {"zh": "云岭县", "en": "Yunling County"})
        + _table("http", {"host": "127.0.0.1", "port": http_port})
        + _table("silence", {"gateway_silent_s": GATEWAY_SILENT_S, "reconnect_grace_s": RECONNECT_GRACE_S}),
        encoding="utf-8",
    )
    return path


def write_gateway(folder: Path, home: Home, links: Mapping[str, Any], *, broker_port: int) -> Path:
    """gateway.toml of one home, with the addresses at which its simulated devices are reached."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "gateway.toml"
    text = _toml({"gateway": home.id, "data": str(folder), "timezone": "Asia/Shanghai", "heartbeat_s": HEARTBEAT_S})
    text += _table("broker", {"host": "127.0.0.1", "port": broker_port})
    text += _table("uplink", {"routine_s": ROUTINE_S, "reconnect_max_s": 2})
    text += _table("radio", {"bumble": links["hci"]})
    text += _table("journal", {"path": str(folder / "accepted.ndjson")})
    for resident, tags in home.residents:
        text += _table("[resident]", {"id": resident, "tags": list(tags)})
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
