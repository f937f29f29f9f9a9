"""Topics that nobody thought of, drawn around a victim's own: said, willed and listened to by who may do none of it.

They go through an MQTT client of our own, for a library's refuses most of them before a broker sees any. Looked at is
what came through, at the county, at the victim and at the attacker; a broker may acknowledge what it throws away.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiomqtt

from kanhu.contract import Down, Receipt, down_topic, encode_receipt
from kanhu.contract.receipt import RECEIPT_VERSION
from kanhu.firmware_sim.fleet import mqtt
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.prove.gatehouse_rig import CONNECT_S, Pass, Rig, heartbeat, letter, new_epoch

__all__ = ["listens_around", "says_around"]

_BATCH = 100
"""Said or asked for before an answer is waited for."""
_LOOK_EVERY = 500
"""Below what the county keeps of refused messages, so that none is gone before it was looked at."""
_WILLS_ONE_IN = 50
"""Each costs a connection."""
_READ_BYTES = 65536
_KEEPALIVE_S = 60


async def says_around(rig: Rig, attacker: Pass, victim: Pass, topics: Sequence[str]) -> str:
    """Say a letter and a receipt in the victim's name on each; "" where neither came to anybody."""
    forged = _Forged.of(victim.name)
    reached: set[str] = set()
    async with rig.client(victim) as listening:
        await listening.subscribe(f"kanhu/v1/down/{victim.name}/#")
        heard = asyncio.create_task(forged.heard_by(listening), name="the victim")
        for at in range(0, len(topics), _LOOK_EVERY):
            some = topics[at : at + _LOOK_EVERY]
            await _say(rig, attacker, some, forged)
            await _will(rig, attacker, some[::_WILLS_ONE_IN], forged)
            await _honest_letter(rig, attacker)
            reached |= forged.reached(rig, attacker.name)
        if heard.done():
            raise ProgramFailed("listening as the victim", "its connection ended: it would have heard nothing")
        heard.cancel()
        reached |= {f"the victim: {topic}" for topic in forged.came}
        await asyncio.gather(heard, return_exceptions=True)
    return f"got through: {sorted(reached)[:3]}" if reached else ""


async def listens_around(rig: Rig, attacker: Pass, victim: Pass, filters: Sequence[str]) -> str:
    """Subscribe to each while the county and the victim speak; "" where nothing but one's own was heard."""
    heard: set[str] = set()
    granted = await _granted(rig, attacker, filters, heard)
    async with rig.client(victim) as speaking:
        await speaking.subscribe(down_topic(victim.name, Down.RECEIPT))
        for at in range(0, len(granted), _BATCH):
            heard |= await _overheard(rig, attacker, granted[at : at + _BATCH], speaking, victim.name)
    if not granted:
        return "no filter was answered, so that nothing was tried"
    foreign = sorted(topic for topic in heard if not topic.startswith(f"kanhu/v1/down/{attacker.name}/"))
    return f"heard {foreign[:3]}" if foreign else ""


async def _overheard(
    rig: Rig, attacker: Pass, filters: Sequence[str], speaking: aiomqtt.Client, victim: str
) -> set[str]:
    """Topics that came while the victim sent a heartbeat and got its receipt, up to one's own receipt after it."""
    own = down_topic(attacker.name, Down.RECEIPT)
    async with _bare(rig, attacker) as line:
        await line.ask(_subscriptions([own, *filters]))
        await _answered(speaking, victim)
        line.send(mqtt.publish(*heartbeat(attacker.name), packet_id=1))
        await line.until(lambda: own in line.heard)
        if own not in line.heard:
            raise ProgramFailed("listening as the attacker", "the broker hung up before its own receipt came")
        return line.heard


@dataclass(slots=True)
class _Forged:
    """What is said in the victim's name, and to whom it came."""

    letter: bytes
    epoch: str
    receipt: bytes
    came: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, victim: str) -> "_Forged":
        """A reading, and a receipt for all that its gateway may ever owe: it would delete them."""
        epoch = new_epoch()
        _, body = letter(victim, epoch)
        return cls(body, epoch, encode_receipt(Receipt(RECEIPT_VERSION, victim, secrets.token_hex(16), 2**40)))

    def body(self, topic: str) -> bytes:
        """What would do most harm there."""
        return self.receipt if "down" in topic else self.letter

    async def heard_by(self, client: aiomqtt.Client) -> None:
        """Note where the victim hears of it."""
        async for message in client.messages:
            if message.payload in {self.letter, self.receipt}:
                self.came.add(str(message.topic))

    def reached(self, rig: Rig, attacker: str) -> set[str]:
        """Where the county heard of it: what it stored, and what it refused that was not under the attacker's name."""
        stored = rig.rows("SELECT gateway FROM segment WHERE epoch = ?", self.epoch)
        refused = rig.rows(
            "SELECT DISTINCT topic FROM quarantine WHERE body = ? OR body = ?", self.letter, self.receipt
        )
        foreign = {topic for (topic,) in refused if not topic.startswith(f"kanhu/v1/up/{attacker}/")}
        return foreign | {f"stored as {gateway}" for (gateway,) in stored}


