"""One published frame with what its publisher says it means, and the advertisement it stands for where it is one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Adapter", "Advertisement", "Unsupported", "Vector"]

_SERVICE_DATA_16_BIT = 0x16
_MANUFACTURER_DATA = 0xFF
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

    def advertisement(self) -> Advertisement:
        """The advertisement, whichever of its layers the publisher kept.

        Raises:
            Unsupported: the record is no advertisement, or one cut short.
        """
        layer = str(self.given.get("layer", ""))
        if layer.startswith("HCI"):
            return _of_event(self.frame)
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


def _of_event(event: bytes) -> Advertisement:
    if event[:2] != _EVENT_HEADER or len(event) < 4 or event[3] not in _PLACES:
        raise Unsupported("an event that is no advertising report")
    address_at, length_at = _PLACES[event[3]]
    if len(event) <= length_at:
        raise Unsupported("a report cut short")
    address = event[address_at : address_at + _ADDRESS_BYTES][::-1]
    payload = event[length_at + 1 : length_at + 1 + event[length_at]]
    name: str | None = None
    services: dict[int, bytes] = {}
    manufacturers: dict[int, bytes] = {}
    uuids: list[int] = []
    while payload and payload[0]:
        kind, data = payload[1:2], payload[2 : 1 + payload[0]]
        payload = payload[1 + payload[0] :]
        if not kind:
            break
        if kind[0] == _SERVICE_DATA_16_BIT:
            services[int.from_bytes(data[:2], "little")] = data[2:]
        elif kind[0] == _MANUFACTURER_DATA:
            manufacturers[int.from_bytes(data[:2], "little")] = data[2:]
        elif kind[0] in _NAMES:
            name = data.decode("utf-8", errors="replace")
        elif kind[0] in _UUIDS_16_BIT:
            uuids += (int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data) - 1, 2))
    return Advertisement(address, name, services, manufacturers, tuple(uuids))


def _address(given: Mapping[str, Any]) -> bytes | None:
    text = given.get("address")
    try:
        found = bytes.fromhex(str(text).replace(":", "")) if text else None
    except ValueError:
        return None
    return found if found is not None and len(found) == _ADDRESS_BYTES else None
