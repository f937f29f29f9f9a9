"""A door sensor with a thermometer that advertises BTHome version 2, sealed where it is given a key."""

from decimal import Decimal

from kanhu.firmware_sim.alone.model import Advertiser, Moment, service_data
from kanhu.firmware_sim.wire.bthome_encrypted import bthome_sealed
from kanhu.firmware_sim.wire.bthome_objects import bthome_object, bthome_service_data

_UUID = 0xFCD2
_BATTERY, _TEMPERATURE, _DOOR = 0x01, 0x02, 0x1A
_FIRST_COUNTER = 1000  # a sensor that was used before


def make() -> Advertiser:
    """A door that is opened and shut by turns."""
    return Advertiser(
        name="sensor-bthome",
        about="door sensor with thermometer: opened and shut by turns, 19 C give or take",
        every_s=10.0,
        takes_key=True,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    objects = [
        bthome_object(_BATTERY, Decimal(moment.battery_percent)),
        bthome_object(_TEMPERATURE, moment.around(19, 0.4, step="0.01")),
        bthome_object(_DOOR, Decimal(moment.number % 2)),
    ]
    if moment.key is None:
        return service_data(_UUID, bthome_service_data(objects))
    counter = _FIRST_COUNTER + moment.number
    return service_data(
        _UUID, bthome_sealed(b"".join(objects), key=moment.key, address=moment.address, counter=counter)
    )
