"""The doctor names what is wrong, from the card and the broker, and changes nothing."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from kanhu.contract import ClockState, FakeClock, Lane
from kanhu.gateway import GatewayConfig, Outbox, load_config
from kanhu.gateway.alarm.notes import PIN_TRIED
from kanhu.gateway.alarm.settings import AlarmConfig
from kanhu.gateway.alarm.standing import note_fault
from kanhu.gateway.card import WRITTEN_DAY, WRITTEN_SPAN
from kanhu.gateway.check import Check, Level
from kanhu.gateway.device_clocks import CLOCK_ERROR
from kanhu.gateway.doctor import ACKNOWLEDGED_NEVER_RECEIVED, examine, exit_code
from kanhu.gateway.places import PageConfig
from kanhu.gateway.uplink import SessionEnd
from tests.gateway.broker import Broker
from tests.gateway.county import County
from tests.gateway.records import heart_rate, sos
from tests.gateway.sender import Sender, until

_MANUAL = Path(__file__).resolve().parents[2] / "docs" / "gateway.md"


def settings(folder: Path, *, port: int) -> GatewayConfig:
    file = folder / "gateway.toml"
    file.write_text(
        f"""
gateway = "home-03"
data = "{folder}"
timezone = "Asia/Shanghai"
[broker]
port = {port}
[[device]]
id = "strap-03"
kind = "strap-ble"
address = "F0:0D:00:00:00:03"
""",
        encoding="utf-8",
    )
    return load_config(file)


async def findings(config: GatewayConfig, clock: FakeClock | None = None) -> dict[str, Check]:
    checks = await examine(config, clock=clock or FakeClock())
    manual = _MANUAL.read_text(encoding="utf-8")
    for check in checks:
        assert f"| {check.name.split(' strap')[0]} |" in manual, "the manual names every check"
        assert check.level is Level.OK or check.remedy, "whatever is wrong has a remedy"
    assert exit_code(checks) == max({Level.OK: 0, Level.ATTENTION: 1, Level.BROKEN: 2}[check.level] for check in checks)
    return {check.name: check for check in checks}


async def test_a_gateway_that_never_ran(tmp_path: Path, free_port: int) -> None:
    found = await findings(settings(tmp_path, port=free_port))
    assert found["gateway"].level is Level.BROKEN
    assert found["broker"].level is Level.BROKEN
    assert not (tmp_path / "outbox.db").exists(), "looking makes nothing"


async def test_readings_of_nobody_known_are_counted_by_reason(tmp_path: Path, free_port: int) -> None:
    config = settings(tmp_path, port=free_port)
    outbox = Outbox.open(config.outbox_file, clock=FakeClock(), max_bytes=1 << 22)
    assert "nobody known" not in await findings(config)
    outbox.remember({"nobody:nobody_chosen": 12, "nobody:changed": 2, "nobody:bed_empty": 0})
    found = (await findings(config))["nobody known"]
    outbox.close()
    assert found.level is Level.ATTENTION
    assert found.found.endswith("changed 2, nobody_chosen 12")


async def test_a_page_answers_or_the_remedy_is_named(tmp_path: Path, free_ports: Callable[[], int]) -> None:
    config = settings(tmp_path, port=free_ports())
    assert "page" not in await findings(config)
    config = msgspec.structs.replace(config, page=PageConfig(port=free_ports()))
    assert config.page is not None
    assert "kanhu-gateway[page]" in (await findings(config))["page"].remedy
    server = await asyncio.start_server(lambda _, writer: writer.close(), config.page.host, config.page.port)
    async with server:
        assert (await findings(config))["page"].level is Level.OK


async def test_what_the_card_tells(tmp_path: Path, free_port: int) -> None:
    config = settings(tmp_path, port=free_port)
    clock = FakeClock()
    outbox = Outbox.open(config.outbox_file, clock=clock, max_bytes=1 << 22)
    outbox.accept([(Lane.LIVE, heart_rate(1)), (Lane.LIVE, heart_rate(2))], refused=[("strap-03", "no_contact")] * 2)
    outbox.quarantine([2], reason="malformed")
    outbox.remember({"connected:strap-03": 1, "receipt_ms": clock.wall_ms() - 5000, "receipts_ahead": 1})
    outbox.remember({"bad_bytes:strap-03": 77, "bad_receipts": 3, "foreign_receipts": 4})
    before = config.outbox_file.read_bytes()
    found = await findings(config, clock)
    assert found["gateway"].level is Level.OK
    assert "2 records owed, 1 of them urgent" in found["outbox"].found
    assert "malformed 1" in found["quarantine"].found
    assert "no_contact 2; 77 bad bytes" in found["device strap-03"].found
    assert "3 that cannot be read, 4 for another outbox" in found["strange receipts"].found
    assert found["device strap-03"].level is Level.OK
    assert "5 s ago" in found["receipts"].found
    assert found["epoch"].level is Level.BROKEN
    assert config.outbox_file.read_bytes() == before
    outbox.close()
    clock.set_state(ClockState.UNSET)
    (tmp_path / "outbox.damaged-1.db").write_bytes(b"")
    found = await findings(config, clock)
    assert found["gateway"].level is Level.BROKEN
    assert found["clock"].level is Level.ATTENTION
    assert found["damaged outbox"].level is Level.ATTENTION


@pytest.mark.parametrize(
    ("has", "named"),
    [
        ((), "bluetoothd"),
        (("proc/7/comm",), "Bluetooth adapter"),
        (("proc/7/comm", "sys/class/bluetooth/hci0"), "battery"),
    ],
)
async def test_the_remedy_names_the_radio_where_there_is_none(
    tmp_path: Path, free_port: int, has: tuple[str, ...], named: str
) -> None:
    config = settings(tmp_path, port=free_port)
    Outbox.open(config.outbox_file, clock=FakeClock(), max_bytes=1 << 22).close()
    machine = tmp_path / "machine"
    for file in has:
        (machine / file).parent.mkdir(parents=True)
        (machine / file).write_text("bluetoothd\n", encoding="utf-8")
    checks = await examine(config, clock=FakeClock(), machine=machine)
    remedy = next(check.remedy for check in checks if check.name == "device strap-03")
    assert named in remedy
    assert ("battery" in remedy) == (named == "battery")


async def test_dropped_readings_are_told(tmp_path: Path, free_port: int) -> None:
    config = settings(tmp_path, port=free_port)
    outbox = Outbox.open(config.outbox_file, clock=FakeClock(), max_bytes=64 * 4096)
    for start in range(0, 6000, 100):
        outbox.accept([(Lane.LIVE, heart_rate(number)) for number in range(start, start + 100)])
    dropped = outbox.counters()["", "dropped"]
    outbox.close()
    found = await findings(config)
    assert found["gaps"].level is Level.ATTENTION
    assert str(dropped) in found["gaps"].found


@pytest.mark.broker
async def test_acknowledged_by_the_broker_and_never_received_is_told_apart(
    tmp_path: Path, broker: Broker, sender: Callable[..., Sender]
) -> None:
    config = settings(tmp_path, port=broker.port)
    gateway = sender(broker.port)
    gateway.start()
    await gateway.accept([heart_rate(1)])
    await until(lambda: gateway.uplink.ends[SessionEnd.RECEIPTS_SILENT] >= 2)  # what the first taught is written down
    found = await findings(config)
    assert found["broker"].level is Level.OK
    assert found["receipts"].level is Level.BROKEN
    assert found["receipts"].found.startswith(ACKNOWLEDGED_NEVER_RECEIVED)
    async with County(broker.port):
        await gateway.settled()
        await gateway.stop()
    found = await findings(config, FakeClock())
    assert found["receipts"].level is Level.OK


async def test_the_alarm_is_named_with_what_is_fitted_what_waits_and_what_failed(tmp_path: Path) -> None:
    config = settings(tmp_path, port=1)
    fitted = AlarmConfig(player=("play", "{file}"), modem_port="/dev/ttyUSB2", contacts="/etc/kanhu/contacts.toml")
    config = msgspec.structs.replace(config, alarm=fitted)
    outbox = Outbox.open(config.outbox_file, clock=FakeClock(), max_bytes=1 << 22)

    async def said() -> Check:
        return (await findings(config))["alarm"]

    assert (await said()) == Check("alarm", Level.OK, "fitted: voice, messages")
    outbox.record_alarms([], reasons=["sms:family.failed", "sms:family.failed", "voice.done"])
    assert "failed so far: sms:family 2" in (await said()).found
    note_fault(outbox, part="modem", reason="no_network")
    assert "could send nothing when last looked at: no_network" in (await said()).found
    outbox.remember({PIN_TRIED: 5})
    assert "PIN" in (await said()).found
    outbox.accept([(Lane.ALERT, sos(1))])
    assert (await said()).level is Level.BROKEN
    assert "1 not confirmed" in (await said()).found
    outbox.close()


@pytest.mark.parametrize(("mib", "level"), [(200, Level.OK), (4097, Level.ATTENTION)])
async def test_what_is_written_to_the_card_is_told(tmp_path: Path, free_port: int, mib: int, level: Level) -> None:
    config = settings(tmp_path, port=free_port)
    outbox = Outbox.open(config.outbox_file, clock=FakeClock(), max_bytes=1 << 22)
    outbox.remember({WRITTEN_DAY: mib * 1024**2, WRITTEN_SPAN: 86_400})
    outbox.close()
    card = (await findings(config))["card"]
    assert (card.level, card.found) == (level, f"{mib} MiB written in 24 h")


@pytest.mark.parametrize(("error_s", "level"), [(0, Level.OK), (-300, Level.OK), (-301, Level.ATTENTION)])
async def test_a_device_whose_clock_is_wrong_is_told(
    tmp_path: Path, free_port: int, error_s: int, level: Level
) -> None:
    config = settings(tmp_path, port=free_port)
    outbox = Outbox.open(config.outbox_file, clock=FakeClock(), max_bytes=1 << 22)
    outbox.remember({"connected:strap-03": 1, f"{CLOCK_ERROR}strap-03": error_s})
    outbox.close()
    device = (await findings(config))["device strap-03"]
    assert device.level is level
    assert (f"{-error_s} s behind" in device.found) == bool(error_s)
