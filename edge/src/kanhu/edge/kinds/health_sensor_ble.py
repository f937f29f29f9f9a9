"""A sensor with the Bluetooth Generic Health Sensor Service, which says itself what it measures. Experimental."""

from kanhu.edge.health_sensors import HealthSensorPeer
from kanhu.edge.kinds.kind import AskedKind

KIND = AskedKind(name="health-sensor-ble", zh="通用体征传感器", en="generic health sensor", peer=HealthSensorPeer)