async def _say(rig: Rig, attacker: Pass, topics: Sequence[str], forged: _Forged) -> None:
    """Publish on each. A broker ends the connection at some: that one is behind us, the next are said on a new one."""
    left = list(topics)
    while left:
        async with _bare(rig, attacker) as line:
            while left and line.is_open:
                batch = enumerate(left[:_BATCH], 1)
                answered = await line.ask([mqtt.publish(to, forged.body(to), packet_id=number) for number, to in batch])
                left = left[answered + (not line.is_open) :]


async def _will(rig: Rig, attacker: Pass, topics: Sequence[str], forged: _Forged) -> None:
    """Leave each as a last will, and break the connection."""
    for topic in topics:
        async with _bare(rig, attacker, will=mqtt.Will(topic, forged.body(topic))) as line:
            line.cut()


async def _granted(rig: Rig, attacker: Pass, filters: Sequence[str], heard: set[str]) -> list[str]:
    """Those that are answered at all, with whatever; at the others the broker ends the connection."""
    left, granted = list(filters), []
    while left:
        async with _bare(rig, attacker) as line:
            answered = await line.ask(_subscriptions(left[:_BATCH]))
            granted += left[:answered]
            left = left[answered + (not line.is_open) :]
            heard |= line.heard
    return granted


def _subscriptions(filters: Sequence[str]) -> list[bytes]:
    return [mqtt.subscribe([one], packet_id=number) for number, one in enumerate(filters, 1)]


async def _honest_letter(rig: Rig, attacker: Pass) -> None:
    """What was said before it has then been dealt with."""
    epoch = new_epoch()
    async with _bare(rig, attacker) as line:
        await line.ask([mqtt.publish(*letter(attacker.name, epoch), packet_id=1)])
    await rig.until_stored(epoch)


async def _answered(client: aiomqtt.Client, name: str) -> None:
    """A heartbeat of the victim, and its receipt."""
    await client.publish(*heartbeat(name), qos=1)
    async with asyncio.timeout(CONNECT_S):
        async for _ in client.messages:
            return


class _Line:
    """A connection on which anything can be said."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """It stands, and nothing was said on it."""
        self._reader = reader
        self._writer = writer
        self._parser = mqtt.Parser()
        self._answers = 0
        self.is_open = True
        self.let_in = False
        self.heard: set[str] = set()
        """Topics of what came."""

    def send(self, data: bytes) -> None:
        """Say something."""
        self._writer.write(data)

    def cut(self) -> None:
        """Break off without a goodbye."""
        self._writer.transport.abort()

    async def ask(self, packets: Sequence[bytes]) -> int:
        """Say these; how many were answered before the broker ended the connection, or all."""
        before = self._answers
        self._writer.write(b"".join(packets))
        await self.until(lambda: self._answers - before == len(packets))
        return self._answers - before

    async def until(self, done: Callable[[], bool]) -> None:
        """Read until then, or to the end of the connection: who needs to know which asks `done` again.

        Raises:
            ProgramFailed: the broker says nothing, and stays.
        """
        try:
            async with asyncio.timeout(CONNECT_S):
                while self.is_open and not done():
                    await self._read()
        except TimeoutError:
            raise ProgramFailed("waiting for a broker's answer", f"silent for {CONNECT_S:.0f} s") from None

    async def _read(self) -> None:
        try:
            data = await self._reader.read(_READ_BYTES)
        except OSError:  # reset, or an alert of TLS
            data = b""
        self.is_open = bool(data)
        for packet in self._parser.feed(data):
            match packet:
                case mqtt.Puback() | mqtt.Suback():
                    self._answers += 1
                case mqtt.Connack(code=code):
                    self.let_in = code == 0
                case mqtt.Publish(topic=topic):
                    self.heard.add(topic)
                case _:
                    pass


@asynccontextmanager
async def _bare(rig: Rig, holder: Pass, *, will: mqtt.Will | None = None) -> AsyncIterator[_Line]:
    """A session; one that the broker refuses, for its will, is one on which nothing is answered."""
    reader, writer = await asyncio.open_connection("localhost", rig.broker_port, ssl=rig.trusting(holder))
    line = _Line(reader, writer)
    try:
        line.send(mqtt.connect(holder.name, keepalive_s=_KEEPALIVE_S, will=will))
        await line.until(lambda: line.let_in)
        if will is None and not line.let_in:
            raise ProgramFailed("connecting as the attacker", "the broker did not let an enrolled gateway in")
        yield line
    finally:
        writer.transport.abort()
