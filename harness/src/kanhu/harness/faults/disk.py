"""Disks that are full, read-only or give errors, for one process at a time.

A `Disk` is a small file system in a mount name space of its own, which ends with it: a piece of memory (root, or a user
name space where the kernel allows one), or an ext4 image on a loop device (root). Programs are started on it with
`prefix` before their command; from here it is seen under `seen`. Where neither can be had, a process can still be
made to fail at writing: `fail_writes` sets its limit for file sizes to nothing.

The kernel lets nobody make a file system read-only while a file on it is open for writing, except the file system
itself, when it finds an error. So `read_only` is that error, made on an ext4 image, and it ends as it does in the
field: the process is ended, the image checked and mounted again.
"""

import asyncio
import os
import resource
import shutil
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Self

from kanhu.harness.faults.errors import CannotBeHad
from kanhu.harness.faults.play import Hit
from kanhu.harness.faults.schedule import Fault, Kind

__all__ = ["Disk", "DiskFaults", "Medium", "fail_writes", "let_write"]

_BALLAST = "ballast"
_MIB = 1024 * 1024
_READY = b"ready"
_LOOPS = Path("/sys/fs/ext4")
_HARDLY = 4096  # bytes: what fallocate leaves is taken in small pieces


class Medium(StrEnum):
    """What a disk is made of."""

    MEMORY = "memory"
    IMAGE = "image"


class Disk:
    """Mounted while entered, at `folder`, for those started with `prefix`."""

    def __init__(self, folder: Path, *, mib: int, medium: Medium = Medium.MEMORY) -> None:
        """`folder` is made and stays empty for all others."""
        self.folder = folder
        self._mib = mib
        self._medium = medium
        self._as_root = os.geteuid() == 0
        self._holder: asyncio.subprocess.Process | None = None
        self._image = folder.with_name(f"{folder.name}.img")

    async def __aenter__(self) -> Self:
        """Make and mount it.

        Raises:
            CannotBeHad: this machine or this user cannot.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._medium is Medium.IMAGE:
            await self._make_image()
        spaces = ["--mount"] if self._as_root else ["--mount", "--user", "--map-root-user"]
        command = f"{self._mount_command()} && echo ready && exec cat"  # cat ends with its standard input: with us
        holder = await self._start("unshare", *spaces, "sh", "-c", command, stdin=asyncio.subprocess.PIPE)
        self._holder = holder
        said = await holder.stdout.readline() if holder.stdout is not None else b""
        if said.strip() != _READY:
            await self.__aexit__()
            why = said.decode(errors="replace").strip() or "the mount name space ended"
            raise CannotBeHad(f"a disk of {self._medium.value}", why)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let it go; whoever still runs on it keeps it until then."""
        if self._holder is not None:
            with suppress(ProcessLookupError):
                self._holder.kill()
            await self._holder.wait()

    @property
    def prefix(self) -> tuple[str, ...]:
        """What to put before a command so that it sees this disk."""
        user = () if self._as_root else ("--user", "--preserve-credentials")
        return ("nsenter", "--target", str(self._pid), "--mount", *user, "--")

    @property
    def seen(self) -> Path:
        """The same folder as seen from here."""
        return Path("/proc") / str(self._pid) / "root" / self.folder.absolute().relative_to("/")

    def fill(self) -> None:
        """Leave no room at all."""
        told = os.statvfs(self.seen)
        with (self.seen / _BALLAST).open("wb", buffering=0) as ballast:
            with suppress(OSError):
                os.posix_fallocate(ballast.fileno(), 0, max(1, told.f_bavail * told.f_frsize))
            ballast.seek(0, os.SEEK_END)
            with suppress(OSError):  # full, which is what is wanted
                while True:
                    ballast.write(bytes(_HARDLY))

    def empty(self) -> None:
        """Give the room back."""
        (self.seen / _BALLAST).unlink(missing_ok=True)

    async def spoil(self) -> None:
        """Let the file system find an error, and make itself read-only.

        Raises:
            CannotBeHad: only an ext4 image can do that.
        """
        loop = await self._loop_device()
        try:
            (_LOOPS / loop / "trigger_fs_error").write_text("1", encoding="ascii")
        except OSError as error:
            raise CannotBeHad("read_only", f"this kernel's ext4 cannot be told to fail ({error.strerror})") from error

    async def mend(self) -> None:
        """Check the image and mount it again; no process may be on it."""
        script = f"umount {self.folder} && {{ e2fsck -fy {self._image} >/dev/null; {self._mount_command()}; }}"
        await self._inside("sh", "-c", script)

    @property
    def _pid(self) -> int:
        if self._holder is None:
            raise CannotBeHad("a disk", "it is not mounted")
        return self._holder.pid

    def _mount_command(self) -> str:
        if self._medium is Medium.MEMORY:
            return f"mount -t tmpfs -o size={self._mib}m,mode=0777 kanhu {self.folder} 2>&1"
        return f"mount -o loop,errors=remount-ro {self._image} {self.folder} 2>&1"

    async def _make_image(self) -> None:
        if not self._as_root or shutil.which("mkfs.ext4") is None:
            wanted = "needs root, a loop device and mkfs.ext4 (e2fsprogs) on the PATH; Debian has it in /usr/sbin"
            raise CannotBeHad("an ext4 image", wanted)
        with self._image.open("wb") as image:
            image.truncate(self._mib * _MIB)
        made = await self._start("mkfs.ext4", "-q", "-F", str(self._image))
        said, _ = await made.communicate()
        if made.returncode != 0:
            raise CannotBeHad("an ext4 image", said.decode(errors="replace").strip())

    async def _loop_device(self) -> str:
        if self._medium is not Medium.IMAGE:
            raise CannotBeHad("read_only", "a disk of memory cannot fail while files are open; use an image")
        return Path(await self._inside("findmnt", "-n", "-o", "SOURCE", str(self.folder))).name

    async def _inside(self, *command: str) -> str:
        asked = await self._start(*self.prefix, *command)
        said, _ = await asked.communicate()
        text = said.decode(errors="replace").strip()
        if asked.returncode != 0:
            raise CannotBeHad(" ".join(command), text)
        return text

    @staticmethod
    async def _start(*command: str, stdin: int = asyncio.subprocess.DEVNULL) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                *command, stdin=stdin, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
        except OSError as error:
            raise CannotBeHad(command[0], str(error)) from error


