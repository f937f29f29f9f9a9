"""The first set-up: what it takes from the boot partition, what it leaves there, and what it never does."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.architecture.layout import ROOT

_SCRIPT = ROOT / "deploy/gateway/kanhu-gateway-setup"
_INVITATION = "kanhu-enrol://county.example.org:8884/home-03/secret\n"


class Box:
    """A machine of stand-ins: each program notes how it was called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.etc, self.boot, self.programs = folder / "etc", folder / "boot", folder / "bin"
        for made in (self.etc, self.boot, self.programs, folder / "data"):
            made.mkdir()
        self.program("id", "echo ${WHO:-0}")
        for name in ("systemd-sysusers", "systemctl"):
            self.program(name, f'echo "{name} $*" >> {folder}/calls')
        self.program("install", '[ "$1" = -d ] || cp "$7" "$8"; echo "install $*" >> ' + f"{folder}/calls")
        self.program("runuser", f'echo "runuser $*" >> {folder}/calls; shift 3; exec "$@"')
        self.program("kanhu-gateway", f'cat > {folder}/heard; exit "${{ENROLLED:-0}}"')
        text = _SCRIPT.read_text(encoding="utf-8")
        for there, here in {
            "etc=/etc/kanhu": f"etc={self.etc}",
            "data=/var/lib/kanhu": f"data={folder / 'data'}",
            "gateway=/opt/kanhu/bin/kanhu-gateway": f"gateway={self.programs / 'kanhu-gateway'}",
        }.items():
            assert there in text
            text = text.replace(there, here)
        self.script = folder / "setup"
        self.script.write_text(text, encoding="utf-8")

    def program(self, name: str, script: str) -> None:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def run(self, *arguments: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        around = {"PATH": f"{self.programs}:{os.environ['PATH']}", **environment}
        command = ["sh", str(self.script), *arguments]
        return subprocess.run(command, input=typed, env=around, capture_output=True, text=True, check=False, timeout=30)

    @property
    def calls(self) -> str:
        calls = self.folder / "calls"
        return calls.read_text(encoding="utf-8") if calls.exists() else ""

    @property
    def heard(self) -> str:
        heard = self.folder / "heard"
        return heard.read_text(encoding="utf-8") if heard.exists() else ""


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_everything_is_taken_from_the_boot_partition_and_nothing_secret_stays(box: Box) -> None:
    (box.boot / "gateway.toml").write_text("gateway", encoding="utf-8")
    (box.boot / "contacts.toml").write_text("contacts", encoding="utf-8")
    (box.boot / "invitation.txt").write_text(_INVITATION, encoding="utf-8")
    done = box.run(str(box.boot))
    assert (done.returncode, box.heard) == (0, _INVITATION)
    assert {path.name for path in box.etc.iterdir()} == {"gateway.toml", "contacts.toml"}
    assert list(box.boot.iterdir()) == []
    assert "-m 0400" in box.calls.partition("contacts.toml")[0].splitlines()[-1]
    assert box.calls.index("runuser") < box.calls.index("systemctl restart")
    assert "secret" not in box.calls + done.stdout + done.stderr, "an argument can be read by everybody"


def test_a_byte_order_mark_of_an_editor_does_no_harm(box: Box) -> None:
    (box.boot / "gateway.toml").write_text("gateway = 1\r\n", encoding="utf-8-sig", newline="")
    (box.boot / "invitation.txt").write_text(_INVITATION, encoding="utf-8-sig")
    assert box.run(str(box.boot)).returncode == 0
    assert (box.etc / "gateway.toml").read_bytes() == b"gateway = 1\r\n"
    assert box.heard == _INVITATION


def test_a_boot_partition_that_takes_no_writes_keeps_no_gateway_from_starting(box: Box) -> None:
    box.program("rm", f'case "$1" in {box.boot}/*) exit 1 ;; esac; exec /bin/rm "$@"')
    (box.boot / "gateway.toml").write_text("gateway", encoding="utf-8")
    done = box.run(str(box.boot))
    assert done.returncode == 0
    assert "cannot be removed" in done.stderr
    assert "systemctl restart" in box.calls
    (box.folder / "calls").unlink()
    assert box.run(str(box.boot)).returncode == 0
    assert "restart" not in box.calls, "the same settings once more change nothing"


def test_without_the_county_the_gateway_starts_and_the_invitation_waits(box: Box) -> None:
    (box.boot / "gateway.toml").write_text("gateway", encoding="utf-8")
    (box.boot / "invitation.txt").write_text(_INVITATION, encoding="utf-8")
    done = box.run(str(box.boot), ENROLLED="4")
    assert done.returncode == 4, "systemd tries again"
    assert (box.boot / "invitation.txt").exists()
    assert "systemctl enable kanhu-gateway.service" in box.calls
    assert "systemctl restart" in box.calls, "there are new settings"
    (box.folder / "calls").unlink()
    assert box.run(str(box.boot), ENROLLED="4").returncode == 4
    assert "systemctl start" in box.calls
    assert "restart" not in box.calls, "nobody is unwatched while the invitation is tried again"


def test_without_settings_nothing_starts(box: Box) -> None:
    (box.boot / "invitation.txt").write_text(_INVITATION, encoding="utf-8")
    done = box.run(str(box.boot))
    assert done.returncode == 1
    assert "copy /usr/share/doc/kanhu-gateway/gateway.toml" in done.stderr
    assert "systemctl" not in box.calls
    assert box.heard == ""


def test_a_person_may_type_the_invitation_or_leave_it_out(box: Box) -> None:
    (box.etc / "gateway.toml").write_text("gateway", encoding="utf-8")
    assert box.run(typed="\n").returncode == 0
    assert box.heard == ""
    assert box.run(typed=_INVITATION).returncode == 0
    assert box.heard == _INVITATION


def test_who_is_not_root_is_told(box: Box) -> None:
    done = box.run(WHO="1000")
    assert (done.returncode, box.calls) == (1, "")
    assert "sudo" in done.stderr
