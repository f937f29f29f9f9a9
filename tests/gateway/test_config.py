"""gateway.toml: every fault is answered with file, key and remedy, and every setting is in the manual."""

from pathlib import Path

import msgspec
import pytest

from kanhu.edge.devices import RadioConfig
from kanhu.gateway import ConfigRefused, config, load_config, places
from kanhu.gateway.alarm.settings import AlarmConfig
from kanhu.gateway.cli import main
from kanhu.gateway.updates.settings import UpdatesConfig

GOOD = """
gateway = "home-03"
data = "data"
timezone = "Asia/Shanghai"

[broker]
port = 1884

[uplink]
routine_s = 2

[radio]
bumble = "tcp-client:127.0.0.1:40001"

[alarm]
receipt_s = 30
light_file = "light"

[[resident]]
id = "r-0003"
tags = ["hypertension", "lives_alone"]
spo2_limit_percent = 88

[[device]]
id = "cuff-03"
kind = "cuff-ble"
address = "F0:0D:00:00:00:03"
resident = "r-0003"

[journal]
path = "accepted.ndjson"
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "gateway.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    loaded = load_config(write(tmp_path, GOOD))
    assert loaded.folder == tmp_path / "data"
    assert loaded.journal_file == tmp_path / "data" / "accepted.ndjson"
    assert loaded.broker.port == 1884
    assert loaded.broker.host == "127.0.0.1"
    assert loaded.device[0].as_edge(gateway="home-03").subject == "r-0003"
    assert str(loaded.zone) == "Asia/Shanghai"
    assert loaded.resident[0].spo2_limit_percent == 88


def test_a_help_button_of_nobody_belongs_to_where_the_gateway_stands(tmp_path: Path) -> None:
    button = '[[device]]\nid = "button-03"\nkind = "button-bthome"\naddress = "F0:0D:00:00:00:05"\n'
    for line, dwelling in (("", "home-03"), ('dwelling = "yard"\n', "yard"), ('resident = "r-0003"\n', None)):
        loaded = load_config(write(tmp_path, GOOD + button + line))
        cuff, edge = (device.as_edge(gateway=loaded.gateway) for device in loaded.device)
        assert edge.dwelling == dwelling, "a press that belongs to nobody at all would be judged by no rule"
        assert cuff.dwelling is None


@pytest.mark.parametrize(
    ("change", "key", "remedy"),
    [
        (('gateway = "home-03"', 'gateway = "Home 3"'), "gateway", "a-z"),
        (('gateway = "home-03"', ""), "gateway", "Add it"),
        (('timezone = "Asia/Shanghai"', 'timezone = "China"'), "timezone", "IANA"),
        (('timezone = "Asia/Shanghai"', 'timezone = "Asia"'), "timezone", "IANA"),
        (("port = 1884", "port = 70000"), "broker.port", "docs/gateway.md"),
        (("port = 1884", "prot = 1884"), "broker.prot", "Remove it"),
        (("routine_s = 2", 'routine_s = "soon"'), "uplink.routine_s", "docs/gateway.md"),
        (('kind = "cuff-ble"', 'kind = "cuff"'), "device[0].kind", "cuff-ble"),
        (('address = "F0:0D:00:00:00:03"', ""), "device[0].address", "Bluetooth address"),
        (('address = "F0:0D:00:00:00:03"', 'port = "/dev/ttyUSB0"'), "device[0].port", "remove it"),
        (('resident = "r-0003"', 'resident = "r-0004"'), "device[0].resident", "[[resident]]"),
        (("spo2_limit_percent = 88", "spo2_limit_percent = 8"), "resident[0].spo2_limit_percent", "percent"),
        (('"lives_alone"]', '"lives_alnoe"]'), "resident[0].tags", "watch list"),
        (("[journal]", "[jornal]"), "jornal", "Remove it"),
        (("[broker]", "[broker"), "file", "line"),
        (("port = 1884", f"port = {'9' * 5000}"), "file", "line"),
        (("port = 1884", f"port = {'[' * 5000}"), "file", "line"),
        (('timezone = "Asia/Shanghai"', f'timezone = "{"A" * 5000}"'), "timezone", "docs/gateway.md"),
        (("port = 1884", 'port = 1884\nhost = "county..example"'), "broker.host", "broker"),
        (("port = 1884", 'port = 1884\nhost = "county\\u0000"'), "broker.host", "broker"),
        (("spo2_limit_percent = 88", 'spo2_limit_percent = "NaN"'), "resident[0].spo2_limit_percent", "percent"),
        (("receipt_s = 30", "receipt_s = 4"), "alarm.receipt_s", "docs/gateway.md"),
        (("receipt_s = 30", 'modem_port = "/dev/ttyUSB2"'), "alarm.contacts", "modem-sms.md"),
        (("receipt_s = 30", 'contacts = "contacts.toml"'), "alarm.modem_port", "modem-sms.md"),
        (("receipt_s = 30", 'light_on = ["on"]'), "alarm.light_on", "light_file alone"),
        (("receipt_s = 30", "loud = true"), "alarm.loud", "docs/gateway.md"),
    ],
)
def test_a_fault_is_named_with_file_key_and_remedy(
    tmp_path: Path, change: tuple[str, str], key: str, remedy: str
) -> None:
    file = write(tmp_path, GOOD.replace(*change))
    with pytest.raises(ConfigRefused) as refused:
        load_config(file)
    assert refused.value.file == file
    assert refused.value.key == key or (key.endswith("kind") and "kind" in refused.value.key)
    assert remedy in refused.value.remedy
    assert str(file) in str(refused.value)


def test_a_missing_file_and_twins_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused, match="--config"):
        load_config(tmp_path / "absent.toml")
    twin = GOOD + '\n[[device]]\nid = "cuff-04"\nkind = "cuff-ble"\naddress = "f0:0d:00:00:00:03"\n'
    with pytest.raises(ConfigRefused, match="twice"):
        load_config(write(tmp_path, twin))
    with pytest.raises(ConfigRefused, match="twice"):
        load_config(write(tmp_path, GOOD + '\n[[resident]]\nid = "r-0003"\n'))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("data = ", 'data = "taken" #'), "data"),
        (("data = ", 'data = "nul\\u0000" #'), "data"),
        (("path = ", 'path = "no/such/folder/journal" #'), "journal.path"),
        (("path = ", 'path = "." #'), "journal.path"),
    ],
)
def test_folders_that_cannot_be_written_are_named_before_anything_starts(
    tmp_path: Path, change: tuple[str, str], key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_bytes(b"")
    file = write(tmp_path, GOOD.replace(*change))
    assert main(["run", "--config", str(file)]) == 2
    said = capsys.readouterr().err
    assert f"{file}: {key}: " in said
    assert "Name a" in said


def settings() -> list[str]:
    """Every setting as table.key."""
    tables: dict[str, type[msgspec.Struct]] = {
        "": config.GatewayConfig,
        "broker": config.BrokerConfig,
        "uplink": config.UplinkConfig,
        "outbox": config.OutboxConfig,
        "radio": RadioConfig,
        "resident": config.ResidentConfig,
        "device": config.DeviceSection,
        "bed": places.BedConfig,
        "stay": places.StayConfig,
        "page": places.PageConfig,
        "journal": config.JournalConfig,
        "metrics": config.MetricsConfig,
        "alarm": AlarmConfig,
        "updates": UpdatesConfig,
    }
    own = [field.name for field in msgspec.structs.fields(config.GatewayConfig)]
    assert {name for name in own if name in tables} == set(tables) - {""}, "a table without a line here"
    return [
        f"{table}.{field.name}" if table else field.name
        for table, struct in tables.items()
        for field in msgspec.structs.fields(struct)
        if table or field.name not in tables
    ]


@pytest.mark.parametrize("name", settings())
def test_every_setting_is_in_the_manual(name: str) -> None:
    manual = Path(__file__).resolve().parents[2] / "docs" / "gateway.md"
    assert f"| `{name}` |" in manual.read_text(encoding="utf-8")


DAILY = """
gateway = "home-03"
data = "data"
timezone = "Asia/Shanghai"
[alarm]
player = ["aplay", "{file}"]
[[resident]]
id = "r-0003"
well_check = { by = "08:30", since = "04:30", signs = ["button", "motion"] }
medicine = { times = ["07:30", "19:30"], within_min = 45 }
[[device]]
id = "button-03"
kind = "button-bthome"
address = "F0:0D:00:00:00:05"
resident = "r-0003"
well = "long"
dose = "double"
"""


SILENT = (
    DAILY.replace('["button", "motion"]', '["button"]').replace(
        "well_check = {", 'tags = ["lives_alone"]\ninactivity = { way_out = ["door-03"] }\nwell_check = {'
    )
    + """
