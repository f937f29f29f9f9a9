"""The simulated modem answers as the specifications say, and each fault does what its name says."""

from datetime import UTC, datetime

import pytest

from kanhu.firmware_sim.errors import UnitRefused
from kanhu.firmware_sim.modem.conversation import Conversation, Fault
from kanhu.firmware_sim.modem.units import make_status_report, read_submit

# The worked example of "SMS messages and the PDU format" (turbocontrol.com), repeated in many libraries.
SUBMIT = bytes.fromhex("0011000B916407281553F80000AA0AE8329BFD4697D9EC37")
NOW = datetime(2026, 3, 2, 22, 10, 30, tzinfo=UTC)


class Talk:
    """One modem, and all that it wrote down."""

    def __init__(self, *faults: Fault, pin: str | None = None) -> None:
        self.events: list[dict[str, object]] = []
        self.modem = Conversation(tell=self.events.append, now=lambda: NOW, faults=set(faults), pin=pin)
        self.say("ATE0")

    def say(self, line: str, *, end: str = "\r") -> str:
        """Return everything it answers, late or not."""
        return b"".join(said.data for said in self.modem.feed((line + end).encode("ascii"))).decode("latin-1")

    def submit(self) -> str:
        """Hand the published unit over."""
        assert self.say(f"AT+CMGS={len(SUBMIT) - 1}") == "\r\n> "
        return self.say(SUBMIT.hex().upper(), end="\x1a")


def test_the_published_unit_is_read() -> None:
    unit = read_submit(SUBMIT, told_length=len(SUBMIT) - 1)
    assert (unit.number, unit.text, unit.coding) == ("+46708251358", "hellohello", "gsm7")
    assert (unit.wants_report, unit.validity, unit.parts) == (False, 0xAA, 1)


@pytest.mark.parametrize(
    ("unit", "length"),
    [(SUBMIT, 22), (SUBMIT[:-1], 22), (SUBMIT + b"\0", 24), (bytes.fromhex("000400"), 2), (b"", 0)],
)
def test_a_unit_that_is_not_exact_is_refused(unit: bytes, length: int) -> None:
    with pytest.raises((UnitRefused, IndexError)):
        read_submit(unit, told_length=length)


def test_a_report_is_laid_out_as_the_specification_says() -> None:
    unit = make_status_report("+8613912345678", reference=7, status=0, at=NOW)
    assert unit.hex().upper() == "0006070D91683119325476F8" + "62302022010300" * 2 + "00"


def test_a_message_is_taken_numbered_and_reported() -> None:
    talk = Talk()
    assert talk.say("AT+CNMI=2,2,0,1,0") == "\r\nOK\r\n"
    said = talk.submit()
    assert said.startswith("\r\n+CMGS: 1\r\n\r\nOK\r\n\r\n+CDS: ")
    assert talk.events[-1]["text"] == "hellohello"


def test_echo_is_on_until_it_is_switched_off() -> None:
    modem = Conversation(tell=lambda _: None, now=lambda: NOW)
    assert [said.data for said in modem.feed(b"AT\r")] == [b"AT\r", b"\r\nOK\r\n"]


def test_three_wrong_pins_block_the_card_and_the_log_has_none_of_them() -> None:
    talk = Talk(pin="4711")
    assert "SIM PIN" in talk.say("AT+CPIN?")
    assert talk.say("AT+CREG?") == "\r\n+CME ERROR: 11\r\n"
    answers = [talk.say('AT+CPIN="1234"') for _ in range(3)]
    assert answers == ["\r\n+CME ERROR: 16\r\n"] * 2 + ["\r\n+CME ERROR: 12\r\n"]
    assert "SIM PUK" in talk.say("AT+CPIN?")
    assert "+CME" in talk.say('AT+CPIN="4711"')
    assert "1234" not in str(talk.events)


@pytest.mark.parametrize(
    ("fault", "command", "answer"),
    [
        (Fault.SIM_MISSING, "AT+CPIN?", "+CME ERROR: 10"),
        (Fault.NO_NETWORK, "AT+CREG?", "+CREG: 0,2"),
        (Fault.GARBAGE, "AT", "RING"),
        (Fault.STORED_REPORT, "AT+CNMI=2,2,0,1,0", "+CMS ERROR: 303"),
    ],
)
def test_a_fault_shows_where_its_name_says(fault: Fault, command: str, answer: str) -> None:
    assert answer in Talk(fault).say(command)


def test_faults_of_sending() -> None:
    assert "+CMS ERROR: 38" in Talk(Fault.SEND_ERROR).submit()
    swallowed = Talk(Fault.SWALLOWED)
    assert swallowed.submit() == ""
    assert swallowed.events[-1]["kind"] == "sms"
    unplugged = Talk(Fault.UNPLUG)
    assert unplugged.submit() == ""
    assert unplugged.modem.unplugged
    assert Talk(Fault.SILENT).say("AT") == ""
    assert min(said.after_s for said in Talk(Fault.SLOW).modem.feed(b"AT\r")) >= 1


def test_escape_leaves_the_prompt() -> None:
    talk = Talk()
    talk.say("AT+CMGS=23")
    assert talk.say("\x1b", end="") == ""
    assert talk.say("AT") == "\r\nOK\r\n"
