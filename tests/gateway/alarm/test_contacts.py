"""Telephone numbers: read from a file that nobody else may read, and never shown again."""

from pathlib import Path

import pytest

from kanhu.gateway import ConfigRefused
from kanhu.gateway.alarm.contacts import Role, load_contacts
from kanhu.gateway.cli import main

NUMBER = "+8613912345678"
GOOD = f"""
pin = "4711"
[[contact]]
role = "village_doctor"
number = "{NUMBER}"
home = "东头"
[[contact]]
role = "family"
resident = "r-0003"
number = "13900000002"
"""


def write(folder: Path, text: str, *, mode: int = 0o600) -> Path:
    file = folder / "contacts.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    contacts = load_contacts(write(tmp_path, GOOD))
    assert [contact.role for contact in contacts.contact] == [Role.VILLAGE_DOCTOR, Role.FAMILY]
    assert contacts.contact[0].number == NUMBER
    assert contacts.pin == "4711"


def test_nothing_that_is_printed_shows_a_number_or_a_pin(tmp_path: Path) -> None:
    contacts = load_contacts(write(tmp_path, GOOD, mode=0o400))
    shown = f"{contacts} {contacts!r} {contacts.contact} {contacts.contact[0]!r}"
    assert NUMBER not in shown
    assert "4711" not in shown


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigRefused, match="chmod 0600"):
        load_contacts(write(tmp_path, GOOD, mode=mode))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ((NUMBER, "+86 139 1234 5678"), "contact[0].number"),
        ((NUMBER, "12"), "contact[0].number"),
        (('"4711"', '"secret-4711"'), "pin"),
        (("东头", "东" * 21), "contact[0].home"),
        (("village_doctor", "neighbour"), "contact"),
        (("number = ", "telephone = "), "contact"),
        (("role =", "role"), "file"),
        ((GOOD, ""), "contact"),
        (('role = "family"\nresident = "r-0003"', 'role = "village_doctor"'), "contact[1]"),
    ],
)
def test_a_fault_is_named_without_what_stands_there(tmp_path: Path, change: tuple[str, str], key: str) -> None:
    file = write(tmp_path, GOOD.replace(*change))
    with pytest.raises(ConfigRefused) as refused:
        load_contacts(file)
    assert refused.value.key == key
    assert refused.value.remedy
    for secret in (NUMBER, NUMBER[3:], "4711", "139", "secret"):
        assert secret not in str(refused.value)


def test_a_gateway_does_not_start_with_contacts_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contacts = write(tmp_path, GOOD, mode=0o644)
    file = tmp_path / "gateway.toml"
    file.write_text(
        'gateway = "home-03"\ndata = "data"\ntimezone = "Asia/Shanghai"\n[alarm]\nmodem_port = "/dev/null"\n'
        f'contacts = "{contacts}"\n',
        encoding="utf-8",
    )
    assert main(["run", "--config", str(file)]) == 2
    said = capsys.readouterr().err
    assert "chmod 0600" in said
    assert NUMBER not in said
