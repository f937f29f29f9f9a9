"""A glucose meter with the Bluetooth Glucose Service: measures now and then, and tells its records when asked."""

from kanhu.firmware_sim.alone.model import Answer, Asked, Moment
from kanhu.firmware_sim.wire.glucose import MeterResult, glucose_measurement
from kanhu.firmware_sim.wire.record_access import serve_racp

_LAST_SEQUENCE = 0xFFFF


def make() -> Asked:
    """A meter with an empty memory."""
    memory: list[MeterResult] = []

    def measure(moment: Moment) -> None:
        concentration = moment.around(6.4, 1.2, step="0.1").scaleb(-3)
        memory.append(MeterResult(moment.number % _LAST_SEQUENCE + 1, moment.at, concentration=concentration))

    def answer(question: bytes) -> Answer:
        reply = serve_racp(question, [one.sequence for one in memory])
        return Answer(tuple(glucose_measurement(memory[place]) for place in reply.places), reply.indication)

    return Asked(
        name="glucose-ble",
        about="glucose meter, 6.4 mmol/L give or take, with a memory",
        every_s=30.0,
        service_uuid=0x1808,
        measurement_uuid=0x2A18,
        control_uuid=0x2A52,
        measure=measure,
        answer=answer,
    )
