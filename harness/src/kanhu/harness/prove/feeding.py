"""The two ends that a gateway under test has here: it is fed on a socket, and its promises come back on a pipe.

Both survive the gateway. What was written to the pipe before a kill is still read; what it was fed and had not
answered for is gone, and nobody was promised anything.
"""

import asyncio
import fcntl
import json
import os
import random
from pathlib import Path
from typing import Any

import msgspec

from kanhu.contract import Clock
from kanhu.harness.ledger import Books

__all__ = ["Feeding", "residents_of"]

_PIPE_BYTES = 1 << 20
_UNANSWERED = 3  # batches: a driver does not read on while nothing is accepted
_BEAT_S = 0.1
_PRESS_ONE_IN = 250  # readings: a press leads to a finding, and both leave at once


def residents_of(gateway: str) -> tuple[str, ...]:
    """The people whom a gateway's readings are of."""
    return tuple(f"r-{gateway}-{number}" for number in range(1, 4))


class Feeding:
    """Of one gateway."""

    def __init__(
        self,
        gateway: str,
        folder: Path,
        *,
        books: Books,
        clock: Clock,
        seed: int,
        residents: tuple[str, ...] | None = None,
    ) -> None:
        """Of its own people, or of `residents`."""
        self.gateway = gateway
        self.socket = folder / "feed.sock"
        self.pipe = folder / "promises"
        self.residents = residents or residents_of(gateway)
        self.presses = 0
        """Calls for help among what was fed."""
        self.unanswered = 0
        """Batches that were fed and neither accepted nor refused yet; those of a gateway that was killed never are."""
        self._books = books
        self._clock = clock
        self._draw = random.Random(f"{seed}/feed/{gateway}")
        self._per_beat = 0.0
        self._due = 0.0
        self._pressed: list[str] = []
        self._turns: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._transport: asyncio.ReadTransport | None = None
        self._promises: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Make socket and pipe."""
        os.mkfifo(self.pipe)
        # Open for both: the pipe has a reader and a writer whether or not the gateway lives.
        end = os.open(self.pipe, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        reader = asyncio.StreamReader(limit=_PIPE_BYTES)
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(end, "rb", buffering=0)
        )
        self._promises = asyncio.create_task(self._note_promises(reader), name=f"promises of {self.gateway}")
        self._server = await asyncio.start_unix_server(self._met, self.socket)

    async def close(self) -> None:
        """End both; the files stay."""
        if self._server is not None:
            self._server.close()
        tasks = [*self._turns, *([self._promises] if self._promises is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()

    def check(self) -> None:
        """Raise what ended the reading of promises: none would be noted from then on, and none missed."""
        if self._promises is not None and self._promises.done():
            self._promises.result()

    def pace(self, readings_per_s: float) -> None:
        """Feed so many from now on, as far as the gateway takes them; 0 ends it."""
        self._per_beat = readings_per_s * _BEAT_S

    def press(self, subject: str) -> None:
        """Let this person press a help button; it is handed over with the next beat."""
        self._pressed.append(subject)

    async def _note_promises(self, reader: asyncio.StreamReader) -> None:
        decoder = msgspec.json.Decoder(dict[str, Any])
        while line := await reader.readline():
            self._books.note(self.gateway, decoder.decode(line), at_ms=self._clock.wall_ms())

    def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task of ours: asyncio's own, when cancelled, complains about it.
        task = asyncio.create_task(self._feed(reader, writer), name=f"feed of {self.gateway}")
        self._turns.add(task)
        task.add_done_callback(self._turns.discard)

    async def _feed(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers = asyncio.Semaphore(_UNANSWERED)
        hear = asyncio.create_task(self._hear(reader, answers), name=f"answers of {self.gateway}")
        try:
            while not hear.done():
                await asyncio.sleep(_BEAT_S)
                batch = self._batch()
                if not batch:
                    continue
                await asyncio.wait(
                    {hear, acquired := asyncio.ensure_future(answers.acquire())}, return_when=asyncio.FIRST_COMPLETED
                )
                if not acquired.done():
                    acquired.cancel()
                    break
                self._books.emitted += len(batch)
                self.unanswered += 1
                writer.write(json.dumps(batch).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            pass  # it was killed, and will come again
        finally:
            hear.cancel()
            writer.close()

    def _batch(self) -> list[tuple[str, str, int]]:
        self._due = min(self._due + self._per_beat, 2 * self._per_beat)  # what was missed is not made up for
        count, self._due = int(self._due), self._due % 1
        pressed, self._pressed = self._pressed, []
        return [(subject, "help_button", 1) for subject in pressed] + [self._one() for _ in range(count)]

    def _one(self) -> tuple[str, str, int]:
        subject = self._draw.choice(self.residents)
        if self._draw.randrange(_PRESS_ONE_IN) == 0:
            self.presses += 1
            return subject, "help_button", 1
        return subject, "heart_rate", self._draw.randint(60, 90)

    async def _hear(self, reader: asyncio.StreamReader, answers: asyncio.Semaphore) -> None:
        """One line a batch; returns where the gateway is gone."""
        try:
            while await reader.readline():
                self.unanswered -= 1
                answers.release()
        except ConnectionError:
            return
