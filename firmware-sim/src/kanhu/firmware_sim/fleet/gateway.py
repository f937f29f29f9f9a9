"""One gateway of a fleet, as docs/spec/ sees it from outside: a session, an outbox, heartbeats, receipts.

    away ──▶ connecting ──▶ greeting ──▶ subscribing ──▶ online ──┬─ told to leave ──▶ gone
      ▲          │ unreachable  │ no answer   │                   ├─ connection lost ────────┐
      └──────────┴──────────────┴─────────────┴── back-off ◀──────┴─ receipts or pings silent ┘

It never waits: `wake` does what is due and says when to come again; what the broker says comes through the link.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Protocol

from kanhu.contract import (
    Clock,
    Down,
    Envelope,
    GatewayState,
    Lane,
    MessageRefused,
    Up,
    decode_receipt,
    down_topic,
    encode_envelope,
    new_epoch,
    up_topic,
)
from kanhu.firmware_sim.fleet import mqtt
from kanhu.firmware_sim.fleet.heartbeat import heartbeat
from kanhu.firmware_sim.fleet.outbox import Outbox
from kanhu.firmware_sim.fleet.readings import Sensors
from kanhu.firmware_sim.fleet.tally import Tally

__all__ = ["Habits", "Stage", "VirtualGateway", "Wire"]

SECOND_NS = 1_000_000_000
_MILLISECOND_NS = 1_000_000
_RECORDS_A_PARCEL = 500
_PARCELS_UNDER_WAY = 8
_ANSWER_NS = 8 * SECOND_NS  # for the broker's answer to CONNECT and SUBSCRIBE
_FIRST_BACK_OFF_S = 0.5
_LONGEST_BACK_OFF_S = 30.0
_LAST_PACKET_ID = 0xFFFF


@dataclass(slots=True)
class Habits:
    """What all gateways of a fleet do alike; the times are those of docs/spec/ and of the gateway's defaults."""

    heartbeat_s: float = 60.0
    routine_s: float = 60.0
    """Between two parcels of readings."""
    readings_a_minute: float = 1.0
    keepalive_s: int = 15
    receipt_timeout_s: float = 20.0
    longest_receipt_timeout_s: float = 80.0
    """After silences in a row, each of which doubles the wait."""
    emit_until_ns: int | None = None
    """Readings end here; None while nobody has said when."""


class Stage(StrEnum):
    """Where a gateway is on its way to the county."""

    AWAY = "away"
    CONNECTING = "connecting"
    GREETING = "greeting"
    SUBSCRIBING = "subscribing"
    ONLINE = "online"
    GONE = "gone"


class Wire(Protocol):
    """What a gateway needs of a connection."""

    def send(self, data: bytes) -> None:
        """Hand bytes over."""

    def close(self) -> None:
        """Close in order."""

    def drop(self) -> None:
        """Break off."""


