"""Serves one model: opens its door, lets it say what it says, with its faults, and tells each step.

open --> says --every so often--> says ... --count reached, or stopped--> closed
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kanhu.contract.clock import Clock
from kanhu.firmware_sim.air import Air, Beacon, ControlPoint, Delivery, HciPort, Identity, Peripheral, RadioController
from kanhu.firmware_sim.alone.course import BATTERY_PERCENT, LOW_BATTERY_PERCENT, AloneFault, Course, Options
from kanhu.firmware_sim.alone.model import Advertiser, Asked, Connected, Conversing, Model, Moment, OnALine, Streaming
from kanhu.firmware_sim.alone.streaming import StrapStream
from kanhu.firmware_sim.errors import ModelRefused
from kanhu.firmware_sim.serial_line import SerialLine

__all__ = ["AloneFault", "Options", "serve"]

_ADDRESS_OF_GATEWAY = "02:6B:68:00:01:01"
_INTERVAL_S = 0.2
_LOOK_S = 0.05
_LANDING_S = 0.5
"""What is on the air when a device leaves it may still arrive."""


Say = Callable[[Mapping[str, object]], None]


async def serve(model: Model, options: Options, *, clock: Clock, say: Say) -> None:
    """Until its count is reached, or this is cancelled.

    Raises:
        ModelRefused: it takes no key or plays no recording, or a serial device was given no name of a line.
        RecordRefused: a recording cannot be played.
        OSError: a recording cannot be read.
    """
    if options.key is not None and not model.takes_key:
        raise ModelRefused(model.name, "it seals nothing; leave the key away")
    if options.recordings and not isinstance(model, Streaming):
        raise ModelRefused(model.name, "it streams no signal; leave the recording away")
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


async def _serve_line(model: OnALine, options: Options, *, clock: Clock, say: Say) -> None:
    line = SerialLine(_line_name(model, options))
    try:
        say({"ready": model.name, "port": str(line.name)})
        course = Course(model, options, clock=clock)
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
        course = Course(model, options, clock=clock)
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
    course = Course(model, options, clock=clock)
    while (moment := await course.next()) is not None:
        for each in course.messages(model.advertisement(moment)):
            say({"said": each.hex()})
            await beacon.advertise(each, times=model.times, interval_s=_INTERVAL_S)
    say({"done": model.name})


async def _serve_linked(model: Connected | Asked, options: Options, *, air: Air, clock: Clock, say: Say) -> None:
    questions: asyncio.Queue[bytes] = asyncio.Queue()
    course = Course(model, options, clock=clock)
    low = any(name == AloneFault.LOW_BATTERY for name, _ in options.faults)
    stream = StrapStream(model, options, clock=clock, say=say) if isinstance(model, Streaming) else None
    peripheral = Peripheral(
        air,
        identity=Identity(
            name=f"{model.name} alone",
            address=options.address,
            service_uuid=model.service_uuid,
            maker="kanhu simulator",
            model=model.name,
            battery_percent=LOW_BATTERY_PERCENT if low else BATTERY_PERCENT,
        ),
        measurement_uuid=model.measurement_uuid,
        delivery=model.delivery if isinstance(model, Connected) else Delivery.NOTIFY,
        control=ControlPoint(model.control_uuid, questions.put_nowait) if isinstance(model, Asked) else None,
        stream=None if stream is None else stream.service,
    )
    await peripheral.power_on()
    if stream is not None:
        answering = asyncio.create_task(stream.run(peripheral), name="stream")
    else:
        answering = asyncio.create_task(_answer(model, questions, peripheral, course, say=say), name="answer")
    try:
        while (moment := await course.next()) is not None:
            if answering.done():
                answering.result()  # it never ends by itself
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
    model: Connected, moment: Moment, peripheral: Peripheral, course: Course, *, clock: Clock, say: Say
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
    model: Model, questions: "asyncio.Queue[bytes]", peripheral: Peripheral, course: Course, *, say: Say
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
