"""One model by Bluetooth: it advertises what it senses, or is connected to, with its faults."""

import asyncio

from kanhu.contract.clock import Clock
from kanhu.firmware_sim.air import Air, Beacon, ControlPoint, Delivery, Identity, Peripheral
from kanhu.firmware_sim.alone.course import (
    BATTERY_PERCENT,
    LANDING_S,
    LOOK_S,
    LOW_BATTERY_PERCENT,
    AloneFault,
    Course,
    Options,
    Say,
)
from kanhu.firmware_sim.alone.model import Advertiser, Asked, Commanded, Connected, Model, Moment, Streaming
from kanhu.firmware_sim.alone.streaming import StrapStream

__all__ = ["serve_heard", "serve_linked"]

_INTERVAL_S = 0.2


async def serve_heard(model: Advertiser, options: Options, *, air: Air, clock: Clock, say: Say) -> None:
    """Until its count is reached."""
    beacon = Beacon(air, address=options.address, clock=clock)
    course = Course(model, options, clock=clock)
    while (moment := await course.next()) is not None:
        for each in course.messages(model.advertisement(moment)):
            say({"said": each.hex()})
            await beacon.advertise(each, times=model.times, interval_s=_INTERVAL_S)
    say({"done": model.name})


async def serve_linked(
    model: Connected | Commanded | Asked, options: Options, *, air: Air, clock: Clock, say: Say
) -> None:
    """Until its count is reached; one that is asked goes on answering."""
    questions: asyncio.Queue[bytes] = asyncio.Queue()
    begun = asyncio.Event()
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
        delivery=Delivery.NOTIFY if isinstance(model, Asked) else model.delivery,
        control=None if isinstance(model, Connected) else ControlPoint(model.control_uuid, questions.put_nowait),
        stream=None if stream is None else stream.service,
    )
    await peripheral.power_on()
    if stream is not None:
        answering = asyncio.create_task(stream.run(peripheral), name="stream")
    else:
        answering = asyncio.create_task(_answer(model, questions, peripheral, course, begun, say=say), name="answer")
    try:
        while (moment := await course.next()) is not None:
            if answering.done():
                answering.result()  # it never ends by itself
            if isinstance(model, Asked):
                model.measure(moment)
                say({"measured": moment.number})
            else:
                await _send(model, moment, peripheral, course, begun, clock=clock, say=say)
        await clock.sleep(LANDING_S)
        say({"done": model.name})
        if isinstance(model, Asked):
            await answering  # its memory can still be asked for
    finally:
        answering.cancel()
        await peripheral.power_off()


async def _send(
    model: Connected | Commanded,
    moment: Moment,
    peripheral: Peripheral,
    course: Course,
    begun: asyncio.Event,
    *,
    clock: Clock,
    say: Say,
) -> None:
    """One reading, once somebody listens and has commanded to begin where that is wanted."""
    while not (listening := peripheral.has_subscriber()) or (isinstance(model, Commanded) and not begun.is_set()):
        if not listening:
            begun.clear()
        await clock.sleep(LOOK_S)
    for value in _values(model, moment, course):
        for each in course.messages(value):
            say({"said": each.hex()})
            await peripheral.send(each)
    if course.happens(AloneFault.DISCONNECTS):
        say({"dropped": moment.number})
        await peripheral.drop()
        begun.clear()


def _values(model: Connected | Commanded, moment: Moment, course: Course) -> tuple[bytes, ...]:
    if isinstance(model, Commanded):
        return model.values(moment)
    none = model.no_result is not None and course.happens(AloneFault.NO_RESULT)
    return (model.no_result(moment) if none and model.no_result is not None else model.value(moment),)


async def _answer(
    model: Model,
    questions: "asyncio.Queue[bytes]",
    peripheral: Peripheral,
    course: Course,
    begun: asyncio.Event,
    *,
    say: Say,
) -> None:
    while isinstance(model, Commanded):
        command = await questions.get()
        say({"commanded": command.hex()})
        await peripheral.answer(model.answer(command))
        if command == model.begin:
            begun.set()
        else:
            begun.clear()
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
