"""What replaces names, numbers and places in texts that leave a gateway."""

import re
from collections.abc import Iterable, Iterator

from kanhu.gateway.alarm.contacts import load_contacts
from kanhu.gateway.config import GatewayConfig
from kanhu.gateway.errors import ConfigRefused

_LONG_NUMBER = re.compile(r"\+?\d[\d -]{5,}\d")
_NUMBER = re.compile(r"(?<!device )(?<!resident )(?<!\d)\d+")
_FOREIGN = re.compile(r"[^\x20-\x7e]+")
_NOTE = re.compile(r"[a-z_]+")
_OURS = re.compile(r"(?P<when>[\d-]{10} [\d:,]{8,12}) (?P<level>[A-Z]+) (?P<logger>kanhu[\w.]*): (?P<message>.*)")
_FRAME = re.compile(r'\s+File ".*?(?P<file>kanhu/[\w/]+\.py)", line (?P<line>\d+), in (?P<function>\w+)')
_ERROR = re.compile(r"(?P<kind>[\w.]*(?:Error|Exception|Refused|Damaged|Failed|Full|Lost|Warning))(?::|$)")
_SHORT_WORD = 2
_OF_FINDINGS = "kanhu.gateway.intake"
"""Its warnings name findings, which are of a person."""


class Veil:
    """Knows every name that the settings and the file of contacts hold."""

    def __init__(self, config: GatewayConfig) -> None:
        """Read the file of contacts where there is one, only to leave out what it holds."""
        self._devices = {device.id: f"device {number}" for number, device in enumerate(config.device, 1)}
        names = dict(_secrets(config))
        names |= {resident.id: f"resident {number}" for number, resident in enumerate(config.resident, 1)}
        self._names = names | self._devices
        longest_first = sorted((name for name in self._names if name), key=len, reverse=True)
        alternatives = "|".join(map(re.escape, longest_first))
        self._pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{alternatives})(?![A-Za-z0-9])") if alternatives else None

    def device(self, name: str) -> str:
        """Its number in the settings; one that stands there no more has none."""
        return self._devices.get(name, "device not in the settings")

    def note(self, name: str) -> str:
        """A note's name, with the device in it replaced."""
        kind, colon, device = name.partition(":")
        if not _NOTE.fullmatch(kind):
            return "unknown note"
        return f"{kind}: {self.device(device)}" if colon else kind

    def text(self, text: str) -> str:
        """Names replaced, and whatever may be a telephone number."""
        if self._pattern is not None:
            text = self._pattern.sub(lambda found: f"({self._names[found[0]]})", text)
        return _LONG_NUMBER.sub("#", text)

    def log(self, lines: Iterable[str]) -> Iterator[str]:
        """Lines of our own log without numbers and names, and of stack traces where they passed; nothing else."""
        for line in lines:
            ours, frame, error = _OURS.fullmatch(line), _FRAME.match(line), _ERROR.match(line)
            if ours is not None:
                if ours["logger"] != _OF_FINDINGS or ours["level"] != "WARNING":
                    said = _FOREIGN.sub("#", _NUMBER.sub("#", self.text(ours["message"])))
                    yield f"{ours['when']} {ours['level']} {ours['logger']}: {said}"
            elif frame is not None:
                yield f"  {frame['file']}:{frame['line']} {frame['function']}"
            elif error is not None:
                yield f"  {error['kind']}"


def _secrets(config: GatewayConfig) -> Iterator[tuple[str, str]]:
    yield config.data, "data"
    for device in config.device:
        yield from ((value, place) for place, value in (
            ("port", device.port), ("address", device.address), ("dwelling", device.dwelling),
        ) if value is not None)  # fmt: skip
        if device.address is not None:
            yield device.address.upper(), "address"
    alarm = config.alarm
    for place in (alarm.recordings, alarm.light_file, alarm.modem_port, alarm.contacts):
        if place is not None:
            yield place, "path"
    for command in (alarm.player, alarm.speech or (), alarm.light_on, alarm.light_off):
        yield from ((word, "command") for word in command if len(word) > _SHORT_WORD)
    if alarm.contacts is None:
        return
    try:
        contacts = load_contacts(config.folder / alarm.contacts)
    except ConfigRefused:  # then the gateway has read nothing of it either
        return
    if contacts.pin is not None:
        yield contacts.pin, "pin"
    for contact in contacts.contact:
        yield contact.number, "number"
        if contact.home is not None:
            yield contact.home, "home"
