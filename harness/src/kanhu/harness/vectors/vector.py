"""One published frame with what its publisher says it means, and the advertisement it stands for where it is one."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["MANUFACTURER_DATA", "Adapter", "Advertisement", "Unsupported", "Vector"]

_SERVICE_DATA_16_BIT = 0x16
MANUFACTURER_DATA = 0xFF
"""The type of a structure that begins with a company."""
_NAMES = (0x08, 0x09)
_UUIDS_16_BIT = (0x02, 0x03)
_EVENT_HEADER = b"\x04\x3e"
_LEGACY, _EXTENDED = 0x02, 0x0D
_ADDRESS_BYTES = 6
# Where the address and the payload's length stand in the event, by its kind; one report a vector.
_PLACES = {_LEGACY: (7, 13), _EXTENDED: (8, 28)}


class Unsupported(Exception):  # no error: a published frame that no codec of ours is meant for
    """Why no codec reads this frame."""


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What a radio heard, as far as the vector tells."""

    address: bytes | None
    """In printed order; None where it is not told."""
    name: str | None
    service_data: Mapping[int, bytes]
    """By 16-bit UUID."""
    manufacturer_data: Mapping[int, bytes]
    """By company, without the company."""
    uuids: tuple[int, ...] = ()
    """The 16-bit ones it lists."""


@dataclass(frozen=True, slots=True)
class Vector:
    """One record of the file."""

    id: str
    protocol: str
    frame: bytes
    expected: Mapping[str, Any]
    given: Mapping[str, Any]
    """The record as it stands in the file."""

    @property
    def key(self) -> bytes | None:
        """What it was encrypted with."""
        text = self.given.get("bindkey_hex")
        return None if text is None else bytes.fromhex(text)

    def structures(self) -> list[tuple[int, bytes]]:
        """Type and data of each, in the order heard; empty where the publisher kept no whole report.

        Raises:
            Unsupported: an event of another kind, or one cut short.
        """
        if not str(self.given.get("layer", "")).startswith("HCI"):
            return []
        _, length_at = _places(self.frame)
        payload = self.frame[length_at + 1 : length_at + 1 + self.frame[length_at]]
        found: list[tuple[int, bytes]] = []
        while len(payload) > 1 and payload[0]:
            found.append((payload[1], payload[2 : 1 + payload[0]]))
            payload = payload[1 + payload[0] :]
        return found

    def advertisement(self) -> Advertisement:
        """The advertisement, whichever of its layers the publisher kept.

        Raises:
            Unsupported: the record is no advertisement, or one cut short.
        """
        layer = str(self.given.get("layer", ""))
        if layer.startswith("HCI"):
            address_at, _ = _places(self.frame)
            return _heard(self.frame[address_at : address_at + _ADDRESS_BYTES][::-1], self.structures())
        if layer.startswith("BLE service data"):
            return Advertisement(_address(self.given), None, {int(layer.rsplit(maxsplit=1)[-1], 16): self.frame}, {})
        given = self.given.get("input")
        if not isinstance(given, Mapping):
            raise Unsupported("no advertisement")
        service_data = bytes.fromhex(given.get("servicedata", ""))
        told = given.get("servicedatauuid")
        manufacturer = bytes.fromhex(given.get("manufacturerdata", ""))
        return Advertisement(
            _address({"address": given.get("id")}),
            given.get("name"),
            {int(told, 16) if told else 0xFE95: service_data} if service_data else {},
            {int.from_bytes(manufacturer[:2], "little"): manufacturer[2:]} if manufacturer else {},
        )


Adapter = Callable[[Vector], Mapping[str, object]]
"""The vector decoded by our codec, told in the words of the file; raises DecodeError where the codec does, and
Unsupported where none is meant for it. More keys than expected are welcome."""


def _places(event: bytes) -> tuple[int, int]:
    """Where the address stands, and the length of the payload."""
    if event[:2] != _EVENT_HEADER or len(event) < 4 or event[3] not in _PLACES:
        raise Unsupported("an event that is no advertising report")
    found = _PLACES[event[3]]
    if len(event) <= found[1]:
        raise Unsupported("a report cut short")
    return found


def _heard(address: bytes, structures: Iterable[tuple[int, bytes]]) -> Advertisement:
    name: str | None = None
    services: dict[int, bytes] = {}
    manufacturers: dict[int, bytes] = {}
    uuids: list[int] = []
    for kind, data in structures:
        if kind == _SERVICE_DATA_16_BIT:
            services[int.from_bytes(data[:2], "little")] = data[2:]
        elif kind == MANUFACTURER_DATA:
            manufacturers[int.from_bytes(data[:2], "little")] = data[2:]
        elif kind in _NAMES:
            name = data.decode("utf-8", errors="replace")
        elif kind in _UUIDS_16_BIT:
            uuids += (int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data) - 1, 2))
    return Advertisement(address, name, services, manufacturers, tuple(uuids))


def _address(given: Mapping[str, Any]) -> bytes | None:
    text = given.get("address")
    try:
        found = bytes.fromhex(str(text).replace(":", "")) if text else None
    except ValueError:
        return None
    return found if found is not None and len(found) == _ADDRESS_BYTES else None
