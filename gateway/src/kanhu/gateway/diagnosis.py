"""One file for whoever helps from afar: how a gateway is doing, and nothing of whom it watches.

What goes in is chosen, never what stays out: numbers and words of closed lists from the settings, counts and clock
states from the outbox, the doctor's answers and lines of our own log with every name of the settings replaced. Records,
findings, states of rules, readings, contacts and keys are not read at all, or only to replace what they hold.
"""

import gzip
import io
import os
import platform
import sqlite3
import tarfile
from collections.abc import Mapping
from contextlib import closing
from decimal import Decimal
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from kanhu.contract import VERSION, Clock
from kanhu.gateway.config import GatewayConfig
from kanhu.gateway.disk import allowed_bytes, damaged_files
from kanhu.gateway.doctor import examine
from kanhu.gateway.errors import OutboxError
from kanhu.gateway.outbox import Outbox
from kanhu.gateway.timekeeping import kept_boots
from kanhu.gateway.veil import Veil

LOG_LINES = 500
"""How many of the last lines of a log go along."""
_MOST_LOG_BYTES = 1 << 20
_SHOWN = frozenset({"gateway", "timezone", "broker.host", "device.kind"})
"""Settings whose text is shown; any other text, of today or later, is only said to be set."""
_PACKAGES = ("aiomqtt", "bleak", "bumble", "cryptography", "msgspec", "numpy", "paho-mqtt", "pyserial")


async def diagnose(config: GatewayConfig, out: Path, *, clock: Clock, log: Path | None = None) -> list[str]:
    """Write the bundle, readable by its owner only, and return the names of its files; the outbox is only read.

    Raises:
        OSError: it cannot be written, or the log cannot be read.
    """
    veil = Veil(config)
    checks = [
        {name: veil.text(str(getattr(check, name))) for name in check.__struct_fields__}
        for check in await examine(config, clock=clock)
    ]
    files = {
        "doctor.json": _json(checks),
        "settings.json": _json(_settings(config)),
        "versions.json": _json(_versions()),
        "outbox.json": _json(_outbox(config, veil, clock)),
    }
    if log is not None:
        files["log.txt"] = "".join(f"{line}\n" for line in veil.log(_last_lines(log))).encode()
    _write(out, files, at_s=clock.wall_ms() // 1000)
    return list(files)


def _settings(config: GatewayConfig) -> dict[str, object]:
    """Each setting in its place: numbers and words of closed lists, "set" for other text; of residents the count."""
    shown = {name: _shown(getattr(config, name), name) for name in config.__struct_fields__ if name != "resident"}
    return {**shown, "resident": len(config.resident)}


def _shown(value: object, place: str) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, msgspec.Struct):
        return {name: _shown(getattr(value, name), f"{place}.{name}") for name in value.__struct_fields__}
    if isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
        return [_shown(each, place) for each in value]
    if isinstance(value, str) and place in _SHOWN:
        return value
    return "set" if value or isinstance(value, Decimal) else "not set"


def _versions() -> dict[str, object]:
    return {
        "kanhu": VERSION,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "packages": {name: _version(name) for name in _PACKAGES},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _outbox(config: GatewayConfig, veil: Veil, clock: Clock) -> dict[str, object]:
    file = config.outbox_file
    found: dict[str, object] = {"bytes": {f"outbox.db{end}": _size(Path(f"{file}{end}")) for end in ("", "-wal")}}
    found["damaged files"] = len(damaged_files(config.folder))
    if not file.exists():
        return found
    try:
        limit = allowed_bytes(file, max_mib=config.outbox.max_mib)
        with closing(Outbox.look(file, clock=clock, max_bytes=limit)) as outbox:
            owed, space = outbox.owed(), outbox.space()
            return found | {
                "owed": {"alerts": owed.alerts, "routine": owed.routine, "oldest_ms": owed.oldest_ms},
                "pages": {
                    "used": space.used,
                    "limit": space.limit,
                    "routine_limit": space.routine_limit,
                    "kept": space.kept,
                },
                "counters": _counters(outbox.counters(), veil),
                "notes": {veil.note(name): value for name, value in sorted(outbox.notes().items())},
                "boots": msgspec.to_builtins(kept_boots(outbox)),
                "rows": outbox.rows(),
            }
    except (OutboxError, sqlite3.Error) as error:
        return found | {"unreadable": veil.text(str(error))}


def _counters(counters: Mapping[tuple[str, str], int], veil: Veil) -> dict[str, dict[str, int]]:
    told: dict[str, dict[str, int]] = {}
    for (device, name), count in sorted(counters.items()):
        of_device = told.setdefault(veil.device(device) if device else "gateway", {})
        of_device[name] = of_device.get(name, 0) + count
    return told


def _size(file: Path) -> int | None:
    return file.stat().st_size if file.exists() else None


def _last_lines(log: Path) -> list[str]:
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _MOST_LOG_BYTES))
        return file.read(_MOST_LOG_BYTES).decode("utf-8", "replace").splitlines()[-LOG_LINES:]


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value)) + b"\n"


def _write(out: Path, files: Mapping[str, bytes], *, at_s: int) -> None:
    draft = out.with_name(f"{out.name}.part")
    draft.unlink(missing_ok=True)
    with (
        os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=at_s) as packed,  # no name of file, user or machine inside either
        tarfile.open(fileobj=packed, mode="w") as bundle,
    ):
        for name, content in files.items():
            about = tarfile.TarInfo(f"kanhu-diagnosis/{name}")
            about.size, about.mtime, about.mode = len(content), at_s, 0o600
            bundle.addfile(about, io.BytesIO(content))
    draft.replace(out)
