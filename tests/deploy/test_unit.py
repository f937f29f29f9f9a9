"""The gateway's unit: systemd takes it, it is closed as far as stated, and the gateway still gets what it needs."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from kanhu.gateway.config import load_config
from tests.architecture.layout import ROOT
from tests.debian import DebianPackages

_DEPLOY = ROOT / "deploy" / "gateway"
_UNIT = _DEPLOY / "kanhu-gateway.service"
_PROGRAMS = ("kanhu-gateway", "kanhu-gateway-setup")
_MOST_EXPOSED = 25  # tenths, 20 measured by systemd 252; what is left open is listed with its reason in the unit
_GATEWAY = Path(sys.executable).with_name("kanhu-gateway")


def settings_of(unit: Path) -> dict[str, list[str]]:
    """Every value of every setting, in order."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with the units and programs that answer nothing."""
    for program in _PROGRAMS:
        path = tmp_path / "opt/kanhu/bin" / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n", encoding="utf-8")
        path.chmod(0o755)
    return tmp_path


def analyze(analyzer: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([analyzer, *arguments], capture_output=True, text=True, check=False, timeout=60)


def verify(analyzer: Path, root: Path, text: str, *, name: str) -> str:
    """What systemd has to say against a unit."""
    unit = root / "etc/systemd/system" / name
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.write_text(text, encoding="utf-8")
    done = analyze(analyzer, "verify", "--man=no", "--recursive-errors=no", f"--root={root}", str(unit))
    return done.stderr + (f"exit {done.returncode}" if done.returncode else "")


@pytest.mark.parametrize("unit", sorted(_DEPLOY.glob("*.service")), ids=lambda unit: unit.name)
def test_systemd_takes_each_unit(debian_package: DebianPackages, root: Path, unit: Path) -> None:
    assert verify(debian_package("systemd"), root, unit.read_text(encoding="utf-8"), name=unit.name) == ""


def test_a_misspelt_setting_is_found(debian_package: DebianPackages, root: Path) -> None:
    text = _UNIT.read_text(encoding="utf-8").replace("WatchdogSec=", "WatchDogSec=")
    assert "WatchDogSec" in verify(debian_package("systemd"), root, text, name=_UNIT.name)


@pytest.mark.parametrize(("opened", "kept"), [("", True), ("ProtectSystem=strict\nCapabilityBoundingSet=\n", False)])
def test_the_unit_is_closed_as_far_as_stated(
    debian_package: DebianPackages, tmp_path: Path, opened: str, kept: bool
) -> None:
    text = _UNIT.read_text(encoding="utf-8")
    for line in opened.splitlines(keepends=True):
        assert line in text
        text = text.replace(line, "")
    unit = tmp_path / _UNIT.name
    unit.write_text(text, encoding="utf-8")
    held = ("security", "--offline=yes", "--no-pager", f"--threshold={_MOST_EXPOSED}", str(unit))
    done = analyze(debian_package("systemd"), *held)
    assert (done.returncode == 0) is kept, done.stdout[-2000:] + done.stderr


def test_it_is_started_again_for_ever_and_never_without_settings() -> None:
    unit = settings_of(_UNIT)
    assert unit["Restart"] == ["always"]
    assert unit["StartLimitIntervalSec"] == ["0"]
    assert unit["ConditionPathExists"] == ["/etc/kanhu/gateway.toml"]
    assert unit["Type"] == ["notify"]
    assert float(unit["WatchdogSec"][0]) >= 60, "a slow card pauses for tens of seconds and still lives"


def test_what_would_take_the_time_away_is_not_set() -> None:
    unit = settings_of(_UNIT)
    assert "ProtectClock" not in unit, "forbids to ask whether the clock is synchronised"
    assert "ProcSubset" not in unit, "hides the boot id"


def allowed_calls(analyzer: Path, filters: list[str]) -> set[str]:
    """System calls that a unit's filters leave, as systemd expands them."""
    allowed: set[str] = set()

    def expand(word: str) -> set[str]:
        if not word.startswith("@"):
            return {word}
        listed = analyze(analyzer, "syscall-filter", word).stdout.splitlines()[1:]
        names = [line.strip() for line in listed if line.strip() and not line.strip().startswith("#")]
        return set().union(*(expand(name) for name in names))

    for line in filters:
        for word in line.removeprefix("~").split():
            allowed = allowed - expand(word) if line.startswith("~") else allowed | expand(word)
    return allowed | expand("@default")


def test_the_gateway_makes_no_system_call_that_the_unit_forbids(debian_package: DebianPackages, tmp_path: Path) -> None:
    allowed = allowed_calls(debian_package("systemd"), settings_of(_UNIT)["SystemCallFilter"])
    assert {"fsync", "openat", "adjtimex", "clock_adjtime"} <= allowed
    assert not {"mount", "reboot", "settimeofday", "init_module"} & allowed
    settings = tmp_path / "gateway.toml"
    settings.write_text(
        f'gateway = "home-03"\ndata = "data"\ntimezone = "Asia/Shanghai"\n[broker]\nport = 9\n'
        f'[[device]]\nid = "oximeter"\nkind = "oximeter-cms50d"\nport = "{tmp_path / "no-port"}"\n',
        encoding="utf-8",
    )
    trace, gateway = tmp_path / "trace", [str(_GATEWAY), "run", "--config", str(settings)]
    strace = [str(debian_package("strace")), "-f", "-qq", "-o", str(trace), *gateway]
    told = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"}
    with (tmp_path / "log").open("wb") as log, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(told["NOTIFY_SOCKET"])
        systemd.settimeout(90)  # traced and on a busy machine it is slow
        with subprocess.Popen(strace, stdout=log, stderr=log, env={**os.environ, **told}) as process:
            try:
                assert systemd.recv(4096) == b"READY=1"
                for _ in range(12):  # three seconds, in which it tries device and county
                    assert systemd.recv(4096) == b"WATCHDOG=1"
                children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
                os.kill(int(children.split()[0]), signal.SIGTERM)
                assert process.wait(60) == 0
            finally:
                process.kill()
    made = set(re.findall(r"^\d+ +([a-z_0-9]+)\(", trace.read_text(encoding="utf-8", errors="replace"), re.MULTILINE))
    assert {"fdatasync", "connect", "openat"} <= made, "it was up, and wrote"
    as_root = {"fchown"} if os.geteuid() == 0 else set()  # SQLite's, for root alone; the unit's user is another
    assert made - allowed - as_root == set()


def test_the_sample_can_be_used() -> None:
    config = load_config(_DEPLOY / "gateway.toml")
    assert config.broker.tls
    assert {device.kind for device in config.device} == {"oximeter-cms50d", "cuff-ble", "button-bthome"}


def test_the_sample_keeps_to_the_folder_and_the_names_of_unit_and_rule() -> None:
    config = load_config(_DEPLOY / "gateway.toml")
    assert str(config.folder) == f"/var/lib/{settings_of(_UNIT)['StateDirectory'][0]}"
    rule = (_DEPLOY / "70-kanhu-serial.rules").read_text(encoding="utf-8")
    symlink = re.search(r'SYMLINK\+="([^"]+)"', rule)
    assert symlink is not None
    pattern = re.sub(r"\\\$(attr|env)\\\{\w+\\\}", r"[0-9.]+", re.escape(f"/dev/{symlink.group(1)}"))
    assert [device.port for device in config.device if device.port and not re.fullmatch(pattern, device.port)] == []
