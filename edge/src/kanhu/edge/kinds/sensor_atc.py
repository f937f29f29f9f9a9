"""A room thermometer with ATC1441 or pvvx firmware, plain or encrypted."""

from kanhu.edge.codecs.atc_pvvx import SERVICE_UUID, decode_atc, decode_atc_encrypted
from kanhu.edge.codecs.sealed import KEY_BYTES
from kanhu.edge.kinds.kind import SILENT_S, HeardKind, Told
from kanhu.edge.ways import Heard


def decode(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
    """Service data of UUID 0x181A.

    Its counter has one byte and returns every 256 readings, so it proves no order: an old frame can be sent again.
    """
    frame = heard.service_data.get(SERVICE_UUID)
    if frame is None:
        return None
    if key is None:
        told = decode_atc(frame)
        return Told(told.values, told.packet)
    told = decode_atc_encrypted(frame, key=key, address=address)
    return Told(told.values, told.packet, sealed=True)


KIND = HeardKind(
    name="sensor-atc",
    zh="室温计（ATC、pvvx 固件）",
    en="room thermometer, ATC or pvvx firmware",
    of_place=True,
    silent_s=SILENT_S,
    key_bytes=frozenset({KEY_BYTES}),
    decode=decode,
)
