"""Processes of a village: started together, watched, killed on purpose, and never left behind."""

import asyncio
import ctypes
import os
import re
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from kanhu.harness.errors import HarnessError, ProgramFailed

_PR_SET_PDEATHSIG = 1  # prctl(2): the kernel ends the child when whoever started it dies, however it dies
_STOP_PATIENCE_S = 15.0  # a gateway flushes its outbox and says goodbye; longer than that is a hang
_TAIL_LINES = 15
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)

_libc = ctypes.CDLL(None)


class ProcessDied(HarnessError):
    """A process ended that nobody had told to."""

    def __init__(self, name: str, code: int, log: Path) -> None:
        """Show the last lines that it wrote."""
        super().__init__(f"{name} ended with status {code}. {last_lines(log)}")
        self.name = name


def last_lines(log: Path) -> str:
    """What a process wrote last, to stand at the end of an error."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
    return "\n  ".join(["Its last lines:", *lines])


@dataclass(slots=True)
class Child:
    """One running or ended process."""

    name: str
    command: tuple[str, ...]
    log: Path
    process: asyncio.subprocess.Process
    expected_to_run: bool = True
    starts: int = 1


@dataclass(slots=True)
class Processes:
    """All of them, by name."""

    logs: Path
    environment: Mapping[str, str]
    children: dict[str, Child] = field(default_factory=dict)
    peak_kib: dict[str, int] = field(default_factory=dict)

    async def start(self, name: str, command: Sequence[str], *, stdin: int = asyncio.subprocess.DEVNULL) -> Child:
        """Start a process, or the same one again after it was killed."""
        log = self.logs / f"{name}.log"
        with log.open("ab") as output:
            try:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=stdin,
                    stdout=output,
                    stderr=output,
                    env=dict(self.environment),
                    start_new_session=True,  # Ctrl-C reaches the parent only, which then stops all in order
                    preexec_fn=_die_with_parent,
                )
            except OSError as error:
                raise ProgramFailed(f"starting {name}", f"{command[0]}: {error.strerror}") from error
        starts = self.children[name].starts + 1 if name in self.children else 1
        child = Child(name, tuple(command), log, process, starts=starts)
        self.children[name] = child
        return child

    async def restart(self, name: str) -> Child:
        """Start a killed process with the command it had."""
        return await self.start(name, self.children[name].command)

    async def kill(self, name: str) -> None:
        """SIGKILL: the process gets no chance to say or save anything."""
        child = self.children[name]
        child.expected_to_run = False
        self._note_peak(child)
        if child.process.returncode is None:
            child.process.send_signal(signal.SIGKILL)
        await child.process.wait()
        _end_group(child.process.pid)

    def pid(self, name: str) -> int:
        """Its process id; 0 where it does not run."""
        process = self.children[name].process
        return process.pid if process.returncode is None else 0

    async def stop(self, *names: str) -> None:
        """SIGTERM and wait; a process that does not stop in time is killed."""
        running = [self.children[name] for name in names if name in self.children]
        for child in running:
            child.expected_to_run = False
            self._note_peak(child)
            if child.process.returncode is None:
                child.process.send_signal(signal.SIGTERM)
        await asyncio.gather(*(self._wait(child) for child in running))

    async def stop_all(self) -> None:
        """Whatever still runs, newest first."""
        for name in reversed(self.children):
            await self.stop(name)

    def check(self) -> None:
        """Note the peak memory of all, and raise ProcessDied for one that ended by itself."""
        for child in self.children.values():
            code = child.process.returncode
            if code is None:
                self._note_peak(child)
            elif child.expected_to_run:
                child.expected_to_run = False
                raise ProcessDied(child.name, code, child.log)

    async def _wait(self, child: Child) -> None:
        try:
            await asyncio.wait_for(child.process.wait(), _STOP_PATIENCE_S)
        except TimeoutError:
            child.process.send_signal(signal.SIGKILL)
            await child.process.wait()
        _end_group(child.process.pid)

    def _note_peak(self, child: Child) -> None:
        try:
            status = Path(f"/proc/{child.process.pid}/status").read_text(encoding="ascii", errors="replace")
        except OSError:  # it has just ended
            return
        found = _PEAK.search(status)
        if found:
            self.peak_kib[child.name] = max(self.peak_kib.get(child.name, 0), int(found[1]))


def environment() -> dict[str, str]:
    """What children see: a plain UTF-8 world, and threads of numeric libraries kept to one."""
    return {**os.environ, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", "OPENBLAS_NUM_THREADS": "1"}


def _end_group(leader: int) -> None:
    """What an ended process has started itself and left behind; a number that lives again is somebody else's."""
    if not Path(f"/proc/{leader}").exists():
        with suppress(ProcessLookupError):
            os.killpg(leader, signal.SIGKILL)


def _die_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
