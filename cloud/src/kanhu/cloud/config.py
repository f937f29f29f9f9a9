"""cloud.toml: what one county sets. Everything else about rules is in the rule pack."""

import tomllib
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from kanhu.cloud.alerting.policy import SECOND_MS, Policy, Silence
from kanhu.cloud.errors import ConfigInvalid
from kanhu.cloud.services import Transport
from kanhu.vitals import RulePack
from kanhu.vitals.rules.records import SilenceTrigger

EMBEDDED = "embedded"
MOSQUITTO = "mosquitto"
_DOCS = "docs/cloud.md lists every setting"


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file: nothing unknown in it."""


class County(_Table, frozen=True):
    """What the county is called on screens."""

    zh: str = "县"
    en: str = "County"


class Http(_Table, frozen=True):
    """Where screens and the API are served."""

    host: str = "127.0.0.1"
    port: int = 8080
    transport: Transport = Transport.HTTP
    """`https` where a proxy in front of it speaks TLS: cookies are then Secure."""


_MOST_PROVISIONAL_DAYS = 30
"""In the last 30 days of a certificate its gateway asks daily for the next: so it does from the first on."""


class Identity(_Table, frozen=True):
    """Where gateways reach this county from elsewhere; they prove who they are by certificates of its authority."""

    host: str
    """Name or address of this machine, as gateways know it: stands in invitations and server certificates."""
    listen: str = "0.0.0.0"  # noqa: S104  # gateways come from elsewhere; without a certificate nobody is let in
    broker_port: int = 8883
    enrol_port: int = 8884
    provisional_days: int = 14
    """How long a gateway that came back too late is let in until somebody has said that it stands where it should: time
    to go there over a holiday week, and not a season for a box that was carried away."""


class SilenceLimits(_Table, frozen=True):
    """When silence becomes an alert; absent ones come from the rule pack."""

    gateway_silent_s: float | None = None
    watch_lost_watch_list_s: float | None = None
    watch_lost_all_s: float | None = None
    reconnect_grace_s: float | None = None


class CloudConfig(_Table, frozen=True):
    """The whole file."""

    data: Path
    timezone: str = "Asia/Shanghai"
    broker: str = EMBEDDED
    county: County = County()
    http: Http = Http()
    silence: SilenceLimits = SilenceLimits()
    identity: Identity | None = None
    """Absent: gateways prove nothing, and the embedded broker listens to this machine alone."""

    def zone(self) -> ZoneInfo:
        """The county's time zone."""
        return ZoneInfo(self.timezone)


