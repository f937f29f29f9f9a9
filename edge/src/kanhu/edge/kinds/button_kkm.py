"""A KKM beacon as a help button: its maker's app lets the button start an iBeacon with a UUID of one's own."""

from decimal import Decimal

from kanhu.edge.codecs.advertised import Quantity
from kanhu.edge.codecs.ibeacon import COMPANY, decode_ibeacon
from kanhu.edge.kinds.kind import SILENT_S, HeardKind, Told
from kanhu.edge.ways import Heard

PRESSED = bytes.fromhex("6b616e6875004000800068656c700001")
"""The UUID of the iBeacon that a press starts; the page of this kind has it set, and no beacon is delivered with it."""


def decode(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
    """An iBeacon with any other UUID says that the button is there and at rest."""
    del key, address  # it needs neither
    frame = heard.manufacturer_data.get(COMPANY)
    if frame is None:
        return None
    return Told((Quantity("button", Decimal(decode_ibeacon(frame).uuid == PRESSED)),))


KIND = HeardKind(
    name="button-kkm",
    zh="求助按钮（KKM）",
    en="help button, KKM",
    of_place=True,
    silent_s=SILENT_S,
    decode=decode,
    calls=True,
)
