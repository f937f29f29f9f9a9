"""Sends short messages through a modem on a serial port, and hears what became of them.

    closed ─▶ greeted ─▶ card ready ─▶ registered ─▶ mode set ─▶ message … ─▶ (held open while an alarm runs)
       ▲         silent ─┘   pin refused / missing ─┘  no network ─┘   refused ─┘
       └─ unplugged or silent: closed, and opened anew by the next attempt

Hard cases: lines come unasked between those of an answer; a modem that has taken a text and then says nothing may have
sent it, which nobody can know; a PIN is written down as tried before it is tried, so that a wrong one is given to the
card once and never again until somebody has changed the file.
"""

import asyncio
import os
import termios
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import serial

from kanhu.contract import Clock
from kanhu.gateway.alarm import answers
from kanhu.gateway.alarm.answers import PROMPT, Final, Lines
from kanhu.gateway.alarm.errors import ModemError, ModemReason, PduRefused
from kanhu.gateway.alarm.pdu import Deliver, Delivery, StatusReport, decode_incoming, encode_submit, numbered_parts
from kanhu.gateway.alarm.settings import ModemMode

_ANSWER_S = 5.0
_GREETINGS = 3
_SETTLE_S = _ANSWER_S  # as far apart as two greetings are, so are their answers
_CARD_S = 20.0  # a card that was just unlocked needs some seconds before it answers
_REGISTER_S = 30.0  # finding the network after power-on; longer than that and the ladder tries again
_ASK_AGAIN_S = 1.0
_PROMPT_S = 10.0
_SEND_S = 60.0  # the longest a network takes for one part, as modem manuals give it
_READ_BYTES = 4096
_MOST_LINES = 64
_MOST_REPORTS = 64
_ESCAPE, _END = b"\x1b", b"\x1a"
_CME_NO_SIM = frozenset({10, 13, 15})
_CME_BUSY = frozenset({14})
_CMS_NO_SIM = frozenset({310, 313})
_CMS_NO_NETWORK = frozenset({331, 332, 512})

_Answer = TypeVar("_Answer")


class PinMemory(Protocol):
    """Remembers over restarts that a PIN was tried."""

    async def may_try(self) -> bool:
        """Whether this PIN was never tried without success; notes that it is being tried."""

    async def accepted(self) -> None:
        """The card took it."""


@dataclass(slots=True)
class _Exchange:
    """One command under way."""

    done: asyncio.Future[Final | None]
    wants_prompt: bool
    lines: list[str] = field(default_factory=list)


