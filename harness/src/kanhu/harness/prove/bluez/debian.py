"""Debian's kernel, bluetoothd and dbus-daemon, as files in a folder: nothing is installed, and no root is needed."""

import lzma
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kanhu.harness.apt import fetch
from kanhu.harness.faults import CannotBeHad
from kanhu.harness.wheels import must_run

__all__ = ["Debian", "debian", "modules_in_order"]

_PACKAGES = "packages"
_WANTED = ("bluez", "busybox-static", "dbus-daemon", "linux-image-amd64")
_KERNEL = re.compile(r"linux-image-\d[^_]*_")
_DEPENDS = re.compile(rb"\0depends=([^\0]*)\0")

# The programs of this folder run as these; kanhu is in the group bluetooth, as by deploy/gateway/sysusers.conf.
_FILES = {
    "etc/passwd": "root:x:0:0::/:/bin/sh\nmessagebus:x:100:100::/:/bin/false\nkanhu:x:990:990::/:/bin/false\n",
    "etc/group": "root:x:0:\nmessagebus:x:100:\nbluetooth:x:101:kanhu\nkanhu:x:990:\n",
    "etc/machine-id": "6b616e68756b616e68756b616e687500\n",
}
_FOLDERS = ("dev", "proc", "run", "sys", "tmp", "var/lib/bluetooth", "var/run")


@dataclass(frozen=True, slots=True)
class Debian:
    """What was unpacked."""

    root: Path
    """Programs, with the libraries that they need."""
    kernel: Path
    modules: Path
    packages: tuple[str, ...]
    """Names of the packages, with version and architecture."""

    def version(self, package: str) -> str:
        """Version of one of them; empty where it is none."""
        found = (name.split("_") for name in self.packages)
        return next((version.replace("%3a", ":") for name, version, *_ in found if name == package), "")


def debian(cache: Path) -> Debian:
    """What is in the cache; fetched by apt from this machine's sources where nothing is.

    Raises:
        CannotBeHad: this machine has no apt-get or no dpkg-deb.
        ProgramFailed: apt cannot fetch it.
    """
    made = cache / "debian"
    if not made.exists():
        missing = [program for program in ("apt-get", "dpkg-deb") if shutil.which(program) is None]
        if missing:
            raise CannotBeHad("a Debian to boot", f"{', '.join(missing)} not found; run it on Debian")
        unfinished = cache / "unfinished"
        if unfinished.exists():
            shutil.rmtree(unfinished)
        _fetch(unfinished)
        unfinished.rename(made)
    kernel = next(iter(sorted((made / "kernel/boot").glob("vmlinuz-*"))))
    packages = tuple((made / _PACKAGES).read_text(encoding="utf-8").split())
    return Debian(made / "root", kernel, next((made / "kernel/lib/modules").iterdir()), packages)


def modules_in_order(folder: Path, names: Sequence[str]) -> dict[str, bytes]:
    """These kernel modules, and all that they depend on, by name and each behind what it needs.

    A name that the kernel has not as a module is left out: then it is built in.
    """
    files = {file.name.partition(".")[0].replace("-", "_"): file for file in folder.rglob("*.ko*")}
    ordered: dict[str, bytes] = {}

    def add(name: str) -> None:
        name = name.replace("-", "_")
        if name in files and name not in ordered:
            module = files[name].read_bytes()
            if files[name].suffix == ".xz":  # since Debian 13
                module = lzma.decompress(module)
            for other in _depends(module):
                add(other)
            ordered[name] = module

    for name in names:
        add(name)
    return ordered


def _depends(module: bytes) -> Iterator[str]:
    found = _DEPENDS.search(module)
    if found is not None and found[1]:
        yield from found[1].decode().split(",")


def _fetch(folder: Path) -> None:
    archives = fetch(_WANTED, folder / "apt", architecture="amd64")
    for archive in archives:
        into = folder / ("kernel" if _KERNEL.match(archive.name) else "root")
        must_run(f"unpacking {archive.name}", ["dpkg-deb", "-x", str(archive), str(into)])
    root = folder / "root"
    for name in _FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name, text in _FILES.items():
        (root / name).write_text(text, encoding="utf-8")
    shutil.rmtree(folder / "apt")
    (folder / _PACKAGES).write_text("".join(f"{archive.name}\n" for archive in archives), encoding="utf-8")
