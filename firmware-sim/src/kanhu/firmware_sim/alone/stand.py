"""Serves one model: opens its door, lets it say what it says, with its faults, and tells each step.

open --> says --every so often--> says ... --count reached, or stopped--> closed
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from kanhu.contract.clock import Clock
from kanhu.firmware_sim.air import Air, Beacon, ControlPoint, Delivery, HciPort, Identity, Peripheral, RadioController
from kanhu.firmware_sim.alone.model import Advertiser, Asked, Connected, Conversing, Model, Moment, OnALine
from kanhu.firmware_sim.devices.spoiler import Spoiler
from kanhu.firmware_sim.errors import ModelRefused
from kanhu.firmware_sim.scenario.model import DeviceFault, Fault
from kanhu.firmware_sim.serial_line import SerialLine

__all__ = ["AloneFault", "Options", "serve"]

_ADDRESS_OF_GATEWAY = "02:6B:68:00:01:01"
_LOW_BATTERY_PERCENT, _BATTERY_PERCENT = 4, 80
_USUAL_WRONG_S = -3 * 86_400.0
_USUAL_SHARE = 0.2
_INTERVAL_S = 0.2
_LOOK_S = 0.05
_LANDING_S = 0.5
"""What is on the air when a device leaves it may still arrive."""
_LONGEST_SLEEP_S = 0.5


class AloneFault(StrEnum):
    """How a device that stands alone fails, besides what it does to its messages (DeviceFault)."""

    NO_RESULT = "no_result"  # says that it measured and has none, in this share of its messages
    WRONG_CLOCK = "wrong_clock"  # so many seconds ahead
    LOW_BATTERY = "low_battery"
    DISCONNECTS = "disconnects"  # ends the link after this share of its messages


@dataclass(frozen=True, slots=True)
class Options:
    """How it is served."""

    address: str
    port: Path | None = None
    """Where a serial line is named."""
    hci_port: int = 0
    every_s: float | None = None
    count: int | None = None
    key: bytes | None = None
    seed: int = 1
    faults: tuple[tuple[str, float], ...] = ()
    """Names of DeviceFault or AloneFault, with an amount, 0 for the usual."""


Say = Callable[[Mapping[str, object]], None]


async def serve(model: Model, options: Options, *, clock: Clock, say: Say) -> None:
    """Until its count is reached, or this is cancelled.

    Raises:
        ModelRefused: it takes no key, or a serial device was given no name of a line.
    """
    if options.key is not None and not model.takes_key:
        raise ModelRefused(model.name, "it seals nothing; leave the key away")
    if isinstance(model, OnALine):
        await _serve_line(model, options, clock=clock, say=say)
        return
    if isinstance(model, Conversing):
        await _serve_conversation(model, options, clock=clock, say=say)
        return
    if not isinstance(model, Advertiser | Connected | Asked):
        raise ModelRefused(model.name, "nothing is known of how it is reached")
    radio = RadioController("gateway", link=(air := Air()), public_address=_ADDRESS_OF_GATEWAY)
    port = HciPort(radio)
    await port.open(options.hci_port)
    try:
        say({"ready": model.name, "hci": port.transport, "address": options.address})
        if isinstance(model, Advertiser):
            await _serve_heard(model, options, air=air, clock=clock, say=say)
        else:
            await _serve_linked(model, options, air=air, clock=clock, say=say)
    finally:
        port.close()


class _Course:
    """The moments of one device, and what its faults make of them."""

    def __init__(self, model: Model, options: Options, *, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._every_s = model.every_s if options.every_s is None else options.every_s
        self._draw = random.Random(f"{options.seed}/{model.name}")
        self._fate = random.Random(f"{options.seed}/faults")
        self._amounts = dict(options.faults)
        own = [Fault(at_s=0, on="device alone", what=name, amount=amount) for name, amount in options.faults
               if name in set(DeviceFault)]  # fmt: skip  # a filter by rows
        self._spoiler = Spoiler(own, seed=str(options.seed))
        self._began_ns = clock.mono_ns()
        self._number = 0

    async def next(self) -> Moment | None:
        """The next moment, when it has come; None after the last."""
        if self._number == self._options.count:
            return None
        due_s = self._number * self._every_s + self._spoiler.delay_s(0.0)
        while (left_s := due_s - (self._clock.mono_ns() - self._began_ns) / 1e9) > 0:
            await self._clock.sleep(min(left_s, _LONGEST_SLEEP_S))
        wrong_s = self._amounts.get(AloneFault.WRONG_CLOCK)
        ahead = timedelta(seconds=0 if wrong_s is None else wrong_s or _USUAL_WRONG_S)
        low = AloneFault.LOW_BATTERY in self._amounts
        moment = Moment(
            number=self._number,
            at=(self._clock.now() + ahead).replace(microsecond=0),
            draw=self._draw,
            address=bytes.fromhex(self._options.address.replace(":", "")),
            key=self._options.key,
            battery_percent=_LOW_BATTERY_PERCENT if low else _BATTERY_PERCENT,
        )
        self._number += 1
        return moment

    def happens(self, fault: AloneFault) -> bool:
        """Whether it befalls this message."""
        amount = self._amounts.get(fault)
        return amount is not None and self._fate.random() < (amount or _USUAL_SHARE)

    def messages(self, message: bytes) -> list[bytes]:
        """What leaves the device in its place."""
        return self._spoiler.messages(message, 0.0)


async def _serve_line(model: OnALine, options: Options, *, clock: Clock, say: Say) -> None:
    line = SerialLine(_line_name(model, options))
    try:
        say({"ready": model.name, "port": str(line.name)})
        course = _Course(model, options, clock=clock)
        while (moment := await course.next()) is not None:
            if model.answer is not None and (written := line.read()):
                line.write(model.answer(written))
            none = model.no_result is not None and course.happens(AloneFault.NO_RESULT)
            packet = model.no_result(moment) if none and model.no_result is not None else model.packet(moment)
            if line.is_open():
                for each in course.messages(packet):
                    line.write(each)
        say({"done": model.name})
    finally:
        line.close()


async def _serve_conversation(model: Conversing, options: Options, *, clock: Clock, say: Say) -> None:
    line = SerialLine(_line_name(model, options))
    try:
        say({"ready": model.name, "port": str(line.name)})
        course = _Course(model, options, clock=clock)
        while (moment := await course.next()) is not None:
            none = course.happens(AloneFault.NO_RESULT)
            talk = model.no_result(moment) if none else model.talk(moment)
            words = next(talk)
            while words:
                if course.happens(AloneFault.DISCONNECTS):
                    say({"dropped": moment.number})
                    talk.close()
                    line.close()
                    line = SerialLine(_line_name(model, options))
                    break
                say({"said": words.hex()})
                await _write(line, course.messages(words), clock=clock)
                try:
                    words = talk.send(await _heard(line, patience_s=model.patience_s, clock=clock))
                except StopIteration as end:
                    say({"said": end.value.hex()})
                    await _write(line, [end.value], clock=clock)
                    break
        await clock.sleep(_LANDING_S)
        say({"done": model.name})
    finally:
        line.close()


async def _write(line: SerialLine, messages: Sequence[bytes], *, clock: Clock) -> None:
    """Once somebody has the line open."""
    while not line.is_open():
        await clock.sleep(_LOOK_S)
    for each in messages:
        line.write(each)


async def _heard(line: SerialLine, *, patience_s: float, clock: Clock) -> bytes:
    """The answer; nothing where patience ends before."""
    until_ns = clock.mono_ns() + patience_s * 1e9
    while not (heard := line.read()) and clock.mono_ns() < until_ns:
        await clock.sleep(_LOOK_S)
    return heard


def _line_name(model: Model, options: Options) -> Path:
    if options.port is None:
        raise ModelRefused(model.name, "it talks on a serial line; name one with --port FILE")
    return options.port


async def _serve_heard(model: Advertiser, options: Options, *, air: Air, clock: Clock, say: Say) -> None:
    beacon = Beacon(air, address=options.address, clock=clock)
    course = _Course(model, options, clock=clock)
    while (moment := await course.next()) is not None:
        for each in course.messages(model.advertisement(moment)):
            say({"said": each.hex()})
            await beacon.advertise(each, times=model.times, interval_s=_INTERVAL_S)
    say({"done": model.name})


async def _serve_linked(model: Connected | Asked, options: Options, *, air: Air, clock: Clock, say: Say) -> None:
    questions: asyncio.Queue[bytes] = asyncio.Queue()
    course = _Course(model, options, clock=clock)
    low = any(name == AloneFault.LOW_BATTERY for name, _ in options.faults)
    peripheral = Peripheral(
        air,
        identity=Identity(
            name=f"{model.name} alone",
            address=options.address,
            service_uuid=model.service_uuid,
            maker="kanhu simulator",
            model=model.name,
            battery_percent=_LOW_BATTERY_PERCENT if low else _BATTERY_PERCENT,
        ),
        measurement_uuid=model.measurement_uuid,
        delivery=model.delivery if isinstance(model, Connected) else Delivery.NOTIFY,
        control=ControlPoint(model.control_uuid, questions.put_nowait) if isinstance(model, Asked) else None,
    )
    await peripheral.power_on()
    answering = asyncio.create_task(_answer(model, questions, peripheral, course, say=say), name="answer")
    try:
        while (moment := await course.next()) is not None:
            if isinstance(model, Asked):
                model.measure(moment)
                say({"measured": moment.number})
            else:
                await _send(model, moment, peripheral, course, clock=clock, say=say)
        await clock.sleep(_LANDING_S)
        say({"done": model.name})
        if isinstance(model, Asked):
            await answering  # its memory can still be asked for
    finally:
        answering.cancel()
        await peripheral.power_off()


async def _send(
    model: Connected, moment: Moment, peripheral: Peripheral, course: _Course, *, clock: Clock, say: Say
) -> None:
    """One reading, once somebody listens."""
    while not peripheral.has_subscriber():
        await clock.sleep(_LOOK_S)
    none = model.no_result is not None and course.happens(AloneFault.NO_RESULT)
    value = model.no_result(moment) if none and model.no_result is not None else model.value(moment)
    for each in course.messages(value):
        say({"said": each.hex()})
        await peripheral.send(each)
    if course.happens(AloneFault.DISCONNECTS):
        say({"dropped": moment.number})
        await peripheral.drop()


async def _answer(
    model: Model, questions: "asyncio.Queue[bytes]", peripheral: Peripheral, course: _Course, *, say: Say
) -> None:
    while isinstance(model, Asked):
        question = await questions.get()
        answer = model.answer(question)
        say({"asked": question.hex(), "values": len(answer.values)})
        for value in answer.values:
            if course.happens(AloneFault.DISCONNECTS):
                say({"dropped": question.hex()})
                await peripheral.drop()
                break
            for each in course.messages(value):
                await peripheral.send(each)
        else:
            await peripheral.answer(answer.control)
