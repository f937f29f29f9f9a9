"""A sensor that advertises BTHome version 2, plain or encrypted: door, motion, climate, smoke, water and others."""

from kanhu.edge.codecs.bthome import SERVICE_UUID, sensed
from kanhu.edge.codecs.bthome_encrypted import decode_bthome_with
from kanhu.edge.codecs.sealed import KEY_BYTES
from kanhu.edge.kinds.kind import HeardKind, Told
from kanhu.edge.ways import Heard


def decode(heard: Heard, *, key: bytes | None, address: bytes) -> Told | None:
    """Service data of UUID 0xFCD2."""
    frame = heard.service_data.get(SERVICE_UUID)
    if frame is None:
        return None
    packet, counter = decode_bthome_with(frame, key=key, address=address)
    return Told(sensed(packet), packet.packet_id, sealed=counter is not None, counter=counter)


KIND = HeardKind(
    name="sensor-bthome",
    zh="居家传感器（BTHome）",
    en="BTHome sensor",
    of_place=True,
    key_bytes=frozenset({KEY_BYTES}),
    decode=decode,
)