def load_config(path: Path) -> CloudConfig:
    """Read cloud.toml; a relative `data` counts from the folder of the file.

    Raises:
        ConfigInvalid: with file, key and remedy.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigInvalid(str(path), key="file", remedy=f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:  # tomllib's own error, no UTF-8, a number or brackets without end
        raise ConfigInvalid(str(path), key="file", remedy=f"is not TOML ({error})") from error
    try:
        config = msgspec.convert(table, CloudConfig, strict=True, dec_hook=_path)
    except msgspec.ValidationError as error:
        said, _, where = str(error).partition(" - at ")
        raise ConfigInvalid(str(path), key=where.strip("`$.") or "file", remedy=f"{said}; {_DOCS}") from error
    _check(config, str(path))
    return msgspec.structs.replace(config, data=path.parent.absolute() / config.data)


def policy_of(config: CloudConfig, pack: RulePack) -> Policy:
    """Alert policy: numbers of the pack, with what this county sets otherwise.

    Raises:
        ConfigInvalid: the pack has no silence rule, or the stages do not rise.
    """
    trigger = next((rule.trigger for rule in pack.rules if isinstance(rule.trigger, SilenceTrigger)), None)
    if trigger is None:
        raise ConfigInvalid(f"rule pack {pack.version}", key="WATCH-LOST", remedy="add the rule of kind silence")
    own = config.silence
    seconds = (
        own.gateway_silent_s or trigger.technical_s,
        own.watch_lost_watch_list_s or trigger.watch_list_s,
        own.watch_lost_all_s or trigger.all_s,
    )
    if not seconds[0] < seconds[1] <= seconds[2]:
        remedy = "let gateway_silent_s < watch_lost_watch_list_s <= watch_lost_all_s"
        raise ConfigInvalid("cloud.toml", key="silence", remedy=remedy)
    grace_s = trigger.grace_s if own.reconnect_grace_s is None else own.reconnect_grace_s
    technical_ms, watch_list_ms, everyone_ms = (round(limit_s * SECOND_MS) for limit_s in seconds)
    silence = Silence(
        technical_ms=technical_ms,
        watch_list_ms=watch_list_ms,
        everyone_ms=everyone_ms,
        grace_ms=round(grace_s * SECOND_MS),
        watch_list=trigger.watch_list,
        then=trigger.then,
    )
    return Policy(timezone=config.zone(), silence=silence)


def _check(config: CloudConfig, file: str) -> None:
    try:
        config.zone()
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder's name, such as "Asia", is an OSError
        remedy = f"no time zone {config.timezone[:64]!r}; write one such as Asia/Shanghai"
        raise ConfigInvalid(file, key="timezone", remedy=remedy) from error
    if not 1 <= config.http.port <= 65535:
        raise ConfigInvalid(file, key="http.port", remedy="write a port from 1 to 65535")
    if not config.data.parts:
        raise ConfigInvalid(file, key="data", remedy="name the folder of the ledger")
    if not _is_host(config.http.host):  # an empty one would listen to the whole world
        raise ConfigInvalid(file, key="http.host", remedy='write an address of this machine, such as "127.0.0.1"')
    if config.broker not in {EMBEDDED, MOSQUITTO} and not _is_broker(config.broker):
        remedy = f'write "{EMBEDDED}", "{MOSQUITTO}" or an address such as "mqtt://127.0.0.1:1883"'
        raise ConfigInvalid(file, key="broker", remedy=remedy)
    _check_identity(config, file)
    limits = msgspec.structs.asdict(config.silence)
    for name, seconds in limits.items():
        if seconds is not None and not 0 <= seconds <= 7 * 86400:
            raise ConfigInvalid(file, key=f"silence.{name}", remedy="write seconds, from 0 to a week")


def _check_identity(config: CloudConfig, file: str) -> None:
    identity = config.identity
    if identity is None:
        if config.broker == MOSQUITTO or config.broker.startswith("mqtts:"):
            remedy = "add it, with the name of this machine as `host`: this broker is reached with certificates only"
            raise ConfigInvalid(file, key="identity", remedy=remedy)
        return
    if config.broker.startswith("mqtt:"):
        remedy = f'write "{EMBEDDED}", "{MOSQUITTO}" or an mqtts:// address: this one would let anybody in'
        raise ConfigInvalid(file, key="broker", remedy=remedy)
    for name, host in (("host", identity.host), ("listen", identity.listen)):
        if not _is_host(host) or "/" in host:
            remedy = 'write a name or an address of this machine, such as "county.example.org"'
            raise ConfigInvalid(file, key=f"identity.{name}", remedy=remedy)
    ports = (identity.broker_port, identity.enrol_port, config.http.port)
    if not all(1 <= port <= 65535 for port in ports) or len(set(ports)) < len(ports):
        remedy = "write two ports from 1 to 65535 that nothing else uses"
        raise ConfigInvalid(file, key="identity.broker_port, identity.enrol_port", remedy=remedy)
    if not 2 <= identity.provisional_days <= _MOST_PROVISIONAL_DAYS:
        remedy = f"write days, from 2 to {_MOST_PROVISIONAL_DAYS}"
        raise ConfigInvalid(file, key="identity.provisional_days", remedy=remedy)


def _is_broker(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in {"mqtt", "mqtts"} and _is_host(parts.hostname or "") and parts.port != 0
    except ValueError:  # brackets or a port that cannot be
        return False


def _is_host(name: str) -> bool:
    try:
        name.encode("idna")
    except UnicodeError:
        return False
    return bool(name) and name.isprintable() and " " not in name


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    msg = f"cannot read {value!r} as {kind.__name__}"
    raise ValueError(msg)