class VirtualGateway:
    """One gateway; `dial` opens a connection for it, `plan` is told when it wants to be woken earlier than known."""

    __slots__ = (
        "_back_off_s", "_backfill_upto", "_beat_ns", "_clock", "_dial", "_draw", "_habits", "_last_ns", "_next_packet",
        "_parcel_ns", "_patience_s", "_ping_ns", "_plan", "_progress_ns", "_retry_ns", "_sensors", "_tally",
        "_unacknowledged", "_wire", "connections", "name", "outbox", "planned_ns", "stage",
    )  # fmt: skip  # ten thousand of them: no dictionary each

    def __init__(
        self,
        name: str,
        *,
        habits: Habits,
        tally: Tally,
        clock: Clock,
        draw: Random,
        dial: Callable[["VirtualGateway"], None],
        plan: Callable[["VirtualGateway"], None],
        first_ns: int,
    ) -> None:
        """Nothing happens before `first_ns`."""
        self.name = name
        self.outbox = Outbox(new_epoch())
        self.stage = Stage.AWAY
        self.planned_ns = first_ns
        self.connections = 0
        self._habits = habits
        self._tally = tally
        self._clock = clock
        self._draw = draw
        self._dial = dial
        self._plan = plan
        self._wire: Wire | None = None
        self._retry_ns = first_ns
        self._sensors = Sensors(
            name, readings_a_minute=habits.readings_a_minute, draw=draw, clock=clock, first_ns=first_ns
        )
        self._parcel_ns = first_ns + round(draw.random() * habits.routine_s * SECOND_NS)
        self._back_off_s = _FIRST_BACK_OFF_S
        self._patience_s = habits.receipt_timeout_s
        self._next_packet = 0
        self._unacknowledged: set[int] = set()
        self._backfill_upto = 0
        self._beat_ns = self._progress_ns = self._last_ns = 0
        self._ping_ns: int | None = None

    # --------------------------------------------------------------------------------------- told to

    def wake(self) -> None:
        """Do what is due; `planned_ns` then says when to come again."""
        now_ns = self._clock.mono_ns()
        match self.stage:
            case Stage.AWAY if now_ns >= self._retry_ns:
                self.stage = Stage.CONNECTING
                self._tally.dials += 1
                self._dial(self)
            case Stage.GREETING | Stage.SUBSCRIBING if now_ns >= self._last_ns + _ANSWER_NS:
                self._tally.broken += 1
                self._break_off(now_ns)
            case Stage.ONLINE:
                self._work(now_ns)
            case _:
                pass
        self.planned_ns = self._due_ns(now_ns)

    def flush(self, at_ns: int) -> None:
        """Send what waits at `at_ns` at the latest; who is away now owes what was measured meanwhile."""
        if self.stage is not Stage.ONLINE:
            self._emit(self._clock.mono_ns())
        self._parcel_ns = min(self._parcel_ns, at_ns)
        self._replan()

    def cut(self, back_ns: int) -> None:
        """The link breaks, and does not stand again before `back_ns`."""
        if self.stage is Stage.GONE:
            return
        wire, self._wire = self._wire, None
        if wire is not None:
            self._tally.broken += 1
            wire.drop()
        self._go_away(self._clock.mono_ns())
        self._retry_ns = back_ns
        self._replan()

    def unreachable(self) -> None:
        """The dialled connection did not come about."""
        self._tally.unreachable += 1
        self._go_away(self._clock.mono_ns())
        self._replan()

    def leave(self) -> None:
        """Say goodbye where there is a connection, and never come back."""
        if self.stage is Stage.ONLINE and self._wire is not None:
            self._say(GatewayState.STOPPED, now_ns=self._clock.mono_ns())
            self._send(mqtt.disconnect())
            self._wire.close()
        elif self._wire is not None:
            self._wire.drop()
        if self.stage is Stage.ONLINE:
            self._tally.online -= 1
        self._wire = None
        self.stage = Stage.GONE

    # ---------------------------------------------------------------------------------- from the link

    def opened(self, wire: Wire) -> None:
        """The connection stands."""
        if self.stage is not Stage.CONNECTING:  # told to leave, or cut, meanwhile
            wire.drop()
            return
        self._wire = wire
        self.stage = Stage.GREETING
        will = mqtt.Will(up_topic(self.name, Up.STATUS), self._status(GatewayState.LOST))
        self._send(mqtt.connect(self.name, keepalive_s=self._habits.keepalive_s, will=will))
        self._replan()

    def received(self, packet: mqtt.Packet) -> None:
        """A packet of the broker."""
        now_ns = self._clock.mono_ns()
        match packet:
            case mqtt.Publish(topic=topic, payload=payload, packet_id=packet_id):
                if packet_id is not None:
                    self._send(mqtt.puback(packet_id))
                if topic == down_topic(self.name, Down.RECEIPT):
                    self._settle(payload, now_ns)
            case mqtt.Puback(packet_id=packet_id):
                self._unacknowledged.discard(packet_id)
            case mqtt.Pingresp():
                self._ping_ns = None
            case mqtt.Connack(code=0) if self.stage is Stage.GREETING:
                self.stage = Stage.SUBSCRIBING
                topics = [down_topic(self.name, Down.RECEIPT)]
                self._send(mqtt.subscribe(topics, packet_id=self._packet_id()))
            case mqtt.Suback(codes=(0,)) if self.stage is Stage.SUBSCRIBING:
                self._begin(now_ns)
            case _:  # a refusal, or something out of turn
                self._tally.broken += 1
                self._break_off(now_ns)
        self._replan()

    def closed(self, wire: Wire) -> None:
        """A connection ended; one that was given up already is nobody's concern."""
        if wire is self._wire:
            self._tally.broken += 1
            self._go_away(self._clock.mono_ns())
            self._replan()

    # -------------------------------------------------------------------------------------- session

    def _begin(self, now_ns: int) -> None:
        self.stage = Stage.ONLINE
        self._tally.online += 1
        self._tally.connections += 1
        self.connections += 1
        self._ping_ns = None
        self._unacknowledged.clear()
        self._emit(now_ns)
        self.outbox.reconnect()
        self._backfill_upto = self.outbox.accepted  # what was not sent in time yields to what comes from now on
        if self.outbox.owed:
            self._parcel_ns = now_ns
        self._say(GatewayState.ONLINE, now_ns=now_ns)

    def _work(self, now_ns: int) -> None:
        if self._ping_ns is not None and now_ns >= self._ping_ns + self._keepalive_ns():
            self._tally.broken += 1
            self._break_off(now_ns)
            return
        if self.outbox.in_flight and now_ns >= self._silent_ns():
            self._tally.silent += 1
            self._back_off_s = _FIRST_BACK_OFF_S  # having waited for receipts is pause enough
            self._patience_s = min(2 * self._patience_s, self._habits.longest_receipt_timeout_s)
            self._break_off(now_ns)
            return
        if now_ns >= self._beat_ns:
            self._say(GatewayState.ONLINE, now_ns=now_ns)
        if now_ns >= self._parcel_ns:
            self._emit(now_ns)
            self._send_parcels(now_ns)
        if self._ping_ns is None and now_ns >= self._last_ns + self._keepalive_ns():
            self._ping_ns = now_ns
            self._send(mqtt.pingreq())

    def _send_parcels(self, now_ns: int) -> None:
        if not self.outbox.in_flight:
            self._progress_ns = now_ns
        for _ in range(_PARCELS_UNDER_WAY - len(self._unacknowledged)):
            before = self.outbox.sent
            late = self.outbox.take(_RECORDS_A_PARCEL, upto=self._backfill_upto, now_ns=now_ns)
            records = late or self.outbox.take(_RECORDS_A_PARCEL, upto=self.outbox.accepted, now_ns=now_ns)
            if not records:
                break
            self._tally.sent += self.outbox.sent - before
            self._tally.parcels += 1
            wire = encode_envelope(Envelope(self.name, self.outbox.epoch, records))
            topic = up_topic(self.name, Lane.BACKFILL if late else Lane.LIVE)
            self._send(mqtt.publish(topic, wire, packet_id=self._packet_id()))
        # More waits where the window is full: an acknowledgement or a receipt is never far then.
        pause_s = 1.0 if self.outbox.waiting else self._habits.routine_s
        self._parcel_ns = now_ns + round(pause_s * SECOND_NS)

    def _settle(self, payload: bytes, now_ns: int) -> None:
        try:
            receipt = decode_receipt(payload)
        except MessageRefused:
            self._tally.foreign_receipts += 1
            return
        if receipt.gateway != self.name or receipt.epoch != self.outbox.epoch:
            self._tally.foreign_receipts += 1
            return
        self._tally.receipts += 1
        self._tally.refused += len(receipt.refused)
        owed = self.outbox.owed
        for sent_ns in self.outbox.settle(receipt):
            self._tally.receipt_ms.append((now_ns - sent_ns) / _MILLISECOND_NS)
        if self.outbox.owed < owed:
            self._tally.receipted += owed - self.outbox.owed
            self._progress_ns = now_ns
            self._back_off_s = _FIRST_BACK_OFF_S
            self._patience_s = self._habits.receipt_timeout_s

    def _break_off(self, now_ns: int) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.drop()
        self._go_away(now_ns)

    def _go_away(self, now_ns: int) -> None:
        self._wire = None
        if self.stage is Stage.GONE:
            return
        if self.stage is Stage.ONLINE:
            self._tally.online -= 1
        self._emit(now_ns)
        self.stage = Stage.AWAY
        self._retry_ns = now_ns + round(self._back_off_s * self._draw.uniform(0.5, 1.0) * SECOND_NS)
        self._back_off_s = min(2 * self._back_off_s, _LONGEST_BACK_OFF_S)

    # ------------------------------------------------------------------------------------- what it says

    def _emit(self, now_ns: int) -> None:
        """Accept the readings that fell due since the last time."""
        until_ns = now_ns if self._habits.emit_until_ns is None else min(now_ns, self._habits.emit_until_ns)
        for record in self._sensors.due(until_ns, now_ns=now_ns):
            self.outbox.accept(record)
            self._tally.emitted += 1

    def _say(self, state: GatewayState, *, now_ns: int) -> None:
        self._tally.heartbeats += 1
        topic = up_topic(self.name, Up.STATUS)
        self._send(mqtt.publish_retained(topic, self._status(state), packet_id=self._packet_id()))
        self._beat_ns = now_ns + round(self._habits.heartbeat_s * SECOND_NS)

    def _status(self, state: GatewayState) -> bytes:
        return heartbeat(
            state,
            gateway=self.name,
            outbox=self.outbox,
            last_reading_ms=self._sensors.last_ms,
            heartbeat_s=self._habits.heartbeat_s,
            clock=self._clock,
        )

    def _send(self, data: bytes) -> None:
        if self._wire is not None:
            self._last_ns = self._clock.mono_ns()
            self._wire.send(data)

    def _packet_id(self) -> int:
        self._next_packet = self._next_packet % _LAST_PACKET_ID + 1
        self._unacknowledged.add(self._next_packet)
        return self._next_packet

    # --------------------------------------------------------------------------------------------- times

    def _replan(self) -> None:
        due_ns = self._due_ns(self._clock.mono_ns())
        if due_ns < self.planned_ns:
            self.planned_ns = due_ns
            self._plan(self)

    def _due_ns(self, now_ns: int) -> int:
        match self.stage:
            case Stage.AWAY:
                return self._retry_ns
            case Stage.GREETING | Stage.SUBSCRIBING:
                return self._last_ns + _ANSWER_NS
            case Stage.ONLINE:
                alive_ns = (self._last_ns if self._ping_ns is None else self._ping_ns) + self._keepalive_ns()
                due_ns = min(alive_ns, self._beat_ns, self._parcel_ns)
                return min(due_ns, self._silent_ns()) if self.outbox.in_flight else due_ns
            case _:
                return now_ns + 3600 * SECOND_NS  # whoever waits for nothing is woken by what happens

    def _silent_ns(self) -> int:
        return self._progress_ns + round(self._patience_s * SECOND_NS)

    def _keepalive_ns(self) -> int:
        return self._habits.keepalive_s * SECOND_NS
