"""A body scale with the Bluetooth Body Composition Service."""

from kanhu.firmware_sim.air import Delivery
from kanhu.firmware_sim.alone.model import Connected, Moment
from kanhu.firmware_sim.wire.body_composition import BodyReading, BodyWord, body_composition_measurement


def make() -> Connected:
    """A scale that tells weight and body fat at once."""
    return Connected(
        name="body-scale-ble",
        about="body scale, 61 kg and 28 % of fat give or take",
        every_s=30.0,
        service_uuid=0x181B,
        measurement_uuid=0x2A9C,
        delivery=Delivery.INDICATE,
        value=_value,
    )


def _value(moment: Moment) -> bytes:
    words = {BodyWord.WEIGHT: int(moment.around(12_200, 40))}
    reading = BodyReading(int(moment.around(280, 5)), measured_at=moment.at, words=words)
    return body_composition_measurement(reading)
