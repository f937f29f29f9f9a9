"""A help button that advertises BTHome version 2, sealed where it is given a key."""

from decimal import Decimal

from kanhu.firmware_sim.alone.model import Advertiser, Moment, service_data
from kanhu.firmware_sim.wire.bthome_encrypted import bthome_sealed
from kanhu.firmware_sim.wire.bthome_objects import bthome_object, bthome_service_data

_UUID = 0xFCD2
_PACKET, _BATTERY, _BUTTON, _PRESS = 0x00, 0x01, 0x3A, 0x01
_FIRST_COUNTER = 1000  # a button that was used before


def make() -> Advertiser:
    """A button that is pressed again and again."""
    return Advertiser(
        name="button-bthome",
        about="help button: every press is a call",
        every_s=120.0,
        takes_key=True,
        times=15,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    objects = [
        bthome_object(_PACKET, Decimal(moment.number % 256)),
        bthome_object(_BATTERY, Decimal(moment.battery_percent)),
        bthome_object(_BUTTON, Decimal(_PRESS)),
    ]
    if moment.key is None:
        return service_data(_UUID, bthome_service_data(objects))
    counter = _FIRST_COUNTER + moment.number
    return service_data(
        _UUID, bthome_sealed(b"".join(objects), key=moment.key, address=moment.address, counter=counter)
    )
