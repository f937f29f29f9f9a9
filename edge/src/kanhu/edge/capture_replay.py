"""Reads a capture and hands it to the same receivers and peers that transports hand to, in the time of the capture."""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from kanhu.contract import FakeClock, Observation
from kanhu.edge.capture import VERSION, CapturedDevice, CaptureHead, CaptureLine
from kanhu.edge.devices import DeviceConfig, Signals, Sink, Stretch
from kanhu.edge.errors import CaptureRefused, LinkReason
from kanhu.edge.intake import Intake
from kanhu.edge.kinds import Kind, SerialKind, find_kind
from kanhu.edge.peers import HeardPeer
from kanhu.edge.sensing import peer_of
from kanhu.edge.ways import Heard, SerialReceiver

__all__ = ["is_capture", "replay_capture"]

_Line = TypeVar("_Line", CaptureHead, CaptureLine)
_head_decoder = msgspec.json.Decoder(CaptureHead)
_line_decoder = msgspec.json.Decoder(CaptureLine)
_MOST_TURNS = 20  # of the event loop, in which a device that is asked takes an answer in


def is_capture(first_line: bytes) -> bool:
    """Whether a file that begins so is a capture."""
    return first_line.startswith(b'{"capture":')


async def replay_capture(
    lines: Iterable[bytes],
    sink: Sink,
    *,
    subject: str | None = None,
    key: str | None = None,
    signals: Signals | None = None,
) -> None:
    """Hand everything to `sink` and `signals` as when it came; `key` opens what was sealed.

    Raises:
        CaptureRefused: a line is none of a capture; everything before it was handed over.
    """
    numbered = enumerate(lines, start=1)
    head = _head(numbered)
    try:
        began = datetime.fromtimestamp(head.began_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise CaptureRefused(1, f"it began at no time: {error}") from error
    clock = FakeClock(began, state=head.clock)
    played = {
        one.id: _Played(one, sink, clock=clock, subject=subject, key=key, signals=signals or _NobodyLooks())
        for one in head.devices
    }
    passed_ns = 0
    try:
        for number, text in numbered:
            if not text.strip():
                continue
            line = _decoded(number, text, _line_decoder)
            device = played.get(line.device)
            if device is None or line.at_ns < passed_ns:
                raise CaptureRefused(number, f"no device {line.device!r}" if device is None else "an earlier time")
            clock.advance((line.at_ns - passed_ns) / 1e9)
            passed_ns = line.at_ns
            try:
                await device.play(line)
            except (ValueError, KeyError) as error:
                raise CaptureRefused(number, f"{line.what}: {error}") from error
    finally:
        for device in played.values():
            await device.end()


class _Played:
    """One device of a capture."""

    def __init__(
        self,
        device: CapturedDevice,
        sink: Sink,
        *,
        clock: FakeClock,
        subject: str | None,
        key: str | None,
        signals: Signals,
    ) -> None:
        kind = _kind(device)
        own_key = key if kind.key_bytes else None
        config = DeviceConfig(
            id=device.id, kind=device.kind, port=device.port, address=device.address, subject=subject, key=own_key
        )
        intake = Intake(config, sink=sink, clock=clock, signals=signals)
        self._receiver: SerialReceiver | None = kind.receiver(intake) if isinstance(kind, SerialKind) else None
        self._peer: HeardPeer | None = None if self._receiver is not None else peer_of(intake)
        self._draining = None if self._peer is None else asyncio.create_task(self._peer.inbox.drain())
        self._asked: asyncio.Task[float] | None = None

    async def play(self, line: CaptureLine) -> None:
        """Hand one thing over, and wait until it is taken."""
        if self._receiver is not None:
            await _to_receiver(self._receiver, line)
        elif self._peer is not None:
            self._to_peer(self._peer, line)
            for _ in range(_MOST_TURNS if self._asked is not None else 1):
                await asyncio.sleep(0)
            await self._peer.inbox.settled()

    async def end(self) -> None:
        """What was begun and not ended is refused, as where reading ends."""
        if self._receiver is not None:
            await self._receiver.paused()
        tasks = [task for task in (self._asked, self._draining) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _to_peer(self, peer: HeardPeer, line: CaptureLine) -> None:
        match line.what:
            case "heard":
                services = {uuid: bytes.fromhex(data) for uuid, data in line.service_data.items()}
                makers = {int(company): bytes.fromhex(data) for company, data in line.manufacturer_data.items()}
                peer.advertised(Heard(services, makers, line.name))
            case "value":
                peer.notified(bytes.fromhex(line.data))
            case "told" if peer.asking is not None:
                peer.asking.told(line.of, bytes.fromhex(line.data))
            case "ask" if peer.asking is not None:
                self._asked = asyncio.create_task(peer.asking.ask(_written))
            case "wrote":
                pass  # what is asked now is asked by the code of now; the answers are those of then
            case "battery":
                peer.battery(int(line.data))
            case "linked":
                peer.linked(LinkReason(line.data))
            case "unlinked":
                if self._asked is not None:
                    self._asked.cancel()
                peer.unlinked(LinkReason(line.data), line.of)
            case _:
                raise KeyError("nothing that a radio hands over")


class _NobodyLooks:
    """What was asked for then is played again, whether somebody looks at it now or not."""

    def take(self, stretch: Stretch) -> tuple[Observation, ...]:
        del stretch
        return ()


def _kind(device: CapturedDevice) -> Kind:
    kind = find_kind(device.kind)
    if kind is None:
        raise CaptureRefused(1, f"no kind of device {device.kind[:64]!r} here")
    return kind


async def _to_receiver(receiver: SerialReceiver, line: CaptureLine) -> None:
    match line.what:
        case "opened":
            receiver.opened()
        case "received":
            await receiver.received(bytes.fromhex(line.data))
        case "paused":
            await receiver.paused()
        case "wrote":
            pass  # the code of now says what it would answer; what the device says next is that of then
        case "lost":
            await receiver.lost(LinkReason(line.data), line.of)
        case _:
            raise KeyError("nothing that a port hands over")


async def _written(characteristic_uuid: str, value: bytes) -> None:
    del characteristic_uuid, value


def _head(numbered: Iterator[tuple[int, bytes]]) -> CaptureHead:
    number, text = next(numbered, (1, b""))
    head = _decoded(number, text, _head_decoder)
    if head.capture != VERSION:
        raise CaptureRefused(number, f"a capture of version {head.capture}; this reads {VERSION}")
    return head


def _decoded(number: int, text: bytes, decoder: "msgspec.json.Decoder[_Line]") -> "_Line":
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CaptureRefused(number, str(error)) from error
