"""ThermoBeacon hygrometers, sold under many names."""

from kanhu.edge.codecs.thermobeacon import MODELS, decode_thermobeacon
from kanhu.edge.errors import DecodeError, DecodeReason
from kanhu.edge.kinds.kind import SILENT_S, HeardKind, Told
from kanhu.edge.ways import Heard


def decode(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
    """Its model stands where others have their company."""
    del key, address  # it needs neither
    models = sorted(MODELS & set(heard.manufacturer_data))
    if not models:
        return None
    if len(models) > 1:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, f"{len(models)} models at once")
    return Told(decode_thermobeacon(heard.manufacturer_data[models[0]]).values)


KIND = HeardKind(
    name="sensor-thermobeacon",
    zh="室温计（ThermoBeacon）",
    en="ThermoBeacon hygrometer",
    of_place=True,
    silent_s=SILENT_S,
    decode=decode,
)
