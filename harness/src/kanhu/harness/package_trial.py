"""Ask the gateway inside an unpacked Debian package to answer: on this machine, or under QEMU's user mode.

For another architecture a Debian 12 is put into a folder, as far as one Python needs it: by apt, from the sources of
this machine, with lists and folders of its own. Nothing is installed here, and no root is needed.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from kanhu.firmware_sim.serial_line import SerialLine
from kanhu.firmware_sim.wire import OximeterPacket, oximeter_packet
from kanhu.harness.apt import fetch
from kanhu.harness.wheels import must_run

__all__ = ["emulated", "native", "silent"]

_IMPORTS = "import kanhu.gateway.run, kanhu.gateway.enrol, bleak, dbus_fast, serial; print(kanhu.gateway.__file__)"
_ANSWERS_WITHIN_S = 300.0  # emulated and on a busy machine; natively it takes one
_LIVES = [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
_SAMPLE = "usr/share/doc/kanhu-gateway/gateway.toml"
_SAMPLE_PORT = "/dev/kanhu/usb-1-1.3-if00"
_PACKETS = oximeter_packet(OximeterPacket(spo2_percent=97, pulse_bpm=70)) * 60  # a second of them; ten are a reading
_ACCEPTED = "accepted.ndjson"
_LOOK_EVERY_S = 0.2


def native(root: Path) -> list[str]:
    """Command of the Python in a package that is unpacked in `root`."""
    python = root / "opt/kanhu/bin/python"
    if not python.exists():  # this machine keeps its Python elsewhere
        python.unlink()
        python.symlink_to(Path(sys.executable).resolve())
    return [str(python), "-I"]


def emulated(root: Path, work: Path, *, architecture: str, machine: str, python: str) -> list[str]:
    """The same for another architecture; puts what it needs of Debian beside the package.

    Raises:
        ProgramFailed: apt cannot fetch it.
    """
    wanted = [f"python{python}", "libstdc++6", "tzdata"]
    for package in fetch(wanted, work / "apt", architecture=architecture):
        must_run(f"unpacking {package.name}", ["dpkg-deb", "-x", str(package), str(root)])
    qemu = [f"qemu-{machine}-static", "-L", str(root), "-0", str(root / "opt/kanhu/bin/python")]
    return [*qemu, str(root / f"usr/bin/python{python}"), "-I"]


def silent(python: Sequence[str], root: Path, work: Path) -> list[str]:
    """Name what does not answer, with the package's own environment and no other."""
    program = [*python, str(root / "opt/kanhu/bin/kanhu-gateway")]
    settings = work / "gateway.toml"
    sample = (root / _SAMPLE).read_text(encoding="utf-8")
    sample = sample.replace("/var/lib/kanhu", str(work / "data")).replace(_SAMPLE_PORT, str(work / "oximeter"))
    settings.write_text(f'{sample}\n[journal]\npath = "{_ACCEPTED}"\n', encoding="utf-8")
    line = SerialLine(work / "oximeter")
    try:
        answers = {
            "imports": _said([*python, "-c", _IMPORTS]).startswith(str(root)),
            "help": "kanhu-gateway run" in _said([*program, "--help"]),
            **_runs([*program, "run", "--config", str(settings)], work, line),
            "doctor": _is_report(_said([*program, "doctor", "--json", "--config", str(settings)])),
        }
    finally:
        line.close()
    return [name for name, answered in answers.items() if not answered]


def _said(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_ANSWERS_WITHIN_S)
    print(done.stderr, end="", file=sys.stderr)
    return done.stdout


def _runs(command: Sequence[str], work: Path, line: SerialLine) -> dict[str, bool]:
    """Whether the gateway lives and ends as systemd asks, and accepts what an oximeter sends.

    It is asked for READY, for two beats of the watchdog, for one reading in its journal of what it has committed, and
    for an orderly end.
    """
    told = {"NOTIFY_SOCKET": str(work / "notify"), "WATCHDOG_USEC": "4000000"}
    accepted = work / "data" / _ACCEPTED
    lives = accepts = False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, (work / "log").open("wb") as log:
        systemd.bind(told["NOTIFY_SOCKET"])
        systemd.settimeout(1)
        with subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **told}) as process:
            try:
                lives = _words(process, systemd) == _LIVES
                if lives and _until(line.is_open, process):
                    accepts = _until(lambda: bool(line.write(_PACKETS)) and _has_line(accepted), process)
                process.send_signal(signal.SIGTERM)
                lives = process.wait(_ANSWERS_WITHIN_S) == 0 and lives
            except subprocess.TimeoutExpired:
                lives = False
            finally:
                process.kill()
    if not (lives and accepts):
        print((work / "log").read_text(encoding="utf-8", errors="replace"), end="", file=sys.stderr)
    return {"run": lives, "accept": accepts}


def _has_line(file: Path) -> bool:
    return file.exists() and b"\n" in file.read_bytes()


def _until(holds: Callable[[], bool], process: subprocess.Popen[bytes]) -> bool:
    """Whether something comes to hold while the gateway runs and has time."""
    deadline = time.monotonic() + _ANSWERS_WITHIN_S
    while not holds():
        if process.poll() is not None or time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_EVERY_S)
    return True


def _words(process: subprocess.Popen[bytes], systemd: socket.socket) -> list[bytes]:
    """What it says first, for as long as it runs and has time; what it said before it ended counts."""
    words: list[bytes] = []
    seconds = 0
    while len(words) < len(_LIVES) and seconds < _ANSWERS_WITHIN_S:
        runs = process.poll() is None
        try:
            words.append(systemd.recv(4096))
        except TimeoutError:
            if not runs:
                break
            seconds += 1
    return words


def _is_report(text: str) -> bool:
    try:
        return bool(json.loads(text)["checks"])
    except (ValueError, KeyError):
        return False
