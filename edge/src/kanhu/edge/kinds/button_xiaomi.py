"""A Xiaomi button or remote as a help button: any of its buttons calls."""

from dataclasses import replace

from kanhu.edge.kinds.sensor_xiaomi import KIND as SENSOR

KIND = replace(SENSOR, name="button-xiaomi", zh="求助按钮（小米）", en="help button, Xiaomi", calls=True)
