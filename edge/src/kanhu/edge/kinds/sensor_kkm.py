"""KKM and BlueCharm beacons as thermometers; by these frames no button can be told, see `button-kkm`."""

from kanhu.edge.codecs.kkm import SENSOR_FRAME, SERVICE_UUID, decode_kkm
from kanhu.edge.kinds.kind import SILENT_S, HeardKind, Told
from kanhu.edge.ways import Heard


def decode(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
    """Its sensor frame; by the same UUID it may send Eddystone's own frames, which sense nothing."""
    del key, address  # it needs neither
    frame = heard.service_data.get(SERVICE_UUID, b"")
    return Told(decode_kkm(frame).told.values) if frame[:1] == SENSOR_FRAME else None


KIND = HeardKind(
    name="sensor-kkm",
    zh="室温计（KKM）",
    en="KKM sensor beacon",
    of_place=True,
    silent_s=SILENT_S,
    decode=decode,
)
