"""The Debian package: only what is pinned, laid out where the units look for it, the same each time."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from kanhu.harness.errors import HarnessError
from kanhu.harness.package import ARCHITECTURES, foreign_objects, lay_out, pinned
from kanhu.harness.package_trial import silent
from tests.architecture.layout import ROOT

_DEPLOY = ROOT / "deploy" / "gateway"
_ELF = b"\x7fELF" + bytes(14)


def wheel(folder: Path, *names: str) -> Path:
    """A wheel of these files."""
    file = folder / "thing-1-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as written:
        for name in names:
            written.writestr(name, "x = 1\n")
    return file


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    lay_out([wheel(tmp_path, "thing/__init__.py")], tree, architecture="arm64", version="0.1.0")
    return tree


def test_exactly_what_a_pi_may_hold_is_pinned_each_with_its_hashes() -> None:
    text = (_DEPLOY / "requirements.txt").read_text(encoding="utf-8")
    limits = tomllib.loads((ROOT / "harness/limits.toml").read_text(encoding="utf-8"))
    assert set(pinned(text)) == {name for name in limits["wheels"]["allowed"] if not name.startswith("kanhu-")}
    for block in re.split(r"\n(?=[a-z])", text.partition("\n\n")[2]):
        hashes = re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block)
        assert 1 <= len(hashes) <= len(ARCHITECTURES), block
        assert len(block.splitlines()) == 1 + len(hashes), block


def test_what_units_and_links_name_is_in_the_package(tree: Path) -> None:
    for unit in tree.glob("usr/lib/systemd/system/*.service"):
        (program,) = re.findall(r"^ExecStart=/(\S+)", unit.read_text(encoding="utf-8"), re.MULTILINE)
        assert (tree / program).stat().st_mode & 0o777 == 0o755
    for name in ("usr/bin/kanhu-gateway", "usr/sbin/kanhu-gateway-setup"):
        assert (tree / str((tree / name).readlink()).lstrip("/")).is_file()
    assert (tree / "opt/kanhu/lib/python3.11/site-packages/thing/__init__.py").is_file()
    (users,) = re.findall(r"systemd-sysusers (\S+)", (tree / "DEBIAN/postinst").read_text(encoding="utf-8"))
    assert (tree / "usr/lib/sysusers.d" / users).is_file()


def test_installing_never_starts_a_gateway_without_settings() -> None:
    started = re.findall(
        r"systemctl (\S+)[^\n]* kanhu-gateway\.service", (_DEPLOY / "debian/postinst").read_text(encoding="utf-8")
    )
    assert started == ["try-restart"], "what did not run stays where it is"


@pytest.mark.parametrize("name", ["debian/postinst", "debian/prerm", "debian/postrm", "kanhu-gateway-setup"])
def test_scripts_can_be_read_by_a_shell_and_stop_at_the_first_failure(name: str) -> None:
    text = (_DEPLOY / name).read_text(encoding="utf-8")
    assert re.search(r"^set -eu?$", text, re.MULTILINE)
    subprocess.run(["sh", "-n", _DEPLOY / name], check=True, timeout=10)


def test_a_wheel_that_unpacking_alone_does_not_install_is_refused(tmp_path: Path) -> None:
    odd = wheel(tmp_path, "thing/__init__.py", "thing-1.data/scripts/thing")
    with pytest.raises(HarnessError, match=r"\.data folder"):
        lay_out([odd], tmp_path / "tree", architecture="arm64", version="0.1.0")


def test_objects_of_another_machine_and_what_is_no_object_are_counted(tmp_path: Path) -> None:
    for name, elf in {"right.so": 183, "wrong.cpython-311.so": 62}.items():
        (tmp_path / name).write_bytes(_ELF + elf.to_bytes(2, "little"))
    (tmp_path / "torn.so.6").write_bytes(b"")
    assert foreign_objects(tmp_path, elf=183) == 2
    assert foreign_objects(tmp_path, elf=62) == 2


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb, of a Debian")
def test_the_same_files_pack_to_the_same_bytes_whoever_packs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    packed = []
    for turn, mask in {"once": 0o022, "again": 0o077}.items():
        folder = tmp_path / turn
        folder.mkdir()
        before = os.umask(mask)
        try:
            lay_out([wheel(folder, "thing/__init__.py")], folder / "tree", architecture="arm64", version="0.1.0")
        finally:
            os.umask(before)
        package = folder / "thing.deb"
        deb = ["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", str(folder / "tree"), str(package)]
        subprocess.run(deb, check=True, capture_output=True, timeout=60)
        packed.append(package.read_bytes())
    assert packed[0] == packed[1]


_STAND_IN = """#!/bin/sh
case "$*" in
    "-c "*) echo {root}/kanhu ;;
    *--help) echo kanhu-gateway run ;;
    *doctor*) echo '{{"checks": [1]}}' ;;
    *run*) exec {python} -c '{run}' ;;
esac
"""
_RUN = """
import os, pathlib, signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for word in WORDS:
    systemd.sendto(word, os.environ["NOTIFY_SOCKET"])
work = pathlib.Path("WORK")
line = os.open(work / "oximeter", os.O_RDONLY | os.O_NOCTTY)
os.read(line, 300)
(work / "data").mkdir()
(work / "data" / "accepted.ndjson").write_text("a line\\n")
while True:
    os.read(line, 300)
"""
_LIVES = '[b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]'


@pytest.mark.parametrize(
    ("run", "found"),
    [
        (_RUN.replace("WORDS", _LIVES), []),
        (_RUN.replace("WORDS", _LIVES).replace("exit(0)", "exit(1)"), ["run"]),
        (_RUN.replace("WORDS", _LIVES).replace("os.read(line, 300)", "sys.exit(0)", 1), ["accept"]),
        ("", ["run", "accept"]),
    ],
    ids=["lives", "stops-badly", "ends-before-it-accepts", "ends-at-once"],
)
def test_a_package_whose_gateway_does_not_live_is_named(tree: Path, tmp_path: Path, run: str, found: list[str]) -> None:
    python = tmp_path / "python"
    text = _STAND_IN.format(root=tree, python=sys.executable, run=run.replace("WORK", str(tmp_path)))
    python.write_text(text, encoding="utf-8")
    python.chmod(0o755)
    assert silent([str(python)], tree, tmp_path) == found


def test_a_package_in_which_nothing_answers_is_named_whole(tree: Path, tmp_path: Path) -> None:
    assert silent(["true"], tree, tmp_path) == ["imports", "help", "run", "accept", "doctor"]
