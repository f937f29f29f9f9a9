"""The gate of a change: missing packages are installed, both halves run, either failing fails the whole."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.layout import ROOT
from tests.debian import PROVIDES


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """The script beside a ./run that notes its arguments, and stand-ins for Debian's programs."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    _program(tmp_path / "run", 'echo "$*" >> done.txt; [[ " $FAILING " != *" $1 "* ]]')
    (tmp_path / "bin").mkdir()
    _program(tmp_path / "bin" / "dpkg-query", '[[ " $INSTALLED " == *" ${@: -1} "* ]] && echo -n installed')
    _program(tmp_path / "bin" / "apt-get", 'echo "apt-get $*" >> done.txt')
    _program(tmp_path / "bin" / "sudo", '"$@"')
    return tmp_path


@pytest.mark.parametrize(("failing", "expected"), [("", 0), ("check", 1), ("test", 1), ("check test", 1)])
def test_either_half_failing_fails_the_whole_and_both_run(scratch: Path, failing: str, expected: int) -> None:
    everything = " ".join([*PROVIDES, "python3-venv"])
    assert _ci(scratch, installed=everything, failing=failing) == expected
    assert (scratch / "done.txt").read_text().splitlines() == ["check", "test --require-all"]


def test_only_missing_packages_are_installed_and_lists_are_fetched_first(scratch: Path) -> None:
    assert _ci(scratch, installed="python3-venv fonts-noto-cjk", failing="") == 0
    update, install, *_ = (scratch / "done.txt").read_text().splitlines()
    assert update.startswith("apt-get update")
    assert install.startswith("apt-get install")
    assert install.endswith(" chromium dbus-daemon libfaketime mosquitto strace systemd")


def _ci(scratch: Path, *, installed: str, failing: str) -> int:
    environment = {"PATH": f"{scratch / 'bin'}:{os.environ['PATH']}", "INSTALLED": installed, "FAILING": failing}
    return subprocess.run([scratch / ".ci" / "run"], env=environment, check=False, timeout=30).returncode


def _program(path: Path, script: str) -> None:
    path.write_text(f"#!/usr/bin/env bash\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
