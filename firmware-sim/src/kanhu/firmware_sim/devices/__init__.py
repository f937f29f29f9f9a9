"""The devices themselves: each plays its events, asks the body, sends its bytes and keeps the journal of truth.

Here lives what a device does and when. Not here: how its bytes look (wire), how they travel (air, serial_line), or
what they mean.
"""

from kanhu.firmware_sim.devices.button import Button
from kanhu.firmware_sim.devices.cuff import Cuff
from kanhu.firmware_sim.devices.device import Device, Surroundings
from kanhu.firmware_sim.devices.oximeter import Oximeter
from kanhu.firmware_sim.devices.strap import Strap

__all__ = ["Button", "Cuff", "Device", "Oximeter", "Strap", "Surroundings"]
