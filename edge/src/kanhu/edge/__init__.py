"""From wire to Finding: transports, device codecs, measurement sessions, the sensing pipeline.

Not here: MQTT, HTTP, databases, configuration files.
"""

__all__: list[str] = []
