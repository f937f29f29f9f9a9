"""A Qingping or ClearGrass sensor that advertises in its maker's own format."""

from kanhu.edge.codecs.advertised import Advertisement
from kanhu.edge.codecs.qingping import SERVICE_UUID, decode_qingping
from kanhu.edge.kinds.kind import HeardKind, in_service_data


def _told(frame: bytes) -> Advertisement:
    return decode_qingping(frame).told


KIND = HeardKind(
    name="sensor-qingping",
    zh="居家传感器（青萍）",
    en="Qingping sensor",
    of_place=True,
    decode=in_service_data(SERVICE_UUID, _told),
)