[[device]]
id = "door-03"
kind = "sensor-bthome"
address = "F0:0D:00:00:00:06"
"""
)


def test_a_home_that_is_watched_for_silence_is_read(tmp_path: Path) -> None:
    (resident,) = load_config(write(tmp_path, SILENT)).resident
    assert resident.inactivity is not None
    assert resident.inactivity.way_out == ("door-03",)


@pytest.mark.parametrize(
    ("change", "to", "key", "remedy"),
    [
        ('["lives_alone"]', "[]", "resident[0].inactivity", "lives_alone"),
        (
            'id = "r-0003"\ntags',
            'id = "r-0004"\n[[resident]]\nid = "r-0003"\ntags',
            "resident[1].inactivity",
            "one person",
        ),
        ('way_out = ["door-03"]', 'way_out = ["gate-03"]', "resident[0].inactivity.way_out", "by which one leaves"),
        ('way_out = ["door-03"]', 'way_in = ["door-03"]', "resident[0].inactivity.way_in", "docs/gateway.md"),
        (
            'kind = "sensor-bthome"',
            'kind = "sensor-bthome"\nresident = "r-0003"',
            "resident[0].inactivity",
            "belong to the home",
        ),
        ('player = ["aplay", "{file}"]', "", "resident[0]", "loudspeaker"),
    ],
)
def test_a_home_that_cannot_be_watched_is_refused(tmp_path: Path, change: str, to: str, key: str, remedy: str) -> None:
    with pytest.raises(ConfigRefused) as refused:
        load_config(write(tmp_path, SILENT.replace(change, to)))
    assert refused.value.key == key
    assert remedy in refused.value.remedy


def test_agreements_of_the_day_are_read(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, DAILY))
    (resident,) = config.resident
    assert resident.well_check is not None
    assert resident.medicine is not None
    assert (resident.well_check.by, resident.medicine.within_min) == ("08:30", 45)
    (button,) = (device.as_edge(gateway=config.gateway) for device in config.device)
    assert (button.well, button.dose, button.fine) == ("long", "double", None)


@pytest.mark.parametrize(
    ("change", "to", "key", "remedy"),
    [
        ('player = ["aplay", "{file}"]', "", "resident[0]", "loudspeaker"),
        ('by = "08:30"', 'by = "8:30"', "resident[0].well_check.by", "docs/gateway.md"),
        ('by = "08:30"', 'by = "24:00"', "resident[0].well_check.by", "docs/gateway.md"),
        ('by = "08:30"', 'by = "04:45"', "resident[0].well_check.since", "30 minutes"),
        ('by = "08:30", since = "04:30"', 'by = "23:50", since = "00:10"', "resident[0].well_check.by", "earlier"),
        ('["button", "motion"]', "[]", "resident[0].well_check.signs", "button"),
        ('["button", "motion"]', '["shout"]', "resident[0].well_check.signs[0]", "docs/gateway.md"),
        ('id = "r-0003"', 'id = "r-0004"\n[[resident]]\nid = "r-0003"', "resident[1].well_check.signs", "nobody's"),
        ('["07:30", "19:30"]', "[]", "resident[0].medicine.times", "time of day"),
        ('["07:30", "19:30"]', '["07:30", "08:00"]', "resident[0].medicine.times", "apart"),
        ('["07:30", "19:30"]', '["00:10", "23:50"]', "resident[0].medicine.times", "apart"),
        ('dose = "double"', "", "resident[0].medicine", "[page]"),
        ('dose = "double"', 'dose = "long"', "device[0].well", "different"),
        ('resident = "r-0003"', "", "device[0].well", "one person"),
        ("within_min = 45", "within_min = 5", "resident[0].medicine.within_min", "docs/gateway.md"),
    ],
)
def test_agreement_that_cannot_be_kept_is_refused(tmp_path: Path, change: str, to: str, key: str, remedy: str) -> None:
    with pytest.raises(ConfigRefused) as refused:
        load_config(write(tmp_path, DAILY.replace(change, to)))
    assert refused.value.key == key
    assert remedy in refused.value.remedy


def test_button_as_the_only_sign_needs_a_button_that_can_give_it(tmp_path: Path) -> None:
    only = DAILY.replace('["button", "motion"]', '["button"]').replace('well = "long"\n', "")
    with pytest.raises(ConfigRefused, match="no button can give it"):
        load_config(write(tmp_path, only))
