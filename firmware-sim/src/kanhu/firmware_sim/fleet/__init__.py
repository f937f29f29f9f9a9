"""A fleet: the MQTT traffic of thousands of gateways out of one process, and the account of what became of it.

Here lives the way to the county as docs/spec/ states it, seen from outside: sessions, outboxes in memory, receipts,
and a comparison with the county's ledger. Not here: devices, bodies, and anything the real gateway is made of.
"""

__all__: list[str] = []
