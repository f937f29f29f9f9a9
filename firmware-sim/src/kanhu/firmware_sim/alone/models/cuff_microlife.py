"""A Microlife cuff: measures now and then, and tells its whole memory, twenty bytes at a time, when it is asked."""

from kanhu.firmware_sim.alone.model import Answer, Asked, Moment
from kanhu.firmware_sim.wire.cuff_reading import StoredCuffReading
from kanhu.firmware_sim.wire.microlife import microlife_frame, microlife_records

_PIECE_BYTES = 20
_SLOTS = 99
_TIME, _RECORDS = 0x0D, 0x00
_DONE = b"\x81"


def make() -> Asked:
    """A cuff with an empty memory."""
    memory: list[StoredCuffReading] = []

    def measure(moment: Moment) -> None:
        systolic, diastolic, pulse = (
            int(moment.around(middle, width)) for middle, width in ((142, 12), (84, 8), (71, 6))
        )
        memory.append(StoredCuffReading(systolic, diastolic, pulse, moment.at))
        del memory[:-_SLOTS]

    return Asked(
        name="cuff-microlife",
        about="Microlife cuff with a memory, 142/84 mmHg give or take, all of it told each time",
        every_s=60.0,
        service_uuid="0000fff0-0000-1000-8000-00805f9b34fb",
        measurement_uuid="0000fff1-0000-1000-8000-00805f9b34fb",
        control_uuid=0xFFF2,
        measure=measure,
        answer=lambda question: Answer(_pieces(_reply(question, memory)), b""),
    )


def _reply(question: bytes, memory: list[StoredCuffReading]) -> bytes:
    """To what the host wrote: its payload begins behind the length."""
    command = question[4] if len(question) > 4 else None
    if command == _TIME:
        return microlife_frame(_DONE)
    if command == _RECORDS:
        return microlife_frame(microlife_records(memory))
    return b""


def _pieces(frame: bytes) -> tuple[bytes, ...]:
    return tuple(frame[at : at + _PIECE_BYTES] for at in range(0, len(frame), _PIECE_BYTES))
