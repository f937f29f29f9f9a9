"""A virtual machine under QEMU without KVM, whose second serial port carries lines of JSON to us."""

import asyncio
import json
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kanhu.harness.errors import ProgramFailed
from kanhu.harness.faults import CannotBeHad
from kanhu.harness.prove.bluez.debian import Debian, modules_in_order

__all__ = ["archive", "boot", "command", "initramfs", "qemu", "version_of"]

QEMU = "qemu-system-x86_64"
_MEMORY_MIB = 768
_CORES = 2
_INIT = Path(__file__).with_name("init.sh")
_LAST_LINES = 30
_LIBRARIES = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu")
# The first group mounts this machine's files. The second is Bluetooth; SMP asks for AES-CMAC and ECDH, ECDH for random
# numbers, and bluetoothd for AF_ALG. Without them the kernel pairs nobody, and says so only in its log.
_MODULES = (
    "virtio_pci", "9pnet_virtio", "9p", "virtio_rng",
    "hmac", "sha3_generic", "sha256_generic", "sha512_generic", "jitterentropy_rng", "aes_generic", "ctr", "drbg",
    "ecb", "cmac", "ccm", "ecdh_generic", "algif_hash", "algif_skcipher", "crc16", "bluetooth", "hci_vhci", "uhid",
)  # fmt: skip  # words by rows


def qemu() -> str:
    """Path of the program.

    Raises:
        CannotBeHad: there is none, or what runs here would not run there.
    """
    if platform.machine() != "x86_64":
        raise CannotBeHad("a virtual machine", f"it is an x86-64, and this Python is for {platform.machine()}")
    found = shutil.which(QEMU)
    if found is None:
        raise CannotBeHad("a virtual machine", f"{QEMU} not found (apt-get install qemu-system-x86)")
    return found


def version_of(program: str) -> str:
    """What the program says that it is."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return said.partition("version ")[2].partition(" ")[0]


def command(program: str, debian: Debian, ramdisk: Path, console: Path) -> list[str]:
    """How it is started: kernel messages go to a file, the second serial port to standard output."""
    return [
        program,
        *("-machine", "pc", "-accel", "tcg", "-cpu", "max", "-smp", str(_CORES), "-m", str(_MEMORY_MIB)),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-kernel", str(debian.kernel), "-initrd", str(ramdisk)),
        *("-append", "console=ttyS0 panic=-1 random.trust_cpu=on"),
        *("-serial", f"file:{console}", "-chardev", "stdio,id=lines,signal=off", "-serial", "chardev:lines"),
        *("-virtfs", "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap"),
        *("-device", "virtio-rng-pci"),
    ]


def initramfs(debian: Debian, arguments: Sequence[str]) -> bytes:
    """Its first file system: a shell, the kernel's modules in their order, and the first program."""
    words = {
        "DEBIAN": str(debian.root),
        "LIBRARIES": ":".join(str(debian.root / folder) for folder in _LIBRARIES),
        "PYTHON": sys.executable,
        "ARGUMENTS": shlex.join(arguments),
    }
    script = _INIT.read_text(encoding="utf-8")
    for name, value in words.items():
        script = script.replace(f"@{name}@", value)
    modules = modules_in_order(debian.modules, _MODULES)
    files = {"init": script.encode(), "busybox": (debian.root / "bin/busybox").read_bytes()}
    files |= {f"modules/{place:03}-{name}.ko": module for place, (name, module) in enumerate(modules.items())}
    return archive(files)


def archive(files: Mapping[str, bytes]) -> bytes:
    """These files as a cpio archive of the kind `newc`, which the kernel unpacks; each may be executed."""
    folders = {str(parent): b"" for name in files for parent in Path(name).parents if str(parent) != "."}
    entries = [(name, 0o040755, b"") for name in sorted(folders)]
    entries += [(name, 0o100755, content) for name, content in files.items()]
    return b"".join(_entries(entries))


async def boot(
    debian: Debian, folder: Path, arguments: Sequence[str], *, within_s: float
) -> AsyncGenerator[dict[str, Any], None]:
    """Start it, and give what it says until it is off; files of the run go into the folder.

    Raises:
        ProgramFailed: it ended otherwise than by switching itself off, or took too long.
    """
    ramdisk, console = folder / "initramfs", folder / "console"
    ramdisk.write_bytes(await asyncio.to_thread(initramfs, debian, arguments))
    process = await asyncio.create_subprocess_exec(
        *command(qemu(), debian, ramdisk, console),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    said: list[str] = []
    try:
        async with asyncio.timeout(within_s):
            async for line in _lines(process):
                text = line.decode("utf-8", "replace").strip()
                try:
                    yield json.loads(text)
                except ValueError:
                    said.append(text)
            code = await process.wait()
    except TimeoutError:
        raise ProgramFailed("the virtual machine", f"not off after {within_s:.0f} s\n{_last(console, said)}") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code != 0:
        raise ProgramFailed("the virtual machine", f"QEMU ended with {code}\n{_last(console, said)}")


async def _lines(process: asyncio.subprocess.Process) -> AsyncIterator[bytes]:
    if process.stdout is not None:
        async for line in process.stdout:
            yield line


def _last(console: Path, said: Iterable[str]) -> str:
    lines = console.read_text(encoding="utf-8", errors="replace").splitlines() if console.exists() else []
    return "\n".join([*lines[-_LAST_LINES:], *said])


def _entries(entries: Sequence[tuple[str, int, bytes]]) -> Iterator[bytes]:
    for number, (name, mode, content) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        path = name.encode() + b"\0"
        links = 2 if mode & 0o040000 else 1
        fields = (number, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(path), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields) + path
        yield header + bytes(-len(header) % 4) + content + bytes(-len(content) % 4)
