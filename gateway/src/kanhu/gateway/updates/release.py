"""One release as it lies on the card, and what becomes of settings and rules with it.

All files of a release are one file on the card, with a digest over all: there is no half of it.
"""

import hashlib
from dataclasses import dataclass

import msgspec

from kanhu.contract.errors import RemoteRefused
from kanhu.contract.remote import RULES_FILE, SETTINGS_FILE, ReleaseReason, RemoteSettings, read_remote_settings
from kanhu.gateway.config import GatewayConfig, rechecked
from kanhu.gateway.daily.settings import DailyRefused, check_daily
from kanhu.gateway.errors import ConfigRefused
from kanhu.gateway.updates.errors import ReleaseRefused
from kanhu.vitals import PackRefused, RulePack, core_pack
from kanhu.vitals.packs import load_replacement


class Release(msgspec.Struct, frozen=True):
    """What the county has for this gateway; without files: what the gateway came with."""

    number: int
    """Version of the signed list that named these files: it only rises."""
    files: dict[str, str]

    @property
    def digest(self) -> str:
        """SHA-256 of the files alone: the same files under a later number are nothing new."""
        return hashlib.sha256(msgspec.json.encode(sorted(self.files.items()))).hexdigest()


OWN = Release(0, {})
"""What the gateway came with."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a gateway runs with."""

    config: GatewayConfig
    pack: RulePack


def fit(config: GatewayConfig, release: Release) -> Fitted:
    """Lay a release over the gateway's own settings.

    Raises:
        ReleaseRefused: it must not run here; the gateway's own loaders said so, or stumbled over it.
    """
    try:
        return _fitted(config, release)
    except ReleaseRefused:
        raise
    except Exception as error:  # of our own making: with nobody there to mend it, the gateway starts without
        raise ReleaseRefused(ReleaseReason.DIED, f"{type(error).__name__}: {error}") from error


def _fitted(config: GatewayConfig, release: Release) -> Fitted:
    settings, rules = (release.files.get(name) for name in (SETTINGS_FILE, RULES_FILE))
    try:
        config = config if settings is None else _laid_over(config, read_remote_settings(settings.encode()))
    except (RemoteRefused, ConfigRefused) as error:
        raise ReleaseRefused(ReleaseReason.SETTINGS, str(error)) from error
    pack = core_pack() if rules is None else _pack(rules.encode())
    try:
        check_daily(config, pack)
    except DailyRefused as error:
        raise ReleaseRefused(ReleaseReason.RULES, f"{error.key}: {error.problem}") from error
    return Fitted(config, pack)


def _laid_over(config: GatewayConfig, remote: RemoteSettings) -> GatewayConfig:
    tables = {name: _changed(getattr(config, name), getattr(remote, name)) for name in ("broker", "uplink", "alarm")}
    heartbeat_s = config.heartbeat_s if remote.heartbeat_s is None else remote.heartbeat_s
    return rechecked(msgspec.structs.replace(config, heartbeat_s=heartbeat_s, **tables))


def _changed(table: msgspec.Struct, remote: msgspec.Struct) -> msgspec.Struct:
    said = {name: value for name, value in msgspec.structs.asdict(remote).items() if value is not None}
    return msgspec.structs.replace(table, **said)


def _pack(data: bytes) -> RulePack:
    try:
        return load_replacement(data)
    except PackRefused as error:
        raise ReleaseRefused(ReleaseReason.RULES, str(error)) from error
