"""A doctor chooses a person on the screen, a cuff measures by radio, and the reading is that person's; no county."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from kanhu.contract import Lane, Observation, SubjectKind, SystemClock
from kanhu.gateway import Outbox
from tests.cloud.dashboard.chromium import chromium_at, opened
from tests.debian import DebianPackages

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
LABEL = "3 号床"


@pytest.fixture(scope="module")
def chromium(debian_package: DebianPackages) -> Iterator[Browser]:
    debian_package("fonts-noto-cjk")
    with chromium_at(debian_package("chromium")) as browser:
        yield browser


class ClinicOnRadio:
    """The simulator with the cuff, and the gateway that reads it, as processes."""

    def __init__(self, folder: Path, *, page_port: int, no_broker: int) -> None:
        self._folder = folder
        self._page_port = page_port
        self._no_broker = no_broker
        self.url = f"http://127.0.0.1:{page_port}"
        self._log = (folder / "log").open("wb")
        state = folder / "simulator"
        self.simulator = self._start(
            "kanhu-sim", "serve", "--scenario", str(HERE / "clinic.toml"), "--state", str(state),
            "--journal", str(folder / "truth.ndjson"), "--patience", "20",
        )  # fmt: skip  # one flag with its value reads best
        _until((state / "links.json").exists)
        home = json.loads((state / "links.json").read_text(encoding="utf-8"))["homes"]["clinic-01"]
        self.gateway = self._start("kanhu-gateway", "run", "--config", str(self._settings(home)))

    def measure(self) -> None:
        """The cuff is put on and started, two seconds from now."""
        assert self.simulator.stdin is not None
        self.simulator.stdin.write(b"start\n")
        self.simulator.stdin.flush()

    def kept(self) -> list[Observation]:
        """Readings in the outbox, read beside the gateway."""
        outbox = Outbox.look(self._folder / "data" / "outbox.db", clock=SystemClock(), max_bytes=1 << 28)
        try:
            return [record for _, record in outbox.batch(Lane.LIVE) if isinstance(record, Observation)]
        finally:
            outbox.close()

    def stop(self) -> None:
        for process in (self.gateway, self.simulator):
            process.terminate()
            process.communicate(timeout=20)  # closes its standard input, too
        self._log.close()

    def _settings(self, home: dict[str, dict[str, dict[str, str]]]) -> Path:
        file = self._folder / "gateway.toml"
        file.write_text(
            f"""
gateway = "clinic-01"
data = "data"
timezone = "Asia/Shanghai"
[broker]
port = {self._no_broker}
[radio]
bumble = "{home["hci"]}"
[page]
port = {self._page_port}
[[resident]]
id = "r-0001"
label = "{LABEL}"
[[resident]]
id = "r-0002"
label = "4 号床"
[[device]]
id = "cuff-01"
kind = "cuff-ble"
address = "{home["devices"]["cuff-01"]["address"]}"
""",
            encoding="utf-8",
        )
        return file

    def _start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        tool = Path(sys.executable).with_name(program)
        return subprocess.Popen([tool, *arguments], stdin=subprocess.PIPE, stdout=self._log, stderr=self._log)


@pytest.fixture
def clinic(tmp_path: Path, free_ports: Callable[[], int]) -> Iterator[ClinicOnRadio]:
    running = ClinicOnRadio(tmp_path, page_port=free_ports(), no_broker=free_ports())
    yield running
    running.stop()


def test_a_person_is_chosen_a_cuff_measures_and_the_reading_is_theirs(chromium: Browser, clinic: ClinicOnRadio) -> None:
    context, page, errors = opened(chromium, clinic.url, language="zh", size=(800, 480))
    _until(lambda: _opens(page.goto, clinic.url))
    page.get_by_text(LABEL).click()
    expect(page.locator("h1")).to_have_text(LABEL)
    expect(page.locator("#main")).to_contain_text("可以测量了")
    clinic.measure()
    expect(page.locator("#value")).to_have_text("134/78", timeout=40_000)
    assert page.locator("#value").bounding_box()["height"] > 100, "to be read from across the room"  # type: ignore[index]  # it is visible
    expect(page.locator("#state")).to_contain_text("县里")
    (reading,) = clinic.kept()
    assert (reading.subject.kind, reading.subject.id, reading.metric) == (SubjectKind.RESIDENT, "r-0001", "bp")
    page.locator("#done").click()
    expect(page.locator("#tiles")).to_be_visible()
    page.get_by_text("今天", exact=True).click()
    row = page.locator("tbody tr")
    expect(row).to_contain_text(LABEL)
    expect(row).to_contain_text("134/78")
    expect(row).to_contain_text("本机已存")
    assert errors == []
    context.close()


def _opens(goto: Callable[[str], object], url: str) -> bool:
    from playwright.sync_api import Error

    try:
        goto(url)
    except Error:
        return False
    return True


def _until(holds: Callable[[], object], *, within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.05)
