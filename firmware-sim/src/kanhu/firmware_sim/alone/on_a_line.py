"""One model on a serial line: it says what it says, or holds a conversation, with its faults."""

from collections.abc import Sequence
from pathlib import Path

from kanhu.contract.clock import Clock
from kanhu.firmware_sim.alone.course import LANDING_S, LOOK_S, AloneFault, Course, Options, Say
from kanhu.firmware_sim.alone.model import Conversing, Model, OnALine
from kanhu.firmware_sim.errors import ModelRefused
from kanhu.firmware_sim.serial_line import SerialLine

__all__ = ["serve_conversation", "serve_line"]


async def serve_line(model: OnALine, options: Options, *, clock: Clock, say: Say) -> None:
    """Until its count is reached."""
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


async def serve_conversation(model: Conversing, options: Options, *, clock: Clock, say: Say) -> None:
    """The same of a device that goes on when it is answered."""
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
        await clock.sleep(LANDING_S)
        say({"done": model.name})
    finally:
        line.close()


async def _write(line: SerialLine, messages: Sequence[bytes], *, clock: Clock) -> None:
    """Once somebody has the line open."""
    while not line.is_open():
        await clock.sleep(LOOK_S)
    for each in messages:
        line.write(each)


async def _heard(line: SerialLine, *, patience_s: float, clock: Clock) -> bytes:
    """The answer; nothing where patience ends before."""
    until_ns = clock.mono_ns() + patience_s * 1e9
    while not (heard := line.read()) and clock.mono_ns() < until_ns:
        await clock.sleep(LOOK_S)
    return heard


def _line_name(model: Model, options: Options) -> Path:
    if options.port is None:
        raise ModelRefused(model.name, "it talks on a serial line; name one with --port FILE")
    return options.port
