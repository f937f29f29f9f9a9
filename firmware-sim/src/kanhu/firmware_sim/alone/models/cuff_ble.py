"""A blood pressure cuff with the Bluetooth Blood Pressure Service."""

from kanhu.firmware_sim.air import Delivery
from kanhu.firmware_sim.alone.model import Connected, Moment
from kanhu.firmware_sim.wire.blood_pressure import CuffReading, blood_pressure_measurement


def make() -> Connected:
    """A cuff that sends no mean pressure, as many."""
    return Connected(
        name="cuff-ble",
        about="blood pressure cuff, 132/78 mmHg give or take",
        every_s=30.0,
        service_uuid=0x1810,
        measurement_uuid=0x2A35,
        delivery=Delivery.INDICATE,
        value=_value,
    )


def _value(moment: Moment) -> bytes:
    return blood_pressure_measurement(
        CuffReading(moment.around(132, 8), moment.around(78, 5), measured_at=moment.at, pulse_bpm=moment.around(70, 5))
    )
