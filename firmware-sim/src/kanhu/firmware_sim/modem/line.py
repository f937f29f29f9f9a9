"""The modem at the end of a pseudo terminal: a thread that reads, answers in time, and can be unplugged."""

import heapq
import json
import os
import select
import threading
import tty
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from kanhu.contract import Clock
from kanhu.firmware_sim.modem.conversation import Conversation, Fault

_LOOK_S = 0.02
_READ_BYTES = 4096
_REPLUG_S = 2.0


class ModemLine:
    """Serves one modem under a stable name until `close`."""

    def __init__(self, name: Path, *, clock: Clock, log: TextIO | None = None, pin: str | None = None) -> None:
        """Each message, command and PIN is a line of JSON in `log`; the PIN itself is not."""
        self.events: list[dict[str, object]] = []
        self._name = name
        self._clock = clock
        self._log = log
        self._pin = pin
        self.faults: set[Fault] = set()
        """May be changed at any time."""
        self._conversation = self._powered()
        self._waiting: list[tuple[int, int, bytes]] = []
        self._said = 0
        self._arriving: deque[bytes] = deque()
        self._closing = threading.Event()
        self._master = self._plug()
        self._thread = threading.Thread(target=self._serve, name="modem", daemon=True)
        self._thread.start()

    def messages(self) -> list[dict[str, object]]:
        """What the network took so far."""
        return [event for event in list(self.events) if event["kind"] == "sms"]

    def reply(self, sender: str, text: str) -> None:
        """Let somebody write to the card."""
        self._arriving.append(self._conversation.letter(sender, text).data)

    def close(self) -> None:
        """Unplug for good."""
        self._closing.set()
        self._thread.join(5)
        self._unplug()

    def _powered(self) -> Conversation:
        return Conversation(tell=self._tell, now=self._clock.now, faults=self.faults, pin=self._pin)

    def _tell(self, event: dict[str, object]) -> None:
        event = {**event, "mono_ns": self._clock.mono_ns()}
        self.events.append(event)
        if self._log is not None:
            self._log.write(json.dumps(event, ensure_ascii=False) + "\n")
            self._log.flush()

    def _plug(self) -> int:
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self._name.parent.mkdir(parents=True, exist_ok=True)
        self._name.unlink(missing_ok=True)
        self._name.symlink_to(os.ttyname(slave))
        os.close(slave)
        return master

    def _unplug(self) -> None:
        self._name.unlink(missing_ok=True)
        os.close(self._master)

    def _serve(self) -> None:
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        while not self._closing.is_set():
            events = poll.poll(_LOOK_S * 1000)
            if any(event & select.POLLIN for _, event in events):
                with suppress(OSError):  # whoever had it open closed it between two looks
                    self._hear(os.read(self._master, _READ_BYTES))
            elif events:
                self._closing.wait(_LOOK_S)  # nobody has it open
            self._speak()
            if self._conversation.unplugged:
                self._unplug()
                self._closing.wait(_REPLUG_S)
                self._waiting.clear()
                self._master = self._plug()
                self._conversation = self._powered()
                poll = select.poll()
                poll.register(self._master, select.POLLIN)

    def _hear(self, data: bytes) -> None:
        for said in self._conversation.feed(data):
            self._said += 1
            due_ns = self._clock.mono_ns() + round(said.after_s * 1e9)
            heapq.heappush(self._waiting, (due_ns, self._said, said.data))

    def _speak(self) -> None:
        while self._arriving:
            with suppress(OSError):
                os.write(self._master, self._arriving.popleft())
        while self._waiting and self._waiting[0][0] <= self._clock.mono_ns():
            _, _, data = heapq.heappop(self._waiting)
            with suppress(OSError):  # nobody listens, or the line is full: it is lost, as on a real line
                os.write(self._master, data)
