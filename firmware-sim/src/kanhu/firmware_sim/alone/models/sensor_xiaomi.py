"""A Xiaomi door sensor that advertises MiBeacon, sealed where it is given a key."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, service_data
from kanhu.firmware_sim.wire.mibeacon import BeaconHead, door_object, plain_beacon, sealed_beacon

_UUID = 0xFE95
_DOOR_SENSOR = 0x098B  # MCCGQ02HL
_FIRST_COUNTER = 1000


def make() -> Advertiser:
    """A door that is opened and shut by turns."""
    return Advertiser(
        name="sensor-xiaomi",
        about="Xiaomi door sensor: opened and shut by turns",
        every_s=10.0,
        takes_key=True,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    door = door_object(moment.number % 2)
    if moment.key is None:
        head = BeaconHead(product=_DOOR_SENSOR, counter=moment.number % 256)
        return service_data(_UUID, plain_beacon(head, door))
    head = BeaconHead(product=_DOOR_SENSOR, counter=_FIRST_COUNTER + moment.number)
    return service_data(_UUID, sealed_beacon(head, door, key=moment.key, sender=moment.address))
