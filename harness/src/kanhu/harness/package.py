"""Build the gateway's Debian package: a virtual environment under /opt/kanhu, units, and the first set-up.

Wheels only, each pinned by version and hash in deploy/gateway/requirements.txt, unpacked and never run; so every
architecture is built on any machine. Everything is built twice and has to be equal to the byte. Where the machine is of
the package's architecture, or can emulate it, the gateway in it is asked to answer.
"""

import argparse
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

from kanhu.harness.errors import HarnessError
from kanhu.harness.package_trial import emulated, native, silent
from kanhu.harness.report import Output, Report, Value, finish, read_limits
from kanhu.harness.wheels import build_wheels, must_run

__all__ = ["ARCHITECTURES", "Architecture", "foreign_objects", "lay_out", "main", "pinned"]

NAME = "package"
ROOT = Path(__file__).resolve().parents[4]
DEPLOY = ROOT / "deploy" / "gateway"
PYTHON = "3.11"  # of Debian 12 and of the Pi's system made from it; compiled wheels fit one Python only
OWN_PARTS = ("contract", "vitals", "edge", "gateway")

_SITE = f"opt/kanhu/lib/python{PYTHON}/site-packages"
_PLATFORMS = ("manylinux2014", "manylinux_2_17", "manylinux_2_28", "manylinux_2_34")  # Debian 12 has glibc 2.36
_NO_GIT_EPOCH = "1767225600"  # 2026-01-01, where an archive has no history to ask
_PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+) \\$", re.MULTILINE)
_LAUNCHER = "#!/opt/kanhu/bin/python -I\nimport sys\n\nfrom kanhu.gateway.cli import main\n\nsys.exit(main())\n"
_VENV = f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {PYTHON}\n"
_UNITS = "usr/lib/systemd/system"
_DOCUMENTS = "usr/share/doc/kanhu-gateway"
_PLACES = {  # in deploy/gateway -> in the package
    "kanhu-gateway.service": f"{_UNITS}/kanhu-gateway.service",
    "kanhu-gateway-setup.service": f"{_UNITS}/kanhu-gateway-setup.service",
    "kanhu-gateway-setup": "opt/kanhu/bin/kanhu-gateway-setup",
    "60-kanhu-watchdog.conf": "usr/lib/systemd/system.conf.d/60-kanhu-watchdog.conf",
    "70-kanhu-serial.rules": "usr/lib/udev/rules.d/70-kanhu-serial.rules",
    "sysusers.conf": "usr/lib/sysusers.d/kanhu-gateway.conf",
    "gateway.toml": f"{_DOCUMENTS}/gateway.toml",
    "../../docs/gateway.md": f"{_DOCUMENTS}/gateway.md",
    "../../LICENSE": f"{_DOCUMENTS}/copyright",
}
_LINKS = {
    "opt/kanhu/bin/python": f"/usr/bin/python{PYTHON}",
    "usr/bin/kanhu-gateway": "/opt/kanhu/bin/kanhu-gateway",
    "usr/sbin/kanhu-gateway-setup": "/opt/kanhu/bin/kanhu-gateway-setup",
}
_SCRIPTS = ("postinst", "postrm", "prerm")


@dataclass(frozen=True, slots=True)
class Architecture:
    """One kind of machine."""

    debian: str
    machine: str
    elf: int
    """e_machine of its shared objects."""


