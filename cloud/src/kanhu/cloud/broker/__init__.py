"""The embedded broker: nats-server from its wheel, as a child that dies with its parent and keeps its port.

For the demo, tests and a small clinic; a county names its own broker by URL. Nothing that must not be lost is in it.
Not here: what travels over it (ingest).
"""
