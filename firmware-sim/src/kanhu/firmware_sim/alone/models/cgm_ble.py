"""A continuous glucose monitor with the Bluetooth Continuous Glucose Monitoring Service, with E2E-CRC."""

from kanhu.firmware_sim.air import Delivery
from kanhu.firmware_sim.alone.model import Connected, Moment
from kanhu.firmware_sim.wire.cgm import E2E_CRC_SUPPORTED, CgmRecord, cgm_measurement


def make() -> Connected:
    """A sensor on somebody whose sugar stays as it is."""
    return Connected(
        name="cgm-ble",
        about="continuous glucose monitor, 115 mg/dL give or take",
        every_s=60.0,
        service_uuid=0x181F,
        measurement_uuid=0x2AA7,
        delivery=Delivery.NOTIFY,
        value=_value,
    )


def _value(moment: Moment) -> bytes:
    record = CgmRecord(moment.around(115, 4), offset_min=moment.number)
    return cgm_measurement(record, features=E2E_CRC_SUPPORTED)