class Modem:
    """One modem; opened by the first message, closed by `close`."""

    def __init__(  # its parts are settings of their own
        self,
        port: str,
        *,
        baud: int,
        mode: ModemMode,
        clock: Clock,
        pin: str | None = None,
        memory: PinMemory | None = None,
    ) -> None:
        """Open nothing yet."""
        self._path = port
        self._baud = baud
        self._mode = mode
        self._clock = clock
        self._pin = pin
        self._memory = memory
        self._lock = asyncio.Lock()
        self._port: Any = None
        self._lines = Lines()
        self._exchange: _Exchange | None = None
        self._payload_of = ""
        self._stored: list[tuple[str, int]] = []
        self._reports: dict[int, bool] = {}
        self._letters: list[Deliver] = []
        self._message = 0

    async def send(self, number: str, text: str) -> tuple[int, ...]:
        """Send a message in as many parts as it needs; returns the references of those that will be reported.

        Raises:
            ModemError: it did not leave, or not in whole.
        """
        async with self._lock:
            try:
                await self._ready()
                return await self._send(number, text)
            except ModemError as error:
                if error.reason in {ModemReason.UNPLUGGED, ModemReason.SILENT}:
                    self._close()
                raise
            except BaseException:
                self._close()  # a command that was cut off would be answered into the next one
                raise

    async def check(self) -> None:
        """Everything but a message.

        Raises:
            ModemError: no message could leave now.
        """
        async with self._lock:
            try:
                await self._ready()
            except BaseException:
                self._close()
                raise

    async def reports(self) -> dict[int, bool]:
        """Delivery reports that came since: whether delivered, by reference."""
        if self._stored and self._port is not None:
            async with self._lock:
                with suppress(ModemError):
                    await self._read_stored()
        found, self._reports = self._reports, {}
        return found

    def letters(self) -> list[Deliver]:
        """Messages that came in since."""
        found, self._letters = self._letters, []
        return found

    async def close(self) -> None:
        """Let go of the port."""
        async with self._lock:
            self._close()

    # ----------------------------------------------------------------------------------------- way up

    async def _ready(self) -> None:
        if self._port is None:
            self._open()
            await self._greet()
            await self._settle("ATE0")
            await self._settle("AT+CMEE=1")
            await self._unlock()
            await self._register()
            await self._choose_mode()
            return
        await self._register()

    def _open(self) -> None:
        try:
            port = serial.Serial(self._path, self._baud, timeout=0, write_timeout=0, exclusive=True)
        except (OSError, ValueError, termios.error) as error:  # pyserial's own error is an OSError
            raise ModemError(ModemReason.UNPLUGGED, "cannot be opened") from error
        self._port = port
        self._lines = Lines()
        self._payload_of = ""
        asyncio.get_running_loop().add_reader(port.fileno(), self._readable)

    def _close(self) -> None:
        if self._port is None:
            return
        with suppress(OSError, ValueError):
            asyncio.get_running_loop().remove_reader(self._port.fileno())
        with suppress(OSError):
            self._port.close()
        self._port = None

    async def _greet(self) -> None:
        self._write(_ESCAPE)  # a prompt may have been left open by whoever was cut off
        for tried in range(_GREETINGS):
            try:
                await self._command("AT")
            except ModemError as error:
                if error.reason is not ModemReason.SILENT or tried + 1 == _GREETINGS:
                    raise
                continue
            if tried:  # answers to the earlier ones may still come, and must not be taken for those to later commands
                await self._clock.sleep(_SETTLE_S)
            return

    async def _unlock(self) -> None:
        async def state() -> str | None:
            final, lines = await self._command("AT+CPIN?")
            if final.code in _CME_NO_SIM:
                raise ModemError(ModemReason.SIM_MISSING, final.named())
            said = answers.after_prefix(lines, "+CPIN:")
            return None if said is None or final.code in _CME_BUSY else said

        said = await self._until(state, within_s=_CARD_S, otherwise=ModemReason.SIM_MISSING)
        if said == "SIM PIN":
            await self._give_pin()
            return
        if said != "READY":
            raise ModemError(ModemReason.PUK_NEEDED if "PUK" in said else ModemReason.SIM_MISSING)

    async def _give_pin(self) -> None:
        if self._pin is None or self._memory is None:
            raise ModemError(ModemReason.PIN_MISSING)
        if not await self._memory.may_try():
            raise ModemError(ModemReason.PIN_REFUSED, "tried before")
        final, _ = await self._command(f'AT+CPIN="{self._pin}"', within_s=_CARD_S)
        if not final.ok:
            raise ModemError(ModemReason.PIN_REFUSED, final.named())
        await self._memory.accepted()

    async def _register(self) -> None:
        async def state() -> int | None:
            final, lines = await self._command("AT+CREG?")
            found = answers.registration(lines) if final.ok else None
            if found == 3:
                raise ModemError(ModemReason.REGISTRATION_DENIED)
            return found if answers.is_registered(found) else None

        await self._until(state, within_s=_REGISTER_S, otherwise=ModemReason.NO_NETWORK)

    async def _choose_mode(self) -> None:
        if self._mode is ModemMode.TEXT:
            await self._settle("AT+CMGF=1")
            await self._settle('AT+CSCS="UCS2"')
            await self._settle("AT+CSMP=49,167,0,8")  # submit, report wanted, valid for a day, UCS-2
        else:
            await self._settle("AT+CMGF=0")
        # Reports and messages at once, or reports stored and announced, or as little as the modem can.
        for command in ("AT+CNMI=2,2,0,1,0", "AT+CNMI=2,2,0,2,0", "AT+CNMI=2,0,0,1,0"):
            final, _ = await self._command(command)
            if final.ok:
                return

    async def _settle(self, command: str) -> None:
        final, _ = await self._command(command)
        if not final.ok:
            raise ModemError(ModemReason.COMMAND_REFUSED, command[2:7].strip("+").lower())

    async def _until(
        self, ask: Callable[[], Awaitable[_Answer | None]], *, within_s: float, otherwise: ModemReason
    ) -> _Answer:
        ends_ns = self._clock.mono_ns() + round(within_s * 1e9)
        while True:
            found = await ask()
            if found is not None:
                return found
            if self._clock.mono_ns() >= ends_ns:
                raise ModemError(otherwise)
            await self._clock.sleep(_ASK_AGAIN_S)

    # ---------------------------------------------------------------------------------------- message

    async def _send(self, number: str, text: str) -> tuple[int, ...]:
        self._message = (self._message + 1) & 0xFF
        try:
            if self._mode is ModemMode.TEXT:
                to = _hexed(number)
                sent = [(f'AT+CMGS="{to}"', _hexed(part).encode("ascii")) for part in numbered_parts(text)]
            else:
                units = encode_submit(number, text, reference=self._message)
                sent = [(f"AT+CMGS={unit.length}", unit.unit.hex().upper().encode("ascii")) for unit in units]
        except PduRefused as error:
            raise ModemError(ModemReason.TEXT_REFUSED) from error
        references = [await self._submit(command, body) for command, body in sent]
        return tuple(reference for reference in references if reference is not None)

    async def _submit(self, command: str, body: bytes) -> int | None:
        refusal, _ = await self._exchange_until(command.encode("ascii") + b"\r", within_s=_PROMPT_S, wants_prompt=True)
        if refusal is not None:
            raise _refused(refusal)
        final, lines = await self._exchange_until(body + _END, within_s=_SEND_S)
        if final is None or not final.ok:
            raise _refused(final or Final(ok=False))
        return answers.reference_of(lines)

    async def _read_stored(self) -> None:
        stored, self._stored = self._stored, []
        for memory, place in stored:
            await self._command(f'AT+CPMS="{memory}"')
            _, lines = await self._command(f"AT+CMGR={place}")
            for number, line in enumerate(lines):
                if line.startswith("+CMGR:"):
                    text = self._mode is ModemMode.TEXT
                    self._heard_report(line if text else "".join(lines[number + 1 : number + 2]))
            await self._command(f"AT+CMGD={place}")

    # ------------------------------------------------------------------------------------------ lines

    async def _command(self, command: str, *, within_s: float | None = None) -> tuple[Final, list[str]]:
        final, lines = await self._exchange_until(command.encode("ascii") + b"\r", within_s=within_s or _ANSWER_S)
        return final or Final(ok=False), lines

    async def _exchange_until(
        self, said: bytes, *, within_s: float, wants_prompt: bool = False
    ) -> tuple[Final | None, list[str]]:
        """Say something and wait for the end of the answer; None where the prompt came instead."""
        if self._port is None:
            raise ModemError(ModemReason.UNPLUGGED)
        exchange = _Exchange(asyncio.get_running_loop().create_future(), wants_prompt)
        self._exchange = exchange
        try:
            self._write(said)
            async with asyncio.timeout(within_s):
                return await exchange.done, exchange.lines
        except TimeoutError as error:
            raise ModemError(ModemReason.SILENT) from error
        finally:
            self._exchange = None

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self._port.fileno(), data)
        except OSError as error:
            raise ModemError(ModemReason.UNPLUGGED, "takes no bytes") from error
        if written != len(data):  # a kernel buffer of 4096 bytes is full: it takes nothing any more
            raise ModemError(ModemReason.SILENT, "takes no bytes")

    def _readable(self) -> None:
        try:
            data = os.read(self._port.fileno(), _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            exchange = self._exchange
            self._close()
            if exchange is not None and not exchange.done.done():
                exchange.done.set_exception(ModemError(ModemReason.UNPLUGGED))
            return
        for line in self._lines.feed(data):
            self._take(line)

    def _take(self, line: str) -> None:
        exchange = self._exchange
        if self._unasked(line) or exchange is None or exchange.done.done():
            return
        final = answers.final_of(line)
        if final is not None:
            exchange.done.set_result(final)
        elif line == PROMPT:
            if exchange.wants_prompt:
                exchange.done.set_result(None)
        elif len(exchange.lines) < _MOST_LINES:
            exchange.lines.append(line)

    def _unasked(self, line: str) -> bool:
        """Whether the modem says this by itself; what is a delivery report is kept."""
        before, self._payload_of = self._payload_of, ""
        if before and self._mode is ModemMode.TEXT and not answers.may_be_text(line):
            before = ""  # the message was empty, and this line is none of it
        if before:
            if before.startswith("+CDS:"):
                self._heard_report(line)
            elif len(self._letters) < _MOST_REPORTS:
                self._heard_letter(before, line)
            return True
        if line.startswith("+CDS:") and self._mode is ModemMode.TEXT:
            self._heard_report(line)
            return True
        if line.startswith(("+CDS:", "+CMT:")):
            self._payload_of = line
            return True
        if line.startswith("+CDSI:"):
            place = answers.stored_report(line)
            if place is not None and len(self._stored) < _MOST_REPORTS:
                self._stored.append(place)
            return True
        return answers.is_unasked(line)

    def _heard_letter(self, head: str, line: str) -> None:
        if self._mode is ModemMode.TEXT:
            sender = answers.text_sender(head)
            if sender is not None:
                self._letters.append(Deliver(sender, answers.from_ucs2(line)))
            return
        with suppress(ValueError):  # a PduRefused is one too: noise on the line
            unit = decode_incoming(bytes.fromhex(line))
            if isinstance(unit, Deliver):
                self._letters.append(unit)

    def _heard_report(self, line: str) -> None:
        if self._mode is ModemMode.TEXT:
            told = answers.text_report(line)
            report = None if told is None else StatusReport(*told)
        else:
            try:
                unit = decode_incoming(bytes.fromhex(line))
            except ValueError:  # a PduRefused is one too: noise on the line
                return
            report = unit if isinstance(unit, StatusReport) else None
        if report is not None and report.delivery is not Delivery.STILL_TRYING and len(self._reports) < _MOST_REPORTS:
            self._reports[report.reference] = report.delivery is Delivery.DELIVERED


def _refused(final: Final) -> ModemError:
    if final.kind == "cms" and final.code in _CMS_NO_SIM:
        return ModemError(ModemReason.SIM_MISSING, final.named())
    if final.kind == "cms" and final.code in _CMS_NO_NETWORK:
        return ModemError(ModemReason.NO_NETWORK, final.named())
    return ModemError(ModemReason.SEND_REFUSED, final.named())


def _hexed(text: str) -> str:
    return text.encode("utf-16-be", errors="replace").hex().upper()
