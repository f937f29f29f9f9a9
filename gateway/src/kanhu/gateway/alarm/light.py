"""The light or relay: on while an alarm is being told, off when none is any more."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from kanhu.contract import Finding
from kanhu.contract.actions import ActionOutcome
from kanhu.gateway.alarm.acting import Message, Result
from kanhu.gateway.alarm.commands import run_command

_SWITCH_S = 10.0


class Switch(Protocol):
    """Something that is on or off. Both answer with a named failure, or nothing."""

    async def on(self) -> str:
        """Switch on; again where it is on already changes nothing."""

    async def off(self) -> str:
        """Switch off."""


class CommandSwitch:
    """A switch behind two commands, such as `gpioset`."""

    def __init__(self, on: Sequence[str], off: Sequence[str]) -> None:
        """Each command switches and returns."""
        self._on = on
        self._off = off

    async def on(self) -> str:
        """Switch on."""
        return await run_command(self._on, within_s=_SWITCH_S)

    async def off(self) -> str:
        """Switch off."""
        return await run_command(self._off, within_s=_SWITCH_S)


class FileSwitch:
    """A switch that is a file: `1` is on, `0` is off, as /sys/class/leds/NAME/brightness takes them."""

    def __init__(self, file: Path) -> None:
        """The file is written and never made where its folder is missing."""
        self._file = file

    async def on(self) -> str:
        """Write 1."""
        return self._write("1")

    async def off(self) -> str:
        """Write 0."""
        return self._write("0")

    def _write(self, text: str) -> str:
        try:
            self._file.write_text(f"{text}\n", encoding="ascii")
        except OSError:
            return "file_failed"
        return ""


class Light:
    """A switch as one way of telling."""

    channel = "light"
    role = ""

    def __init__(self, switch: Switch) -> None:
        """Take the switch over."""
        self._switch = switch

    def concerns(self, finding: Finding) -> bool:
        """Everybody here sees it."""
        del finding
        return True

    async def tell(self, message: Message, finding: Finding) -> Result:
        """On for a call; what was called off may not be the only one, so it goes out with the last."""
        del finding
        failure = "" if message is Message.CALLED_OFF else await self._switch.on()
        return Result(ActionOutcome.FAILED, failure) if failure else Result(ActionOutcome.DONE)

    async def rest(self) -> None:
        """Off; where that fails it is tried again with the next alarm's end."""
        await self._switch.off()
