"""A body thermometer with the Bluetooth Health Thermometer Service."""

from kanhu.firmware_sim.air import Delivery
from kanhu.firmware_sim.alone.model import Connected, Moment
from kanhu.firmware_sim.wire.ieee_float import FloatSpecial
from kanhu.firmware_sim.wire.thermometer import CelsiusReading, MeasuringPlace, temperature_measurement


def make() -> Connected:
    """A thermometer for the ear."""
    return Connected(
        name="thermometer-ble",
        about="ear thermometer, 36.6 C give or take",
        every_s=20.0,
        service_uuid=0x1809,
        measurement_uuid=0x2A1C,
        delivery=Delivery.INDICATE,
        value=_value,
        no_result=lambda moment: temperature_measurement(
            CelsiusReading(FloatSpecial.NOT_A_NUMBER, measured_at=moment.at)
        ),
    )


def _value(moment: Moment) -> bytes:
    temperature = moment.around(36.6, 0.3, step="0.1")
    return temperature_measurement(CelsiusReading(temperature, measured_at=moment.at, place=MeasuringPlace.EAR))
