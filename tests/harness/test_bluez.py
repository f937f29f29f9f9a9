"""`./run prove bluez` without its virtual machine: what it is given, what is made of its words, what is missing."""

import lzma
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from kanhu.harness.errors import ProgramFailed
from kanhu.harness.faults import CannotBeHad
from kanhu.harness.prove.__main__ import main as prove
from kanhu.harness.prove.bluez import proof
from kanhu.harness.prove.bluez.books import Told, in_order, owed, reckon
from kanhu.harness.prove.bluez.checks import CHECKS
from kanhu.harness.prove.bluez.debian import Debian, debian, modules_in_order
from kanhu.harness.prove.bluez.machine import archive, command, initramfs
from kanhu.harness.report import read_limits


@pytest.fixture
def packages(tmp_path: Path) -> Debian:
    """A cache as apt and dpkg-deb leave it."""
    made = tmp_path / "debian"
    modules = made / "kernel/lib/modules/6.1.0"
    files = {
        made / "kernel/boot/vmlinuz-6.1.0": b"kernel",
        made / "root/bin/busybox": b"shell",
        modules / "9p.ko": b"\x7fELF\0license=GPL\0depends=9pnet,netfs\0",
        modules / "9pnet.ko": b"\x7fELF\0depends=\0",
        modules / "fs/netfs.ko.xz": lzma.compress(b"\x7fELF\0depends=fs-cache\0"),
        modules / "fs/fs_cache.ko": b"\x7fELF\0depends=\0",
        made / "packages": b"bluez_5.66-1+deb12u2_amd64.deb\ncoreutils_1%3a9.1-1_amd64.deb\n",
    }
    for file, content in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return debian(tmp_path)


def test_modules_are_loaded_behind_what_they_need(packages: Debian) -> None:
    modules = modules_in_order(packages.modules, ["9p", "9pnet", "built_in"])
    ordered = list(modules)
    assert sorted(ordered) == ["9p", "9pnet", "fs_cache", "netfs"]
    assert ordered.index("fs_cache") < ordered.index("netfs") < ordered.index("9p")
    assert ordered.index("9pnet") < ordered.index("9p")
    assert {module[:4] for module in modules.values()} == {b"\x7fELF"}, "the kernel's own loader unpacks none"


def test_what_was_fetched_is_used_again_and_told_by_version(packages: Debian) -> None:
    assert (packages.version("bluez"), packages.version("coreutils")) == ("5.66-1+deb12u2", "1:9.1-1")
    assert packages.version("linux") == ""
    assert packages.kernel.read_bytes() == b"kernel"


def test_the_first_program_has_no_name_left_to_fill_in_and_is_a_shell_script(packages: Debian, tmp_path: Path) -> None:
    script = _files(initramfs(packages, ["it's broken"]))["init"].decode()
    assert "@" not in script.replace('"$@"', "").replace("# First program of the virtual machine. @NAMES@", "")
    assert str(packages.root) in script
    (tmp_path / "init").write_text(script, encoding="utf-8")
    subprocess.run(["sh", "-n", tmp_path / "init"], check=True)


def test_folders_stand_before_what_is_in_them() -> None:
    assert list(_files(archive({"a/b/c": b"1", "d": b""}))) == ["a", "a/b", "a/b/c", "d", "TRAILER!!!"]


def test_the_machine_cannot_write_to_this_one_and_needs_no_kvm(packages: Debian, tmp_path: Path) -> None:
    words = command("qemu", packages, tmp_path / "ramdisk", tmp_path / "console")
    (shared,) = [word for word in words if "mount_tag=" in word]
    assert "readonly=on" in shared
    assert words[words.index("-accel") + 1] == "tcg"
    assert words[words.index("-kernel") + 1] == str(packages.kernel)


