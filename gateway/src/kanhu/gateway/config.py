"""gateway.toml: what it may say, and what is said back when it cannot be used.

Every setting is named in docs/gateway.md with its meaning, unit and default.
"""

import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo

import msgspec

from kanhu.contract import InvalidTopic, check_gateway_id
from kanhu.edge.devices import DeviceConfig, FinePress, RadioConfig
from kanhu.edge.errors import DeviceRefused
from kanhu.edge.kinds import kind_of
from kanhu.gateway.alarm.contacts import load_contacts
from kanhu.gateway.alarm.settings import AlarmConfig
from kanhu.gateway.daily.settings import DailyRefused, InactivityConfig, MedicineConfig, WellCheckConfig, check_daily
from kanhu.gateway.errors import ConfigRefused
from kanhu.gateway.places import BedConfig, PageConfig, PlaceRefused, StayConfig, check_places
from kanhu.gateway.updates.settings import UpdatesConfig
from kanhu.vitals import core_pack, unknown_tag

DEFAULT_FILE = Path("/etc/kanhu/gateway.toml")

_Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
_Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class BrokerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The county's broker."""

    host: _Name = "127.0.0.1"
    port: _Port = 1883
    keepalive_s: Annotated[int, msgspec.Meta(ge=5, le=3600)] = 15
    tls: bool = False


class UplinkConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When readings leave, and how long the county has for an answer."""

    routine_s: _Seconds = 60
    routine_count: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    receipt_timeout_s: _Seconds = 20
    reconnect_max_s: _Seconds = 30


class OutboxConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much of the card readings may take."""

    max_mib: Annotated[int, msgspec.Meta(ge=1, le=65_536)] = 256
    kept_h: Annotated[float, msgspec.Meta(ge=1, le=168)] = 24
    """A county takes a backup every few minutes; a day is what it may take to notice a failed disk and to act on it."""


class MetricsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where Prometheus may ask, on this machine; nowhere unless a port is given."""

    port: _Port | None = None


class JournalConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A line for each promise made; for acceptance runs."""

    path: Annotated[str, msgspec.Meta(min_length=1)]


class ResidentConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One person, known here under the pseudonym only."""

    id: _Name
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=24)] | None = None
    card: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    tags: tuple[_Name, ...] = ()
    spo2_limit_percent: Decimal | None = None
    well_check: WellCheckConfig | None = None
    medicine: MedicineConfig | None = None
    inactivity: InactivityConfig | None = None


class DeviceSection(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One device; without a resident or a bed it is shared."""

    id: _Name
    kind: str
    port: str | None = None
    address: str | None = None
    resident: str | None = None
    bed: str | None = None
    dwelling: str | None = None
    fine: FinePress | None = None
    well: FinePress | None = None
    dose: FinePress | None = None
    key: str | None = None

    def as_edge(self, *, gateway: str) -> DeviceConfig:
        """The same for the part that reads devices; what may belong to a place stands where the gateway does."""
        device = DeviceConfig(
            id=self.id,
            kind=self.kind,
            port=self.port,
            address=self.address,
            subject=self.resident,
            bed=self.bed,
            dwelling=self.dwelling,
            fine=self.fine,
            well=self.well,
            dose=self.dose,
            key=self.key,
        )
        of_nobody = self.resident is None and self.dwelling is None and kind_of(device.kind).of_place
        return msgspec.structs.replace(device, dwelling=gateway) if of_nobody else device


class GatewayConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    gateway: str
    data: Annotated[str, msgspec.Meta(min_length=1)]
    timezone: _Name
    heartbeat_s: _Seconds = 60
    broker: BrokerConfig = BrokerConfig()
    uplink: UplinkConfig = UplinkConfig()
    outbox: OutboxConfig = OutboxConfig()
    radio: RadioConfig = RadioConfig()
    resident: tuple[ResidentConfig, ...] = ()
    device: tuple[DeviceSection, ...] = ()
    bed: tuple[BedConfig, ...] = ()
    stay: tuple[StayConfig, ...] = ()
    page: PageConfig | None = None
    journal: JournalConfig | None = None
    metrics: MetricsConfig = MetricsConfig()
    alarm: AlarmConfig = AlarmConfig()
    updates: UpdatesConfig | None = None

    @property
    def cards(self) -> dict[str, str]:
        """Whom a scanned number chooses: the card of a resident, or the id, where that is printed on it."""
        own = {one.card: one.id for one in self.resident if one.card is not None}
        return own | {one.id: one.id for one in self.resident}

    @property
    def folder(self) -> Path:
        """The folder of the outbox."""
        return Path(self.data)

    @property
    def outbox_file(self) -> Path:
        """The outbox."""
        return self.folder / "outbox.db"

    @property
    def journal_file(self) -> Path | None:
        """The journal, beside the outbox unless its path is absolute."""
        return None if self.journal is None else self.folder / self.journal.path

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the people watched over."""
        return ZoneInfo(self.timezone)

    def placed(self, folder: Path) -> Self:
        """The same with `data` relative to `folder` made absolute."""
        return msgspec.structs.replace(self, data=str(folder / self.data))


def load_config(file: Path) -> GatewayConfig:
    """Read and check a settings file; a relative `data` counts from the folder of the file.

    Raises:
        ConfigRefused: names file, key, problem and remedy.
    """
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigRefused(file, key="file", problem="not found", remedy="Give its path with --config") from error
    except (OSError, UnicodeDecodeError) as error:
        remedy = "Check its permissions, and that it is UTF-8 text"
        raise ConfigRefused(file, key="file", problem=str(error), remedy=remedy) from error
    except (ValueError, RecursionError) as error:  # tomllib's own error, a number without end, brackets without end
        raise ConfigRefused(file, key="file", problem=f"not TOML: {error}", remedy="Mend that line") from error
    try:
        config = msgspec.convert(tables, GatewayConfig, strict=False)
    except msgspec.ValidationError as error:
        raise _refusal(file, str(error)) from error
    _check(config, file)
    return config.placed(file.parent.absolute())


def rechecked(config: GatewayConfig) -> GatewayConfig:
    """The same, held once more against every bound of a settings file.

    Raises:
        ConfigRefused: names key, problem and remedy.
    """
    place = Path("release")
    try:
        config = msgspec.convert(msgspec.to_builtins(config), GatewayConfig, strict=False)
    except msgspec.ValidationError as error:
        raise _refusal(place, str(error)) from error
    _check(config, place)
    return config


def prepare_folders(config: GatewayConfig, file: Path) -> None:
    """Make the data folder, and see that the journal can be written, before anything starts.

    Raises:
        ConfigRefused: names file, key, problem and remedy.
    """
    remedy = "Name a folder that this user may make and write"
    try:
        config.folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # ValueError: no path at all
        raise ConfigRefused(file, key="data", problem=str(error), remedy=remedy) from error
    if config.alarm.contacts is not None:
        load_contacts(config.folder / config.alarm.contacts)
    if config.journal_file is not None:
        try:
            config.journal_file.open("ab").close()
        except (OSError, ValueError) as error:
            remedy = "Name a file in a folder that is there, or remove the table"
            raise ConfigRefused(file, key="journal.path", problem=str(error), remedy=remedy) from error


_PLACE = re.compile(r"(?P<problem>.*?)(?: - at `\$\.?(?P<place>.*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>.*)`")
_MISSING = re.compile(r"Object missing required field `(?P<field>.*)`")


def _refusal(file: Path, text: str) -> ConfigRefused:
    """Turn a decoder's words into key, problem and remedy."""
    found = _PLACE.fullmatch(text)
    problem, place = (found["problem"], found["place"] or "") if found else (text, "")
    for pattern, said, remedy in (
        (_UNKNOWN, "is not a setting", "Remove it, or correct its name; docs/gateway.md lists all"),
        (_MISSING, "is missing", "Add it; docs/gateway.md has an example"),
    ):
        field = pattern.fullmatch(problem)
        if field:
            key = f"{place}.{field['field']}" if place else field["field"]
            return ConfigRefused(file, key=key, problem=said, remedy=remedy)
    remedy = "See its unit and range in docs/gateway.md"
    return ConfigRefused(file, key=place or "file", problem=problem, remedy=remedy)


