"""Gateways that can be put into the matrix: how each is started, fed, and listened to."""

import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from kanhu.contract import VERSION as KANHU_VERSION
from kanhu.harness.conform import thingsboard
from kanhu.harness.conform.rows import Row

__all__ = ["GATEWAY", "Candidate", "Door", "Ground", "Wire", "command", "kanhu", "thingsboard_gateway"]

GATEWAY = "conform-01"
"""The id under which the reference county knows the gateway under test."""

PLACES = ("broker_host", "broker_port", "feed_host", "feed_port", "folder", "gateway")
"""What `--gateway CMD` may name in braces."""


class Wire(StrEnum):
    """What the gateway speaks to its county."""

    KANHU = "kanhu"
    JSON = "json"


class Door(StrEnum):
    """How readings get in."""

    LINES = "lines"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class Ground:
    """Where one gateway of one cell lives."""

    folder: Path
    broker_host: str
    broker_port: int
    feed_port: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One gateway under test, one column."""

    name: str
    title: str
    version: str
    wire: Wire
    door: Door
    template: tuple[str, ...]
    """Its command, with places in braces."""
    storage: str = ""
    program: Path | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def can_be_put_into(self, row: Row) -> bool:
        """Whether a row means anything for it: a server of plain JSON is broker and store in one."""
        return self.wire is Wire.KANHU or not row.needs_receipts

    def command(self, ground: Ground) -> tuple[str, ...]:
        """Write its settings where it has any, and answer how it is started."""
        ground.folder.mkdir(parents=True, exist_ok=True)
        if self.program is not None:
            return self._thingsboard(ground, self.program)
        if self.name == "kanhu":
            _write_kanhu(ground)
        places = {
            "broker_host": ground.broker_host,
            "broker_port": ground.broker_port,
            "feed_host": "127.0.0.1",
            "feed_port": ground.feed_port,
            "folder": ground.folder,
            "gateway": GATEWAY,
        }
        return tuple(word.format_map(places) for word in self.template)

    def _thingsboard(self, ground: Ground, program: Path) -> tuple[str, ...]:
        variables = thingsboard.write_settings(
            ground.folder,
            host=ground.broker_host,
            port=ground.broker_port,
            feed_port=ground.feed_port,
            storage=self.storage,
            program=program,
        )
        assigned = (f"{name}={value}" for name, value in variables.items())
        return ("env", "-i", "-C", str(ground.folder), *assigned, str(program))


def kanhu() -> Candidate:
    """This repository's gateway, with settings as shipped."""
    template = (
        sys.executable, "-P", "-m", "kanhu.harness.conform.adapter",
        "--config", "{folder}/gateway.toml", "--feed-port", "{feed_port}",
    )  # fmt: skip  # one flag with its value reads best
    return Candidate("kanhu", "kanhu", KANHU_VERSION, Wire.KANHU, Door.LINES, template)


def thingsboard_gateway(program: Path, *, storage: str) -> Candidate:
    """thingsboard-gateway with one of its storages."""
    return Candidate(
        f"thingsboard_{storage}",
        f"thingsboard-gateway, {storage} storage",
        thingsboard.VERSION,
        Wire.JSON,
        Door.HTTP,
        (),
        storage=storage,
        program=program,
    )


def command(text: str, *, wire: Wire, door: Door) -> Candidate:
    """A stranger's gateway.

    Raises:
        ValueError: the command names a place that does not exist, or has quotes without end.
    """
    template = tuple(shlex.split(text))
    if not template:
        msg = "the command is empty"
        raise ValueError(msg)
    try:
        for word in template:
            word.format_map(dict.fromkeys(PLACES, ""))
    except (KeyError, IndexError) as error:
        msg = f"{text!r} names {error}; places are {', '.join(f'{{{place}}}' for place in PLACES)}"
        raise ValueError(msg) from error
    return Candidate("yours", "yours", "", wire, door, template)


def _write_kanhu(ground: Ground) -> None:
    text = (
        f'gateway = "{GATEWAY}"\ndata = {json.dumps(str(ground.folder))}\ntimezone = "Asia/Shanghai"\n'
        f'\n[broker]\nhost = "{ground.broker_host}"\nport = {ground.broker_port}\n'
    )
    (ground.folder / "gateway.toml").write_text(text, encoding="utf-8")
