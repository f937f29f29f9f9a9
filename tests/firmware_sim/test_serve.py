"""`kanhu-sim serve` as a process: doors, orders, journal, and a gateway that is killed and comes back."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import pytest
import serial

_STAND_IN = Path(__file__).with_name("gateway_stand_in.py")
_PATIENCE_S = 20.0
# What the promise allows for: noticing the dead host, advertising again, connecting, discovering, subscribing, and
# one second to the strap's next reading.
_READS_AGAIN_S = 5.0

_SCENARIO = """
name = "test"
duration_s = 600
[[home]]
id = "home-01"
resident = [{ id = "r-0001", age_years = 80, sex = "f" }]
device = [
    { id = "cuff-01", kind = "cuff-ble", person = "r-0001" },
    { id = "strap-01", kind = "strap-ble", person = "r-0001" },
    { id = "button-01", kind = "button-bthome", person = "r-0001" },
    { id = "oximeter-01", kind = "oximeter-cms50d", person = "r-0001" },
]
event = [
    { at_s = 0, device = "strap-01", action = "wear" },
    { at_s = 1, device = "button-01", action = "press" },
    { at_s = 1, device = "cuff-01", action = "measure", systolic_mmhg = 150, diastolic_mmhg = 88, pulse_bpm = 74 },
    { at_s = 1.5, device = "oximeter-01", action = "wear", windows = [{ spo2_percent = 96, pulse_bpm = 66 }] },
]
[[home]]
id = "home-02"
device = [{ id = "button-02", kind = "button-bthome" }]
"""


class Program:
    """A child process whose lines of JSON are waited for."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def order(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(word.encode() + b"\n")
        self.process.stdin.flush()

    def wait_for(self, wanted: Callable[[dict[str, Any]], object], *, patience_s: float = _PATIENCE_S) -> Any:
        """The first line from now on that is wanted."""
        deadline_s = time.monotonic() + patience_s
        while (left_s := deadline_s - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left_s)
            except queue.Empty:
                break
            if wanted(line):
                return line
        pytest.fail(f"nothing that was waited for in {patience_s:g} s; exit code {self.process.poll()}")

    def end(self) -> int:
        """Wait for the end by itself."""
        return self.process.wait(_PATIENCE_S)

    def complaints(self) -> bytes:
        """What it wrote to standard error, once it has ended."""
        assert self.process.stderr is not None
        return self.process.stderr.read()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(json.loads(line))


