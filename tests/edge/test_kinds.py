"""Kinds of devices are found by name, shipped ones and those of other packages; the page that says how is tried."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib import invalidate_caches
from pathlib import Path

import pytest
from bumble.gatt import Characteristic

from kanhu.contract import Observation, Subject, SystemClock, Times
from kanhu.edge.devices import DeviceConfig, RadioConfig
from kanhu.edge.errors import DecodeReason, DeviceRefused, LinkReason
from kanhu.edge.intake import Intake
from kanhu.edge.kinds import ConnectedKind, cuff_ble, find_kind, kind_names, kind_of
from kanhu.edge.peers import ConnectedPeer
from kanhu.edge.sensing import run_devices
from kanhu.firmware_sim.alone.models import find_model, model_names
from kanhu.firmware_sim.alone.stand import Options, serve
from tests.edge.readings import RememberingSink, until
from tests.edge.virtual_radio import Peripheral, VirtualAir

_ROOT = Path(__file__).resolve().parents[2]
_PAGE = (_ROOT / "docs" / "adding-a-device.md").read_text(encoding="utf-8")
_SHIPPED = ("button-bthome", "cuff-ble", "oximeter-cms50d", "strap-ble")


def test_the_shipped_kinds_are_those_of_their_modules() -> None:
    assert set(_SHIPPED) <= set(kind_names())
    for name in kind_names():
        kind = kind_of(name)
        assert kind.name == name
        assert kind.zh
        assert kind.en


def test_no_word_of_a_kind_needs_the_library_of_a_transport() -> None:
    script = "import sys; from kanhu.edge.kinds import kind_names, kind_of; [kind_of(name) for name in kind_names()]; "
    script += "print(*sorted({'bleak', 'serial', 'bumble'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == []


def test_a_kind_that_nobody_ships_is_refused_with_those_that_are() -> None:
    assert find_kind("village-blow") is None
    with pytest.raises(LookupError, match="village-blow"):
        kind_of("village-blow")
    with pytest.raises(DeviceRefused, match="cuff-ble") as refused:
        DeviceConfig(id="a", kind="village-blow", address="F0:0D:00:00:00:09")
    assert refused.value.field == "kind"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of another's, as the page says, on the path as an installed one is."""
    device, simulator = re.findall(r"```python\n(.*?)```", _PAGE, re.DOTALL)
    points = re.search(r"```toml\n(.*?)```", _PAGE, re.DOTALL)
    assert points is not None
    groups = re.findall(r'^\[project\.entry-points\."(\S+)"\]\n(\S+) = "(\S+)"$', points[1], re.MULTILINE)
    assert [group for group, _, _ in groups] == ["kanhu.devices", "kanhu.simulators"]
    install(tmp_path, "".join(f"[{group}]\n{name} = {value}\n" for group, name, value in groups))
    monkeypatch.syspath_prepend(tmp_path)
    for module, text in (("village_blow", device), ("village_blow_simulator", simulator)):
        (tmp_path / f"{module}.py").write_text(text, encoding="utf-8")
        monkeypatch.delitem(sys.modules, module, raising=False)
    invalidate_caches()
    return tmp_path


