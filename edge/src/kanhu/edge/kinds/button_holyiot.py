"""A Holy-IOT beacon as a help button."""

from kanhu.edge.codecs.holyiot import SERVICE_UUID, decode_holyiot
from kanhu.edge.kinds.kind import HeardKind, in_service_data

KIND = HeardKind(
    name="button-holyiot",
    zh="求助按钮（Holy-IOT）",
    en="help button, Holy-IOT",
    of_place=True,
    decode=in_service_data(SERVICE_UUID, decode_holyiot),
    calls=True,
)
