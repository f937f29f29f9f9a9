"""A receiver of plain MQTT JSON: the other end for gateways that know nothing of docs/spec/.

It is broker and store in one, as the servers are that such gateways are built for: what it acknowledges, it has
stored. A reading is any JSON object, however deep, that holds the key `n`; with a time stamp `ts` beside or above it
the same reading twice is a redelivery, as it is for a store of time series, without one it is a duplicate.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from kanhu.contract import Clock
from kanhu.harness.conform import mqtt_packets as mqtt
from kanhu.harness.conform.county import Committed

__all__ = ["PlainCounty"]

_RPC_REQUEST = "v1/devices/me/rpc/request/"
_RPC_RESPONSE = "v1/devices/me/rpc/response/"
_SESSION_LIMITS = {"maxPayloadSize": 65_536, "maxInflightMessages": 100, "rateLimits": {}, "gatewayRateLimits": {}}
"""What a server of ThingsBoard answers when a gateway asks: no limit that would slow it."""

_LONGEST_NUMBER = 18
"""Digits of the largest reading that is one."""
_Stamp = int | float | str | None


@dataclass(slots=True)
class PlainCounty:
    """Listens while it is up; `committed` outlives a kill."""

    port: int
    clock: Clock
    committed: Committed = field(default_factory=Committed)
    _seen: dict[int, set[_Stamp]] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def kill(self) -> None:
        """Forget every session and stop listening."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(OSError, EOFError, ValueError, IndexError):  # gone, or not MQTT
            level = mqtt.read_connect(await mqtt.read_packet(reader))
            writer.write(mqtt.connack(level=level))
            while True:
                await writer.drain()
                packet = await mqtt.read_packet(reader)
                if packet.kind == mqtt.Kind.DISCONNECT:
                    break
                self._take(packet, writer, level)
        self._writers.discard(writer)
        writer.close()

    def _take(self, packet: mqtt.Packet, writer: asyncio.StreamWriter, level: int) -> None:
        match packet.kind:
            case mqtt.Kind.PUBLISH:
                publication = mqtt.read_publish(packet, level=level)
                self._store(publication.payload)
                if publication.qos:
                    writer.write(mqtt.short_answer(mqtt.Kind.PUBACK, publication.number))
                if publication.topic.startswith(_RPC_REQUEST):
                    answer = _RPC_RESPONSE + publication.topic.removeprefix(_RPC_REQUEST)
                    writer.write(mqtt.publish(answer, json.dumps(_SESSION_LIMITS).encode(), level=level))
            case mqtt.Kind.SUBSCRIBE:
                writer.write(mqtt.subscribe_answer(packet, level=level))
            case mqtt.Kind.UNSUBSCRIBE:
                writer.write(mqtt.unsubscribe_answer(packet, level=level))
            case mqtt.Kind.PINGREQ:
                writer.write(mqtt.short_answer(mqtt.Kind.PINGRESP))

    def _store(self, payload: bytes) -> None:
        try:
            message = json.loads(payload)
        except (ValueError, RecursionError):
            self.committed.refused["malformed"] += 1
            return
        for number, ts in _readings(message, None):
            times = self._seen.setdefault(number, set())
            if ts is not None and ts in times:
                self.committed.redelivered += 1
                continue
            times.add(ts)
            self.committed.numbers[number] += 1
            self.committed.arrived_s.setdefault(number, self.clock.mono_ns() / 1e9)


def _readings(part: Any, ts: _Stamp) -> Iterator[tuple[int, _Stamp]]:
    if isinstance(part, dict):
        own = part.get("ts", ts)
        stamp = own if isinstance(own, int | float | str) else ts
        number = part.get("n")
        if isinstance(number, str) and number.isdecimal() and len(number) <= _LONGEST_NUMBER:
            number = int(number)
        if isinstance(number, int) and not isinstance(number, bool):
            yield number, stamp
        for each in part.values():
            yield from _readings(each, stamp)
    elif isinstance(part, list):
        for each in part:
            yield from _readings(each, ts)