class Bench:
    """One simulator, and whatever a test starts beside it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._stack = stack
        self.folder = folder
        self.scenario = folder / "scenario.toml"
        self.scenario.write_text(_SCENARIO, encoding="utf-8")
        self.journal = folder / "out" / "truth.ndjson"
        self.simulator = self.simulate()

    def simulate(self, *more: str) -> Program:
        return self._start(
            "-m", "kanhu.firmware_sim", "serve", "--scenario", str(self.scenario), "--state", str(self.folder / "run"),
            "--journal", str(self.journal), *more,
        )  # fmt: skip  # one flag with its value reads best

    def home(self) -> dict[str, Any]:
        ready = self.simulator.wait_for(lambda line: "ready" in line)
        links = json.loads(Path(ready["ready"]).read_text(encoding="utf-8"))
        return dict(links["homes"]["home-01"])

    def stand_in(self, home: Mapping[str, Any]) -> Program:
        """Loaded, and waiting for a word to plug in its radio."""
        devices = home["devices"]
        program = self._start(
            str(_STAND_IN), home["hci"], devices["cuff-01"]["address"], devices["strap-01"]["address"]
        )
        program.wait_for(lambda line: "imported" in line)
        return program

    def gateway(self, home: Mapping[str, Any]) -> Program:
        """Connected and subscribed."""
        program = self.stand_in(home)
        program.order("begin")
        program.wait_for(lambda line: line.get("subscribed") == "strap")
        return program

    def truth(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.journal.read_text(encoding="utf-8").splitlines()]

    def _start(self, *arguments: str) -> Program:
        program = Program(*arguments)
        self._stack.callback(program.close)
        return program


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with ExitStack() as stack:
        yield Bench(tmp_path, stack)


def test_every_door_is_named_and_open_before_the_start(bench: Bench) -> None:
    home = bench.home()
    assert home["hci"].startswith("tcp-client:127.0.0.1:")
    assert {name: sorted(door) for name, door in home["devices"].items()} == {
        "cuff-01": ["address", "kind"],
        "strap-01": ["address", "kind"],
        "button-01": ["address", "kind"],
        "oximeter-01": ["kind", "port"],
    }
    assert Path(home["devices"]["oximeter-01"]["port"]).exists()
    assert bench.truth() == []


def test_a_whole_play_counts_what_a_gateway_hears(bench: Bench) -> None:
    home = bench.home()
    gateway = bench.gateway(home)
    with serial.Serial(home["devices"]["oximeter-01"]["port"], 4800, parity=serial.PARITY_ODD, timeout=15) as port:
        bench.simulator.order("start")
        heard = gateway.wait_for(lambda line: "cuff" in line)
        assert bytes.fromhex(heard["cuff"])[:3] == bytes.fromhex("169600")
        assert len(port.read(3000)) == 3000
    gateway.wait_for(lambda line: "strap" in line)
    bench.simulator.order("stop")
    stopped = bench.simulator.wait_for(lambda line: "stopped" in line)
    emitted = stopped["emitted"]
    assert (emitted["cuff-01"], emitted["button-01"], emitted["oximeter-01"]) == (1, 1, 1)
    assert emitted["strap-01"] >= 10
    assert emitted["button-02"] == 0
    lines = bench.truth()
    assert lines[-1]["emitted"] == emitted
    assert sum("n" in line for line in lines) == stopped["stopped"] == sum(emitted.values())
    assert all({"t_ms", "mono_ns", "home", "kind", "values"} <= line.keys() for line in lines if "n" in line)
    bench.simulator.order("quit")
    assert bench.simulator.end() == 0


def test_a_killed_gateway_is_forgotten_and_its_successor_reads_again_within_5_s(bench: Bench) -> None:
    home = bench.home()
    first = bench.gateway(home)
    second = bench.stand_in(home)
    bench.simulator.order("start")
    first.wait_for(lambda line: "strap" in line)
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    killed_s = time.monotonic()
    second.order("begin")
    second.wait_for(lambda line: line.get("subscribed") == "cuff")
    second.wait_for(lambda line: "strap" in line)
    assert time.monotonic() - killed_s < _READS_AGAIN_S
    fates = ["unsent" if "unsent" in line else "sent" for line in bench.truth() if line.get("device") == "strap-01"]
    assert fates[0] == fates[-1] == "sent"
    second.process.send_signal(signal.SIGKILL)
    bench.simulator.order("quit")
    assert bench.simulator.end() == 0
    assert bench.simulator.complaints() == b""


def test_nothing_moves_after_stop_and_the_doors_stay_open(bench: Bench) -> None:
    home = bench.home()
    gateway = bench.gateway(home)
    bench.simulator.order("start")
    gateway.wait_for(lambda line: "strap" in line)
    bench.simulator.order("stop")
    bench.simulator.wait_for(lambda line: "stopped" in line)
    lines = bench.truth()
    bench.simulator.order("start")  # too late: a play is played once
    bench.gateway(home)
    assert bench.truth() == lines


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_with_the_totals_written(bench: Bench, number: signal.Signals) -> None:
    home = bench.home()
    bench.simulator.order("start")
    bench.simulator.wait_for(lambda line: "started" in line)
    bench.simulator.process.send_signal(number)
    assert bench.simulator.end() == 0
    assert set(bench.truth()[-1]) == {"t_ms", "emitted", "unsent"}
    assert not Path(home["devices"]["oximeter-01"]["port"]).is_symlink()


def test_it_ends_when_whoever_started_it_is_gone(bench: Bench) -> None:
    bench.home()
    assert bench.simulator.process.stdin is not None
    bench.simulator.process.stdin.close()
    assert bench.simulator.end() == 0


def test_a_refused_scenario_ends_it_with_the_place_and_code_2(bench: Bench) -> None:
    bench.home()
    bench.scenario.write_text(_SCENARIO.replace("cuff-ble", "cuf-ble"), encoding="utf-8")
    refused = bench.simulate()
    assert refused.end() == 2
    assert b"cuf-ble" in refused.complaints()


@pytest.mark.parametrize(
    ("journal", "said"),
    [("{}", b"Is a directory"), ("/proc/none", b"No such file"), ("/dev/full", b"has room")],
)
def test_a_journal_that_cannot_be_written_ends_it_with_code_2(tmp_path: Path, journal: str, said: bytes) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(_ALONE, encoding="utf-8")
    words = ["--scenario", str(scenario), "--state", str(tmp_path), "--journal", journal.format(tmp_path)]
    done = _serve(*words, "--autostart", stdout=subprocess.PIPE)
    assert (done.returncode, said in done.stderr, b"Traceback" in done.stderr) == (2, True, False)


def test_it_ends_in_words_when_nobody_reads_what_it_says(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(_ALONE, encoding="utf-8")
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        words = ["--scenario", str(scenario), "--state", str(tmp_path), "--journal", str(tmp_path / "journal")]
        done = _serve(*words, stdout=nobody)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert b"nobody reads its standard output" in done.stderr


@pytest.mark.parametrize("patience", ["nan", "-1", "inf", "soon"])
def test_a_patience_that_is_none_is_refused(patience: str) -> None:
    done = _serve("--scenario", "x", "--state", "x", "--journal", "x", "--patience", patience, stdout=subprocess.PIPE)
    assert done.returncode == 2
    assert b"is no number of seconds" in done.stderr


_ALONE = """
name = "alone"
duration_s = 1
[[home]]
id = "home-01"
device = [{ id = "button-01", kind = "button-bthome" }]
"""


def _serve(*words: str, stdout: int | IO[bytes]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "kanhu.firmware_sim", "serve", *words],
        stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, check=False, timeout=60,
    )  # fmt: skip  # one flag with its value reads best


def test_autostart_plays_without_being_told(bench: Bench) -> None:
    bench.home()
    bench.simulator.order("quit")
    bench.simulator.end()
    playing = bench.simulate("--autostart", "--seed", "7")
    assert playing.process.stdin is not None
    playing.process.stdin.close()
    assert playing.wait_for(lambda line: "started" in line)["seed"] == 7
