"""A heart rate strap with the Bluetooth Heart Rate Service."""

from kanhu.firmware_sim.air import Delivery
from kanhu.firmware_sim.alone.model import Connected
from kanhu.firmware_sim.wire.heart_rate import Contact, HeartRateReading, heart_rate_measurement


def make() -> Connected:
    """A strap on skin."""
    return Connected(
        name="strap-ble",
        about="heart rate strap, 68 beats a minute give or take",
        every_s=1.0,
        service_uuid=0x180D,
        measurement_uuid=0x2A37,
        delivery=Delivery.NOTIFY,
        value=lambda moment: heart_rate_measurement(
            HeartRateReading(int(moment.around(68, 3)), contact=Contact.DETECTED)
        ),
    )
