"""Cut a serial stream of a barcode or card reader into lines."""

from kanhu.edge.codecs.scanner import ENDS, MOST_CHARACTERS


class ScannerFraming:
    """Lines without their ends. Holds at most one line; a longer one is dropped to its end and counted."""

    def __init__(self) -> None:
        """Begin between two lines."""
        self._rest = bytearray()
        self._overrun = False
        self.bad_bytes = 0
        """Bytes so far that belonged to no line; the ends of lines are not among them."""

    def feed(self, data: bytes) -> list[bytes]:
        """Lines that these bytes complete, in order."""
        lines: list[bytes] = []
        for byte in data:
            if byte in ENDS:
                lines += self.end()
            elif self._overrun:
                self.bad_bytes += 1
            elif len(self._rest) == MOST_CHARACTERS:
                self.bad_bytes += len(self._rest) + 1
                self._rest.clear()
                self._overrun = True
            else:
                self._rest.append(byte)
        return lines

    def end(self) -> list[bytes]:
        """The reader paused, and some end a line by nothing else: what was begun is whole."""
        lines = [bytes(self._rest)] if self._rest else []
        self._rest.clear()
        self._overrun = False
        return lines