def install(folder: Path, points: str) -> None:
    information = folder / "village_blow-1.0.dist-info"
    information.mkdir(exist_ok=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: village-blow\nVersion: 1.0\n", encoding="utf-8")
    (information / "entry_points.txt").write_text(points, encoding="utf-8")


def test_the_device_of_the_page_takes_less_than_a_hundred_lines(package: Path) -> None:
    written = sum(len(block.splitlines()) for block in re.findall(r"```(?:python|toml)\n(.*?)```", _PAGE, re.DOTALL))
    assert written < 100
    assert "village-blow" in kind_names()
    assert kind_of("village-blow").en == "peak flow meter"
    assert (package / "village_blow.py").is_file()


@pytest.mark.usefixtures("package")
async def test_the_device_of_the_page_is_read_over_the_radio(free_port: int) -> None:
    device = DeviceConfig(id="blow-1", kind="village-blow", address="F0:0D:00:00:00:09", subject="r-0001")
    kind = kind_of(device.kind)
    assert isinstance(kind, ConnectedKind)
    air = VirtualAir(free_port)
    await air.open()
    meter = Peripheral(air, address=device.address or "")
    meter.serve(
        kind.target.service_uuid, kind.target.characteristic_uuid, properties=Characteristic.Properties.INDICATE
    )
    await meter.power_on()
    await meter.advertise(kind.target.service_uuid)
    sink = RememberingSink()
    task = asyncio.create_task(
        run_devices([device], sink, clock=SystemClock(), radio=RadioConfig(bumble=air.transport))
    )
    try:
        await until(lambda: (seen := sink.latest("blow-1")) is not None and seen.reason is LinkReason.CONNECTED)
        await meter.send((312).to_bytes(2, "little"))
        await meter.send(b"\xff\xff")
        await until(lambda: bool(sink.accepted and sink.refused))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await air.close()
    assert [(one.metric, one.series("peak_flow"), one.subject.id) for one in sink.accepted] == [
        ("peak_flow", (312,), "r-0001")
    ]
    assert [reason for _, reason in sink.refused] == [DecodeReason.NO_VALUE.value]


@pytest.mark.usefixtures("package")
async def test_the_simulator_of_the_page_is_served_and_read() -> None:
    steps: list[Mapping[str, object]] = []
    sink, device = RememberingSink(), DeviceConfig(id="blow-1", kind="village-blow", address="F0:0D:00:00:00:09")
    options = Options(address=device.address or "", every_s=0.1)
    assert "village-blow" in model_names()
    serving = asyncio.create_task(serve(find_model("village-blow"), options, clock=SystemClock(), say=steps.append))
    await until(lambda: steps)
    radio = RadioConfig(bumble=str(steps[0]["hci"]))
    reading = asyncio.create_task(run_devices([device], sink, clock=SystemClock(), radio=radio))
    await until(lambda: len(sink.accepted) > 2)
    for task in (reading, serving):
        task.cancel()
    await asyncio.gather(reading, serving, return_exceptions=True)
    assert all(200 < one.series("peak_flow")[0] < 400 for one in sink.accepted)


def test_a_shipped_kind_is_not_replaced_by_another_package(package: Path) -> None:
    install(package, "[kanhu.devices]\ncuff-ble = village_blow:KIND\n")
    invalidate_caches()
    assert kind_of("cuff-ble").en == "cuff"


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ("other-name = village_blow:KIND", "no kind of this name"),
        ("other-name = village_blow:observe", "no kind of this name"),
        ("other-name = village_blow:NOTHING", "cannot be loaded"),
        ("other-name = nowhere_at_all:KIND", "cannot be loaded"),
    ],
)
def test_a_package_that_cannot_be_used_is_named_with_the_device(package: Path, points: str, said: str) -> None:
    install(package, f"[kanhu.devices]\n{points}\n")
    invalidate_caches()
    with pytest.raises(DeviceRefused, match=said) as refused:
        DeviceConfig(id="a", kind="other-name", address="F0:0D:00:00:00:09")
    assert (refused.value.device, refused.value.field) == ("a", "kind")


async def test_a_codec_that_raises_what_it_may_not_is_counted_and_stops_nothing() -> None:
    sink = RememberingSink()
    device = DeviceConfig(id="cuff-1", kind="cuff-ble", address="F0:0D:00:00:00:03", subject="r-0001")

    def broken(frame: bytes, *, subject: Subject, device: str, times: Times) -> Observation:
        del subject, device, times
        raise IndexError(f"{frame[0]}")

    peer = ConnectedPeer(Intake(device, sink=sink, clock=SystemClock()), kind=replace(cuff_ble.KIND, observe=broken))
    draining = asyncio.create_task(peer.inbox.drain())
    peer.notified(b"\x07")
    peer.notified(b"")
    await until(lambda: len(sink.refused) == 2)
    assert not draining.done()
    draining.cancel()
    assert sink.refused == [("cuff-1", DecodeReason.CODEC_FAILED.value)] * 2