ARCHITECTURES = (Architecture("amd64", "x86_64", 62), Architecture("arm64", "aarch64", 183))


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, try, and print what came of it."""
    names = [architecture.debian for architecture in ARCHITECTURES]
    parser = argparse.ArgumentParser(prog="./run package", description=__doc__)
    parser.add_argument("--arch", choices=names, action="append", help="only this one; repeatable (default: all)")
    parser.add_argument("--out", type=Path, default=Path("dist"), help="folder of the packages (default: %(default)s)")
    parser.add_argument("--emulate", action="store_true", help="try the other architecture by QEMU (qemu-user-static)")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on a line of its own")
    chosen = parser.parse_args(arguments)
    output = Output.TABLE_AND_JSON if chosen.json else Output.TABLE
    can_try = {each.machine for each in ARCHITECTURES} if chosen.emulate else {platform.machine()}
    measured: dict[str, Value] = {"unequal": 0, "foreign_objects": 0, "silent": 0, "largest_mib": 0.0}
    hashes: dict[str, str] = {}
    os.environ.setdefault("SOURCE_DATE_EPOCH", _epoch())
    try:
        limits = read_limits(NAME)
        chosen.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="kanhu-package-") as folder:
            for architecture in ARCHITECTURES:
                if architecture.debian in (chosen.arch or names):
                    package = _package(architecture, Path(folder), chosen.out, measured, can_try=can_try)
                    hashes[package.name] = _sha256(package)
    except HarnessError as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    for name, digest in hashes.items():
        print(f"{digest}  {chosen.out / name}")
    return finish(Report(NAME, measured, limits, versions=hashes), output=output)


def pinned(text: str) -> dict[str, str]:
    """Names and versions of a file of requirements."""
    return {found["name"]: found["version"] for found in _PIN.finditer(text)}


def lay_out(wheels: Sequence[Path], tree: Path, *, architecture: str, version: str) -> None:
    """Make the tree that dpkg-deb packs.

    Raises:
        HarnessError: a wheel wants files outside of site-packages.
    """
    site = tree / _SITE
    site.mkdir(parents=True)
    for wheel in sorted(wheels):
        with zipfile.ZipFile(wheel) as opened:
            if any(name.partition("/")[0].endswith(".data") for name in opened.namelist()):
                raise HarnessError(f"{wheel.name} carries a .data folder, which unpacking alone does not install")
            opened.extractall(site)
    for source, place in _PLACES.items():
        (tree / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(DEPLOY / source, tree / place)
    (tree / "opt/kanhu/pyvenv.cfg").write_text(_VENV, encoding="utf-8")
    (tree / "opt/kanhu/bin/kanhu-gateway").write_text(_LAUNCHER, encoding="utf-8")
    for link, target in _LINKS.items():
        (tree / link).parent.mkdir(parents=True, exist_ok=True)
        (tree / link).symlink_to(target)
    control = tree / "DEBIAN"
    control.mkdir()
    for script in _SCRIPTS:
        shutil.copyfile(DEPLOY / "debian" / script, control / script)
    files = [path for path in tree.rglob("*") if path.is_file() and not path.is_symlink()]
    kib = sum(-(-path.stat().st_size // 1024) for path in files)
    text = (DEPLOY / "debian" / "control.in").read_text(encoding="utf-8")
    for word, value in {"VERSION": version, "ARCHITECTURE": architecture, "KIB": str(kib)}.items():
        text = text.replace(f"@{word}@", value)
    (control / "control").write_text(text, encoding="utf-8")
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            runs = path.is_dir() or path.parent == tree / "opt/kanhu/bin" or path.name in _SCRIPTS
            path.chmod(0o755 if runs else 0o644)


def foreign_objects(tree: Path, *, elf: int) -> int:
    """Count the shared objects that are of another machine."""
    return sum(_machine_of(path) != elf for path in tree.rglob("*.so*") if path.is_file())


def _machine_of(file: Path) -> int | None:
    with file.open("rb") as opened:
        head = opened.read(20)
    return int.from_bytes(head[18:], "little") if head[:4] == b"\x7fELF" else None


def _package(
    architecture: Architecture, folder: Path, out: Path, measured: dict[str, Value], *, can_try: Container[str]
) -> Path:
    work = folder / architecture.debian
    fetched = work / "fetched"
    _say(f"fetching the wheels for {architecture.debian}")
    _fetch(architecture, fetched)
    built = [_build(architecture, work / turn, fetched) for turn in ("once", "again")]
    measured["unequal"] = int(measured["unequal"]) + (_sha256(built[0]) != _sha256(built[1]))
    unpacked = work / "unpacked"
    must_run("unpacking the package", ["dpkg-deb", "-x", str(built[0]), str(unpacked)])
    foreign = foreign_objects(unpacked, elf=architecture.elf)
    measured["foreign_objects"] = int(measured["foreign_objects"]) + foreign
    measured["largest_mib"] = max(float(measured["largest_mib"]), round(built[0].stat().st_size / 2**20, 1))
    if architecture.machine in can_try:
        measured["silent"] = int(measured["silent"]) + _silent(architecture, unpacked, work)
    else:
        _say(f"{architecture.debian} cannot be tried on this machine: only built, and its objects looked at")
    return Path(shutil.move(built[0], out / built[0].name))


def _fetch(architecture: Architecture, folder: Path) -> None:
    platforms = [f"--platform={name}_{architecture.machine}" for name in _PLATFORMS]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    target = [f"--python-version={PYTHON}", "--implementation=cp", *platforms, f"--dest={folder}"]
    must_run("fetching wheels", [*pip, *target, "-r", str(DEPLOY / "requirements.txt")])


def _build(architecture: Architecture, folder: Path, fetched: Path) -> Path:
    own, tree = folder / "wheels", folder / "tree"
    own.mkdir(parents=True)
    build_wheels(OWN_PARTS, own)
    version = next(own.glob("kanhu_gateway-*.whl")).name.split("-")[1]
    lay_out([*own.glob("*.whl"), *fetched.glob("*.whl")], tree, architecture=architecture.debian, version=version)
    package = folder / f"kanhu-gateway_{version}_{architecture.debian}.deb"
    _say(f"packing {package.name}")
    deb = ["dpkg-deb", "--root-owner-group", "--threads-max=1", "-Zxz", "-z3", "--build", str(tree), str(package)]
    must_run("packing", deb)
    return package


def _silent(architecture: Architecture, unpacked: Path, work: Path) -> int:
    """Count what does not answer."""
    if platform.machine() == architecture.machine:
        python = native(unpacked)
        check = ["pip", "--python", python[0], "check"]
        must_run("looking for what a part asks for and has not got", [sys.executable, "-m", *check])
    else:
        _say(f"fetching a Debian of {architecture.debian}")
        names = {"architecture": architecture.debian, "machine": architecture.machine, "python": PYTHON}
        python = emulated(unpacked, work, **names)
    _say("asking the gateway in it to answer")
    found = silent(python, unpacked, work)
    if found:
        _say(f"no answer: {', '.join(found)}")
    return len(found)


def _epoch() -> str:
    log = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    try:
        return subprocess.run(log, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return _NO_GIT_EPOCH


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _say(text: str) -> None:
    print(f"package: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