def _check(config: GatewayConfig, file: Path) -> None:
    """What single fields cannot tell."""
    try:
        check_gateway_id(config.gateway)
    except InvalidTopic as error:
        remedy = "Give 1 to 32 of a-z, 0-9 and '-'"
        raise ConfigRefused(file, key="gateway", problem=str(error), remedy=remedy) from error
    try:
        ZoneInfo(config.timezone)
    except (KeyError, ValueError, OSError) as error:  # a folder's name, such as "Asia", is an OSError
        remedy = "Give an IANA name such as Asia/Shanghai; the tzdata package must be installed"
        raise ConfigRefused(file, key="timezone", problem=f"unknown: {config.timezone}", remedy=remedy) from error
    _check_host(config, file)
    _check_residents(config, file)
    _check_devices(config, file)
    _check_alarm(config, file)
    try:
        check_places(config)
        check_daily(config, core_pack())
    except (PlaceRefused, DailyRefused) as error:
        raise ConfigRefused(file, key=error.key, problem=error.problem, remedy=error.remedy) from error


def _check_host(config: GatewayConfig, file: Path) -> None:
    host = config.broker.host
    try:
        host.encode("idna")
    except UnicodeError as error:
        remedy = "Give the name or the address of the county's broker"
        raise ConfigRefused(file, key="broker.host", problem=f"{host!r}: {error}", remedy=remedy) from error
    if not host.isprintable() or " " in host:
        remedy = "Give the name or the address of the county's broker"
        raise ConfigRefused(file, key="broker.host", problem=f"{host!r} is no name", remedy=remedy)


def _check_residents(config: GatewayConfig, file: Path) -> None:
    seen: set[str] = set()
    for number, resident in enumerate(config.resident):
        if resident.id in seen:
            remedy = "Give each resident one [[resident]] table"
            raise ConfigRefused(file, key=f"resident[{number}].id", problem=f"twice: {resident.id}", remedy=remedy)
        seen.add(resident.id)
        problem = unknown_tag(resident.tags)
        if problem is not None:
            remedy = "Correct it: a misspelt tag would take the person off the watch list"
            raise ConfigRefused(file, key=f"resident[{number}].tags", problem=problem, remedy=remedy)
        limit = resident.spo2_limit_percent
        if limit is not None and not (limit.is_finite() and 50 <= limit <= 100):
            key = f"resident[{number}].spo2_limit_percent"
            raise ConfigRefused(file, key=key, problem=f"{limit} is not 50 to 100", remedy="Give percent, such as 88")


def _check_alarm(config: GatewayConfig, file: Path) -> None:
    alarm = config.alarm
    if (alarm.modem_port is None) is not (alarm.contacts is None):
        key = "alarm.contacts" if alarm.contacts is None else "alarm.modem_port"
        remedy = "A modem needs a file of contacts, and contacts need a modem; docs/devices/modem-sms.md"
        raise ConfigRefused(file, key=key, problem="is missing", remedy=remedy)
    if bool(alarm.light_on) is not bool(alarm.light_off) or (alarm.light_on and alarm.light_file is not None):
        remedy = "Give light_on and light_off together, or light_file alone"
        raise ConfigRefused(file, key="alarm.light_on", problem="does not go with the others", remedy=remedy)


def _check_devices(config: GatewayConfig, file: Path) -> None:
    residents = {resident.id for resident in config.resident}
    seen: set[str] = set()
    for number, device in enumerate(config.device):
        place = f"device[{number}]"
        try:
            edge = device.as_edge(gateway=config.gateway)
        except DeviceRefused as error:
            key = f"{place}.{error.field}"
            raise ConfigRefused(file, key=key, problem=f"device {device.id}", remedy=error.remedy) from error
        for key, value in (("id", edge.id), ("port", edge.port), ("address", edge.address and edge.address.upper())):
            if value is not None and f"{key} {value}" in seen:
                remedy = "Each device is named once"
                raise ConfigRefused(file, key=f"{place}.{key}", problem=f"twice: {value}", remedy=remedy)
            seen.add(f"{key} {value}")
        if device.resident is not None and device.resident not in residents:
            remedy = "Add a [[resident]] table with this id, or remove the line for a shared device"
            problem = f"no such resident: {device.resident}"
            raise ConfigRefused(file, key=f"{place}.resident", problem=problem, remedy=remedy)
