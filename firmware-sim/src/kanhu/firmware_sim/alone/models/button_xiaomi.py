"""A Xiaomi button whose press calls, sealed where it is given a key."""

from kanhu.firmware_sim.alone.model import Advertiser, Moment, service_data
from kanhu.firmware_sim.wire.mibeacon import BeaconHead, plain_beacon, press_object, sealed_beacon

_UUID = 0xFE95
_BUTTON = 0x1568  # K9B-1BTN, a switch with one button (xiaomi-ble)
_FIRST_COUNTER = 1000


def make() -> Advertiser:
    """A button that is pressed again and again."""
    return Advertiser(
        name="button-xiaomi",
        about="Xiaomi button: every press is a call",
        every_s=120.0,
        takes_key=True,
        times=15,
        advertisement=_advertisement,
    )


def _advertisement(moment: Moment) -> bytes:
    press = press_object(0, 0)
    if moment.key is None:
        head = BeaconHead(product=_BUTTON, counter=moment.number % 256)
        return service_data(_UUID, plain_beacon(head, press))
    head = BeaconHead(product=_BUTTON, counter=_FIRST_COUNTER + moment.number)
    return service_data(_UUID, sealed_beacon(head, press, key=moment.key, sender=moment.address))
