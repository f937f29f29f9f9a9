"""From a byte stream to packets of the Contec CMS50D: find the start again after garbage, and count what was lost."""

from kanhu.edge.codecs.cms50d import PACKET_BYTES

_SYNC = 0x80


class Cms50dFraming:
    """Cuts a stream into packets: one byte with bit 7 set, then four without. Holds at most four bytes."""

    def __init__(self) -> None:
        """Begin between two packets."""
        self._rest = b""
        self.bad_bytes = 0
        """Bytes so far that belonged to no packet."""

    def feed(self, data: bytes) -> list[bytes]:
        """Packets that these bytes complete, in order."""
        stream = self._rest + data
        packets: list[bytes] = []
        at = 0
        while len(stream) - at >= PACKET_BYTES:
            packet = stream[at : at + PACKET_BYTES]
            if packet[0] >= _SYNC and max(packet[1:]) < _SYNC:
                packets.append(packet)
                at += PACKET_BYTES
                continue
            step = next((i for i in range(1, PACKET_BYTES) if packet[i] >= _SYNC), PACKET_BYTES)
            self.bad_bytes += step
            at += step
        self._rest = stream[at:]
        return packets

    def end(self) -> None:
        """The stream was cut: bytes of a packet that never ended belong to none."""
        self.bad_bytes += len(self._rest)
        self._rest = b""
