"""A missing Debian package skips a test with its name, and fails it under --require-all."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.layout import ROOT
from tests.debian import DebianPackages


def test_missing_package_skips_with_its_name() -> None:
    packages = DebianPackages(required=False, provides={"no-such": "no-such-program"})
    with pytest.raises(pytest.skip.Exception, match="no-such"):
        packages("no-such")


def test_missing_package_fails_where_all_are_required() -> None:
    packages = DebianPackages(required=True, provides={"no-such": "/no/such/file"})
    with pytest.raises(pytest.fail.Exception, match="apt-get install no-such"):
        packages("no-such")


def test_present_package_answers_with_its_path() -> None:
    assert DebianPackages(required=True, provides={"coreutils": "env"})("coreutils").name == "env"


def test_option_reaches_the_fixture(tmp_path: Path) -> None:
    (tmp_path / "test_asks.py").write_text("def test_asks(debian_package):\n    assert debian_package._required\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-c",
        str(ROOT / "pyproject.toml"),
        "--rootdir",
        str(ROOT),
    ]
    plugin = ["-p", "tests.conftest", str(tmp_path)]
    with_option = subprocess.run(
        [*command, *plugin, "--require-all"], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    without = subprocess.run([*command, *plugin], cwd=ROOT, capture_output=True, check=False, timeout=60)
    assert (with_option.returncode, without.returncode) == (0, 1)
