"""What a county may change on its gateways from afar: which files, which settings, and within which bounds.

A release is at most one file of each kind for a gateway: the one for that gateway, else the one for its group, else
the one for all. Bounds here are narrower than those of gateway.toml: nobody is there to see what a bad value does. What
ties a gateway to its people, its devices and its county cannot be named here at all, and is refused.
"""

import re
import tomllib
from enum import StrEnum
from typing import Annotated

import msgspec

from kanhu.contract.errors import RemoteRefused
from kanhu.contract.topics import check_gateway_id

SETTINGS_FILE = "settings.toml"
RULES_FILE = "rules.toml"
RELEASE_FILES = (SETTINGS_FILE, RULES_FILE)
"""Kinds of files; a release carries at most one of each."""
MAX_RELEASE_FILE_BYTES = 256 * 1024
"""As much as a rule pack may have."""


class ReleaseReason(StrEnum):
    """Why a gateway does not run a release; kept with it, counted, shown by the doctor and in the county."""

    SETTINGS = "settings"
    RULES = "rules"
    DAMAGED = "damaged"
    DIED = "died"
    TASK_FAILED = "task_failed"
    READINGS = "readings"
    COUNTY = "county"


_TARGET = re.compile(r"(?:all|(?:group|gateway)/[a-z0-9-]{1,32})/(?P<file>[a-z]+\.toml)")
_MOST_REMEDY = "docs/spec/updates.md lists what may be set from afar"


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A table of the file: nothing unknown in it, and what is absent stays as it is on the gateway."""


class RemoteBroker(_Table, frozen=True):
    """Of the connection, and never where it leads."""

    keepalive_s: Annotated[int, msgspec.Meta(ge=5, le=300)] | None = None


class RemoteUplink(_Table, frozen=True):
    """When readings leave."""

    routine_s: Annotated[float, msgspec.Meta(ge=1, le=60)] | None = None
    """The county counts a reading as late that is older than 120 s: nearly all of them, from a rarer lot."""
    routine_count: Annotated[int, msgspec.Meta(ge=1, le=500)] | None = None
    receipt_timeout_s: Annotated[float, msgspec.Meta(ge=5, le=120)] | None = None
    reconnect_max_s: Annotated[float, msgspec.Meta(ge=5, le=60)] | None = None
    """Back within the 60 s that WATCH-LOST gives gateways after the county itself was away."""


class RemoteAlarm(_Table, frozen=True):
    """When the gateway acts by itself; never whom it calls."""

    receipt_s: Annotated[float, msgspec.Meta(ge=5, le=600)] | None = None


class RemoteSettings(_Table, frozen=True):
    """The file `settings.toml` of a release; names and units are those of gateway.toml."""

    heartbeat_s: Annotated[float, msgspec.Meta(ge=10, le=60)] | None = None
    """WATCH-LOST takes three missed ones of 60 s for a gateway that is gone."""
    broker: RemoteBroker = RemoteBroker()
    uplink: RemoteUplink = RemoteUplink()
    alarm: RemoteAlarm = RemoteAlarm()


def release_paths(file: str, *, gateway: str, group: str | None) -> tuple[str, ...]:
    """Paths under which a file for this gateway may lie, the most particular first."""
    of_group = () if group is None else (f"group/{check_gateway_id(group)}/{file}",)
    return (f"gateway/{check_gateway_id(gateway)}/{file}", *of_group, f"all/{file}")


def check_release_path(path: str) -> str:
    """Return which kind of file lies there.

    Raises:
        RemoteRefused: no gateway would ever look there.
    """
    found = _TARGET.fullmatch(path)
    if found is None or found["file"] not in RELEASE_FILES:
        remedy = "put it into all/, group/NAME/ or gateway/ID/, named " + " or ".join(RELEASE_FILES)
        raise RemoteRefused(path, "path", "no gateway looks there", remedy=remedy)
    return found["file"]


def read_remote_settings(data: bytes) -> RemoteSettings:
    """Read `settings.toml` of a release.

    Raises:
        RemoteRefused: too long, not TOML, a setting that is not one of these, or a value out of bounds.
    """
    if len(data) > MAX_RELEASE_FILE_BYTES:
        raise RemoteRefused(SETTINGS_FILE, "file", f"{len(data)} bytes", remedy=_MOST_REMEDY)
    try:
        return msgspec.convert(tomllib.loads(data.decode()), RemoteSettings)
    except msgspec.ValidationError as error:
        said, _, where = str(error).partition(" - at ")
        raise RemoteRefused(SETTINGS_FILE, where.strip("`$.") or "file", said, remedy=_MOST_REMEDY) from error
    except (ValueError, RecursionError) as error:  # no UTF-8, no TOML
        raise RemoteRefused(SETTINGS_FILE, "file", f"not TOML: {error}", remedy="mend that line") from error
