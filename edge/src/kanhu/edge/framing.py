"""From a byte stream to packets of an oximeter: find the start again after garbage, and count what was lost."""

from kanhu.edge.codecs import contec_v7
from kanhu.edge.codecs.cms50d import PACKET_BYTES

_SYNC = 0x80


class Cms50dFraming:
    """Cuts a stream into packets: one byte with bit 7 set, then four without. Holds at most four bytes.

    The packets of the Berry oximeters have the same skeleton.
    """

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


class ContecV7Framing:
    """Cuts a stream into packets: one byte with bit 7 clear, then two to eight with it set. Holds at most eight bytes.

    Only a packet of nine bytes is known to be whole at once, a shorter one when the next begins or the stream pauses.
    """

    def __init__(self) -> None:
        """Begin between two packets."""
        self._rest = b""
        self.bad_bytes = 0
        """Bytes so far that belonged to no packet."""

    def feed(self, data: bytes) -> list[bytes]:
        """Packets that these bytes complete, in order."""
        packets: list[bytes] = []
        begun = bytearray(self._rest)
        for byte in data:
            if byte < _SYNC:
                self._close(bytes(begun), packets)
                begun = bytearray([byte])
            elif not begun:
                self.bad_bytes += 1
            else:
                begun.append(byte)
                if len(begun) == contec_v7.MOST_PACKET_BYTES:
                    packets.append(bytes(begun))
                    begun.clear()
        self._rest = bytes(begun)
        return packets

    def end(self) -> list[bytes]:
        """The stream paused or was cut: the packet that was begun is as long as it is, or belongs to none."""
        packets: list[bytes] = []
        self._close(self._rest, packets)
        self._rest = b""
        return packets

    def _close(self, begun: bytes, packets: list[bytes]) -> None:
        if len(begun) < contec_v7.FEWEST_PACKET_BYTES:
            self.bad_bytes += len(begun)
        else:
            packets.append(begun)
