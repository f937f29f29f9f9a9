"""thingsboard-gateway as a gateway under test: its own environment, its settings, and how readings get in.

Settings are those it is shipped with, except where it sends to, its token, and that it neither asks a server for
other settings nor reports about itself. Readings enter by its REST connector, which answers the device.
"""

import asyncio
import fcntl
import json
import os
import shutil
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from kanhu.harness.errors import ProgramFailed

__all__ = ["NAME", "VERSION", "cache", "ensure_installed", "write_settings"]

NAME = "thingsboard-gateway"
VERSION = "3.8.5"
_NEEDS = (f"{NAME}=={VERSION}", "aiohttp")  # its REST connector fetches aiohttp at its first start otherwise

_LIMITS = {
    "rateLimits": "DEFAULT_TELEMETRY_RATE_LIMIT",
    "dpRateLimits": "DEFAULT_TELEMETRY_DP_RATE_LIMIT",
    "messagesRateLimits": "DEFAULT_MESSAGES_RATE_LIMIT",
    "deviceMessagesRateLimits": "DEFAULT_MESSAGES_RATE_LIMIT",
    "deviceRateLimits": "DEFAULT_TELEMETRY_RATE_LIMIT",
    "deviceDpRateLimits": "DEFAULT_TELEMETRY_DP_RATE_LIMIT",
}
_STORAGES = {
    "memory": {"type": "memory", "read_records_count": 100, "max_records_count": 100_000},
    "file": {
        "type": "file",
        "max_file_count": 10,
        "max_read_records_count": 10,
        "max_records_per_file": 10_000,
    },
    "sqlite": {"type": "sqlite", "messages_ttl_check_in_hours": 1, "messages_ttl_in_days": 7},
}
"""Each with the numbers of the settings file that the package ships; `memory` is what that file chooses."""


def cache() -> Path:
    """Where other programs are installed unless something else is said."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kanhu" / "conform"


async def ensure_installed(cache: Path, *, say: Callable[[str], None]) -> Path:
    """Make the environment where it is missing; answers its program.

    Raises:
        ProgramFailed: the package index cannot be reached, or does not have it.
    """
    folder = cache / f"{NAME}-{VERSION}"
    program = folder / "bin" / NAME
    stamp = folder / "installed"
    folder.mkdir(parents=True, exist_ok=True)
    with (cache / f"{NAME}.lock").open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        if stamp.exists() and program.exists():
            return program
        say(f"installing {NAME} {VERSION} into {folder}")
        await asyncio.to_thread(venv.create, folder, clear=True, with_pip=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input", *_NEEDS]
        process = await asyncio.create_subprocess_exec(
            *pip, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=_environment()
        )
        said, _ = await process.communicate()
        if process.returncode != 0:
            raise ProgramFailed(f"fetching {NAME} {VERSION}", said.decode(errors="replace"))
        stamp.touch()
    return program


def write_settings(
    folder: Path, *, host: str, port: int, feed_port: int, storage: str, program: Path
) -> dict[str, str]:
    """Write its settings below `folder`; answers the environment to start it with."""
    settings, data = folder / "config", folder / "data"
    settings.mkdir(parents=True, exist_ok=True)
    data.mkdir(exist_ok=True)
    (folder / "logs").mkdir(exist_ok=True)
    store = {**_STORAGES[storage], "data_folder_path": f"{data}/", "data_file_path": f"{data}/"}
    gateway = {
        "thingsboard": {
            "host": host, "port": port, "remoteShell": False, "remoteConfiguration": False,
            "statistics": {"enable": False}, "deviceFiltering": {"enable": False, "filterFile": "list.json"},
            "maxPayloadSizeBytes": 8196, "minPackSendDelayMS": 50, "minPackSizeToSend": 500,
            "checkConnectorsConfigurationInSeconds": 60, "handleDeviceRenaming": True,
            "security": {"type": "accessToken", "accessToken": "conform"}, "qos": 1,
            "reportStrategy": {"type": "ON_RECEIVED"}, **_LIMITS,
            "checkingDeviceActivity": {"checkDeviceInactivity": False, "inactivityTimeoutSeconds": 300,
                                       "inactivityCheckPeriodSeconds": 10},
        },
        "storage": store,
        "grpc": {"enabled": False},
        "connectors": [{"type": "rest", "name": "feed", "configuration": "rest.json"}],
    }  # fmt: skip  # as in the file it is shipped with
    rest = {
        "server": {"host": "127.0.0.1", "port": str(feed_port), "SSL": False},
        "mapping": [
            {
                "endpoint": "/readings",
                "HTTPMethods": ["POST"],
                "response": {"responseExpected": False, "timeout": 10},
                "security": {"type": "anonymous"},
                "converter": {
                    "type": "json",
                    "deviceInfo": {
                        "deviceNameExpressionSource": "request",
                        "deviceNameExpression": "${device}",
                        "deviceProfileExpressionSource": "constant",
                        "deviceProfileExpression": "default",
                    },
                    "attributes": [],
                    "timeseries": [{"type": "integer", "key": "n", "value": "${n}"}],
                },
            }
        ],
        "requestsMapping": {},
    }
    (settings / "tb_gateway.json").write_text(json.dumps(gateway, indent=2), encoding="utf-8")
    (settings / "rest.json").write_text(json.dumps(rest, indent=2), encoding="utf-8")
    shipped = next(program.parents[1].glob("lib/python3*/site-packages/thingsboard_gateway/config/logs.json"))
    shutil.copy(shipped, settings)
    return {**_environment(), "TB_GW_CONFIG_DIR": f"{settings}/", "TB_GW_LOGS_PATH": str(folder / "logs")}


def _environment() -> dict[str, str]:
    """Nothing of this Python leaks into the other environment."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONHOME", "PYTHONPATH"}}
    kept.pop("VIRTUAL_ENV", None)
    kept["PATH"] = os.pathsep.join(
        part for part in kept.get("PATH", "").split(os.pathsep) if part != str(Path(sys.executable).parent)
    )
    return kept