def test_each_check_is_counted_and_a_machine_that_gives_up_is_an_error() -> None:
    found = proof.Found()
    proof.take({"init": "mounted"}, found, since_start_s=1.0)
    proof.take({"ready": "6.1.0"}, found, since_start_s=9.0)
    proof.take({"check": "it pairs", "happened": "", "seconds": 1.5}, found, since_start_s=10.0)
    proof.take({"check": "it returns", "happened": "not linked cuff", "seconds": 60.0}, found, since_start_s=70.0)
    proof.take({"figures": {"lost": 0}}, found, since_start_s=71.0)
    assert (found.kernel, found.boot_s, found.figures) == ("6.1.0", 9.0, {"lost": 0})
    assert found.checks == [("it pairs", "", 1.5), ("it returns", "not linked cuff", 60.0)]
    with pytest.raises(ProgramFailed, match="no 9p"):
        proof.take({"broken_off": "no 9p"}, found, since_start_s=2.0)


@pytest.mark.parametrize(
    ("arrived", "figures"),
    [
        (["90", "91", "92"], (0, 0, 0, 0)),
        (["90", "92"], (1, 0, 0, 0)),
        (["90", "91", "91", "92"], (0, 1, 0, 1)),
        (["90", "91", "92", "7"], (0, 0, 1, 0)),
        (["91", "90", "92"], (0, 0, 0, 1)),
        (["90", "91", "92", "93"], (0, 0, 0, 0)),  # handed over and not confirmed: it may be there
    ],
)
def test_the_books_tell_lost_from_twice_from_unknown(arrived: Sequence[str], figures: tuple[int, ...]) -> None:
    told = Told(certain=["90", "91", "92"], uncertain=["93"])
    reckoned = reckon({"cuff": told}, {"cuff": arrived})
    assert tuple(reckoned[name] for name in ("lost", "twice", "unknown", "out_of_order")) == figures
    assert (reckoned["readings"], owed(told, arrived)) == (3, figures[0])
    assert in_order(told, arrived) is not bool(figures[3])


def test_a_device_of_which_nothing_arrived_lost_everything() -> None:
    assert reckon({"cuff": Told(certain=["90", "91"])}, {})["lost"] == 2


def test_every_figure_of_the_books_is_limited_and_every_check_has_its_own_name() -> None:
    assert {"checks", "failed", "lost", "twice", "unknown", "out_of_order"} <= set(read_limits("prove-bluez"))
    assert len({check.name for check in CHECKS}) == len(CHECKS) == read_limits("prove-bluez")["checks"].bound


def test_without_the_emulator_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert prove(["bluez"]) == 3
    assert "apt-get install qemu-system-x86" in capsys.readouterr().err


def test_where_this_python_would_not_run_inside_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert prove(["bluez"]) == 3
    assert "this Python is for aarch64" in capsys.readouterr().err


def test_a_folder_that_somebody_names_keeps_what_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs").write_text("kept", encoding="utf-8")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotBeHad, match="apt-get, dpkg-deb"):
        debian(tmp_path)
    assert (tmp_path / "theirs").read_text(encoding="utf-8") == "kept"


def test_without_apt_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator = tmp_path / "qemu-system-x86_64"
    emulator.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert prove(["bluez", "--cache", str(tmp_path / "cache")]) == 3
    assert "apt-get" in capsys.readouterr().err


def _files(packed: bytes) -> dict[str, bytes]:
    """Read back by the layout of the kernel's documentation, driver-api/early-userspace/buffer-format."""
    files: dict[str, bytes] = {}
    place = 0
    while place < len(packed):
        assert packed[place : place + 6] == b"070701"
        fields = [int(packed[place + 6 + 8 * n : place + 14 + 8 * n], 16) for n in range(13)]
        size, name_size = fields[6], fields[11]
        name = packed[place + 110 : place + 110 + name_size - 1].decode()
        begins = place + (110 + name_size + 3) // 4 * 4
        files[name] = packed[begins : begins + size]
        place = begins + (size + 3) // 4 * 4
    return files
