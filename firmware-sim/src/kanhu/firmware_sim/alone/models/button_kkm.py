"""A KKM beacon whose button starts another iBeacon."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, manufacturer_data
from kanhu.firmware_sim.wire.ibeacon import ibeacon

_COMPANY = 0x004C
_AT_REST = bytes.fromhex("7777772e6b6b6d636e2e636f6d000001")  # as its maker delivers it
_PRESSED = bytes.fromhex("6b616e6875004000800068656c700001")  # as docs/devices/button-kkm.md has it set


def make() -> Advertiser:
    """A pendant that is pressed, and at rest, by turns; more than a minute between two presses."""
    return Advertiser(
        name="button-kkm",
        about="KKM pendant: at rest and pressed by turns",
        every_s=60.0,
        times=15,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    uuid = _PRESSED if moment.number % 2 else _AT_REST
    return manufacturer_data(_COMPANY, ibeacon(uuid, 1, 1, -59))
