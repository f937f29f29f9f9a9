"""The air of one home: who hears whom over Bluetooth LE, and the door through which a gateway's radio comes in.

Here lives what Bumble's virtual controllers and link need to behave like real ones, GATT peripherals, beacons,
the HCI port and a controller for the kernel. Not here: what a device measures, or when.
"""

from kanhu.firmware_sim.air.beacon import Beacon
from kanhu.firmware_sim.air.controller import RadioController
from kanhu.firmware_sim.air.dongle import Dongle
from kanhu.firmware_sim.air.hci_port import HciPort
from kanhu.firmware_sim.air.link import Air
from kanhu.firmware_sim.air.peripheral import (
    AttributeRefused,
    ControlPoint,
    Delivery,
    Identity,
    Peripheral,
    Register,
    StreamService,
)

__all__ = [
    "Air",
    "AttributeRefused",
    "Beacon",
    "ControlPoint",
    "Delivery",
    "Dongle",
    "HciPort",
    "Identity",
    "Peripheral",
    "RadioController",
    "Register",
    "StreamService",
]
