"""Govee thermometers with hygrometers, as they hang in rooms."""

from kanhu.edge.codecs.govee import COMPANIES, decode_govee, model_of
from kanhu.edge.kinds.kind import SILENT_S, HeardKind, Told
from kanhu.edge.ways import Heard


def decode(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
    """Data of one of its companies; those for meat are not of this kind."""
    del key, address  # it needs neither
    company = next((one for one in COMPANIES if one in heard.manufacturer_data), None)
    if company is None:
        return None
    return Told(decode_govee(company, heard.manufacturer_data[company], model=model_of(heard.name)).values)


KIND = HeardKind(
    name="sensor-govee",
    zh="室温计（Govee）",
    en="Govee thermometer",
    of_place=True,
    silent_s=SILENT_S,
    decode=decode,
)
