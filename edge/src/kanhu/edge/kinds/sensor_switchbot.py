"""SwitchBot thermometers, contact and motion sensors."""

from kanhu.edge.codecs.switchbot import (
    COMPANY,
    OLD_SERVICE_UUID,
    OUTDOOR,
    SERVICE_UUID,
    decode_switchbot,
    decode_switchbot_manufacturer,
)
from kanhu.edge.kinds.kind import SILENT_S, HeardKind, Told
from kanhu.edge.ways import Heard


def decode(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
    """Service data; of the outdoor thermometer, which tells only its battery there, data of its maker as well."""
    del key, address  # it needs neither
    frame = heard.service_data.get(SERVICE_UUID) or heard.service_data.get(OLD_SERVICE_UUID)
    if frame is None:
        return None
    sensor = decode_switchbot(frame)
    maker = heard.manufacturer_data.get(COMPANY)
    climate = decode_switchbot_manufacturer(maker).values if sensor.model == OUTDOOR and maker is not None else ()
    return Told((*climate, *sensor.told.values))


KIND = HeardKind(
    name="sensor-switchbot",
    zh="居家传感器（SwitchBot）",
    en="SwitchBot sensor",
    of_place=True,
    silent_s=SILENT_S,
    decode=decode,
)