class DiskFaults:
    """Breaks the disks of processes by name; without a `Disk` only io_error can be had."""

    def __init__(self, disks: dict[str, Disk], *, pid: Callable[[str], int]) -> None:
        """`pid` tells which process writes to the disk of that name; 0 where none does."""
        self._disks = disks
        self._pid = pid
        self._full: dict[str, int] = {}

    async def begin(self, fault: Fault) -> Hit:
        """Fill it, spoil it, or let its process fail at writing.

        Raises:
            CannotBeHad: there is no such disk here.
        """
        name = fault.target.name
        if fault.kind is Kind.IO_ERROR:
            pid = self._pid(name)
            if not pid:
                return Hit.ALREADY_DOWN
            fail_writes(pid)
            return Hit.HIT
        disk = self._disk(fault)
        if fault.kind is Kind.READ_ONLY:
            await disk.spoil()
            return Hit.HIT
        self._full[name] = self._full.get(name, 0) + 1
        disk.fill()
        return Hit.HIT

    async def end(self, fault: Fault) -> None:
        """Make room, or let it write; a read-only image is mended once its process has ended, by `Disk.mend`."""
        name = fault.target.name
        if fault.kind is Kind.IO_ERROR:
            let_write(self._pid(name))
        elif fault.kind is Kind.FULL:
            self._full[name] -= 1
            if not self._full[name]:
                self._disk(fault).empty()

    def _disk(self, fault: Fault) -> Disk:
        if fault.target.name not in self._disks:
            raise CannotBeHad(str(fault), "this run gave it no disk of its own")
        return self._disks[fault.target.name]


def fail_writes(pid: int) -> None:
    """Let every write of this process to a file fail from now on; pipes and sockets go on."""
    _limit(pid, 0)


def let_write(pid: int) -> None:
    """Let it write again; nothing happens where it has ended."""
    _limit(pid, resource.RLIM_INFINITY)


def _limit(pid: int, soft: int) -> None:
    with suppress(ProcessLookupError):
        if pid:
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (min(soft, hard) if hard >= 0 else soft, hard))
