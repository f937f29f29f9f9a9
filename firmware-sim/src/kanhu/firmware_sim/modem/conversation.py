"""What the modem says to what it is told: pure, with time passed in; nothing is read or written here."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from kanhu.firmware_sim.errors import UnitRefused
from kanhu.firmware_sim.modem.units import make_deliver, make_status_report, read_submit

_CTRL_Z, _ESCAPE = 0x1A, 0x1B
_PIN = re.compile(r'AT\+CPIN="(\d{4,8})"')
_SLOW_S = 4.0
_REPORT_S = 1.0
_NOISE = b'\r\nRING\r\n\r\n^RSSI:17\r\n\xff\xfe\x00\r\n+CMTI: "SM",3\r\n'
_MOST_BYTES = 4096


class Fault(StrEnum):
    """What can be wrong with modem, card or network."""

    NO_NETWORK = "no_network"
    SIM_MISSING = "sim_missing"
    SEND_ERROR = "send_error"
    LOST_REPORT = "lost_report"
    """The message arrives, and no report of it."""
    NOT_DELIVERED = "not_delivered"
    STORED_REPORT = "stored_report"
    """Reports are kept on the card and announced."""
    PLAIN_TEXT = "plain_text"
    """In text mode it gives what comes in as it is, whatever character set it was told."""
    GARBAGE = "garbage"
    """Lines that nobody asked for, and noise, between all others."""
    SLOW = "slow"
    SILENT = "silent"
    """It takes everything and says nothing."""
    SWALLOWED = "swallowed"
    """It sends the message and never says so."""
    UNPLUG = "unplug"
    """It loses its power as it is handed a message."""


@dataclass(frozen=True, slots=True)
class Said:
    """Bytes, and how long after now they leave."""

    data: bytes
    after_s: float = 0.0


@dataclass(slots=True)
class Conversation:
    """One modem from power-on; faults may change at any time."""

    tell: Callable[[dict[str, object]], None]
    now: Callable[[], datetime]
    faults: set[Fault] = field(default_factory=set)
    pin: str | None = None
    """What the card wants; None: nothing."""
    unplugged: bool = False
    _unlocked: bool = False
    _pin_tries: int = 3
    _echo: bool = True
    _text_mode: bool = False
    _reports: bool = False
    _told_length: int | None = None
    """A text is awaited: of so many octets in PDU mode, 0 in text mode."""
    _to: str = ""
    _reference: int = 0
    _stored: dict[int, bytes] = field(default_factory=dict)
    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[Said]:
        """What it answers to these bytes."""
        said: list[Said] = []
        for byte in data:
            said += self._byte(byte)
        if len(self._rest) > _MOST_BYTES:
            self._rest.clear()
        slower = _SLOW_S if Fault.SLOW in self.faults else 0.0
        return [] if Fault.SILENT in self.faults else [Said(one.data, one.after_s + slower) for one in said]

    def letter(self, sender: str, text: str) -> Said:
        """A message comes in for whoever is at the line."""
        if self._text_mode:
            at = self.now().strftime("%y/%m/%d,%H:%M:%S+00")
            said = [sender, text] if Fault.PLAIN_TEXT in self.faults else [_ucs2(sender), _ucs2(text)]
            return _line(f'+CMT: "{said[0]}",,"{at}"\r\n{said[1]}')[0]
        unit = make_deliver(sender, text, at=self.now())
        return _line(f"+CMT: ,{len(unit) - 1}\r\n{unit.hex().upper()}")[0]

    def _byte(self, byte: int) -> list[Said]:
        if byte == _ESCAPE:
            self._told_length = None
            self._rest.clear()
            return []
        if self._told_length is not None:
            if byte != _CTRL_Z:
                self._rest.append(byte)
                return []
            return self._text(self._taken())
        if byte not in b"\r\n":
            self._rest.append(byte)
            return []
        line = self._taken().decode("ascii", errors="replace").strip()
        if not line:
            return []
        echo = [Said(f"{line}\r".encode("ascii", errors="replace"))] if self._echo else []
        noise = [Said(_NOISE)] if Fault.GARBAGE in self.faults else []
        return [*echo, *noise, *self._command(line)]

    def _taken(self) -> bytes:
        taken = bytes(self._rest)
        self._rest.clear()
        return taken

    def _command(self, line: str) -> list[Said]:  # one line a command of the specification
        self.tell({"kind": "command", "said": "AT+CPIN=" if line.startswith("AT+CPIN=") else line})
        if line in {"AT", "AT+CMEE=1", 'AT+CSCS="UCS2"', "AT+CSMP=49,167,0,8"} or line.startswith("AT+CPMS="):
            return _ok()
        if line in {"ATE0", "ATE1"}:
            self._echo = line == "ATE1"
            return _ok()
        if Fault.SIM_MISSING in self.faults:
            return _line("+CME ERROR: 10")
        if line.startswith("AT+CPIN"):
            return self._card(line)
        if self._is_locked():
            return _line("+CME ERROR: 11")
        if line == "AT+CREG?":
            return [*_line(f"+CREG: 0,{2 if Fault.NO_NETWORK in self.faults else 1}"), *_ok()]
        if line in {"AT+CMGF=0", "AT+CMGF=1"}:
            self._text_mode = line == "AT+CMGF=1"
            return _ok()
        if line.startswith("AT+CNMI="):
            return self._choose_reports(line)
        if line.startswith("AT+CMGS="):
            return self._prompt(line.removeprefix("AT+CMGS="))
        return self._stored_report(line)

    def _is_locked(self) -> bool:
        return self.pin is not None and not self._unlocked

    def _card(self, line: str) -> list[Said]:
        if line == "AT+CPIN?":
            if self._pin_tries == 0:
                return [*_line("+CPIN: SIM PUK"), *_ok()]
            return [*_line("+CPIN: SIM PIN" if self._is_locked() else "+CPIN: READY"), *_ok()]
        given = _PIN.fullmatch(line)
        right = given is not None and self._pin_tries > 0 and given[1] == self.pin
        self.tell({"kind": "pin", "right": right})
        if right:
            self._unlocked, self._pin_tries = True, 3
            return _ok()
        self._pin_tries = max(0, self._pin_tries - 1)
        return _line("+CME ERROR: 16" if self._pin_tries else "+CME ERROR: 12")

    def _choose_reports(self, line: str) -> list[Said]:
        stored = line == "AT+CNMI=2,2,0,2,0"
        if stored is not (Fault.STORED_REPORT in self.faults):
            return _line("+CMS ERROR: 303")
        self._reports = True
        return _ok()

    def _prompt(self, told: str) -> list[Said]:
        if self._text_mode:
            to = re.fullmatch(r'"((?:[0-9A-F]{4})+)"', told)
            if to is None:
                return _line("+CMS ERROR: 305")
            self._told_length, self._to = 0, bytes.fromhex(to[1]).decode("utf-16-be")
        elif told.isdigit():
            self._told_length = int(told)
        else:
            return _line("+CMS ERROR: 304")
        return [Said(b"\r\n> ")]

    def _text(self, text: bytes) -> list[Said]:
        told_length, self._told_length = self._told_length or 0, None
        if Fault.UNPLUG in self.faults:
            self.unplugged = True
            return []
        if Fault.SEND_ERROR in self.faults:
            return _line("+CMS ERROR: 38")
        if Fault.NO_NETWORK in self.faults:
            return _line("+CMS ERROR: 331")
        try:
            number = self._taken_by_network(text, told_length)
        except (UnitRefused, ValueError, IndexError, KeyError) as error:
            self.tell({"kind": "refused", "why": str(error)})
            return _line("+CMS ERROR: 304")
        if Fault.SWALLOWED in self.faults:
            return []
        return [*_line(f"+CMGS: {self._reference}"), *_ok(), *self._report(number)]

    def _taken_by_network(self, text: bytes, told_length: int) -> str:
        reference = (self._reference + 1) & 0xFF
        message: dict[str, object] = {"kind": "sms", "reference": reference, "raw": text.decode("ascii")}
        if self._text_mode:
            number = self._to
            written = bytes.fromhex(text.decode("ascii")).decode("utf-16-be")
            if len(written) > 70:
                raise UnitRefused("more than 70 letters")
            message |= {"to": number, "text": written, "coding": "ucs2", "part": 1, "parts": 1, "group": 0}
        else:
            unit = read_submit(bytes.fromhex(text.decode("ascii")), told_length=told_length)
            number = unit.number
            message |= {
                "to": number,
                "text": unit.text,
                "coding": unit.coding,
                "part": unit.part,
                "parts": unit.parts,
                "group": unit.group,
                "wants_report": unit.wants_report,
                "validity": unit.validity,
            }
        self._reference = reference
        self.tell(message)
        return number

    def _report(self, number: str) -> list[Said]:
        if not self._reports or Fault.LOST_REPORT in self.faults:
            return []
        status = 0x46 if Fault.NOT_DELIVERED in self.faults else 0x00
        unit = make_status_report(number, reference=self._reference, status=status, at=self.now())
        if Fault.STORED_REPORT in self.faults:
            place = len(self._stored) + 1
            self._stored[place] = unit
            return _line(f'+CDSI: "SR",{place}', after_s=_REPORT_S)
        if self._text_mode:
            at = self.now().strftime("%y/%m/%d,%H:%M:%S+00")
            return _line(f'+CDS: 6,{self._reference},"{number}",145,"{at}","{at}",{status}', after_s=_REPORT_S)
        return _line(f"+CDS: {len(unit) - 1}\r\n{unit.hex().upper()}", after_s=_REPORT_S)

    def _stored_report(self, line: str) -> list[Said]:
        verb, _, place = line.partition("=")
        number = int(place) if place.isdigit() else 0
        if verb == "AT+CMGR" and number in self._stored:
            unit = self._stored[number]
            return [*_line(f"+CMGR: 0,,{len(unit) - 1}\r\n{unit.hex().upper()}"), *_ok()]
        if verb == "AT+CMGD":
            self._stored.pop(number, None)
            return _ok()
        return _line("ERROR")


def _ucs2(text: str) -> str:
    return text.encode("utf-16-be").hex().upper()


def _line(text: str, *, after_s: float = 0.0) -> list[Said]:
    return [Said(f"\r\n{text}\r\n".encode("ascii"), after_s)]


def _ok() -> list[Said]:
    return _line("OK")
