"""Generates only: byte-exact devices, bodies, homes, scenarios with their truth, faulty links, fleets.

Not here: any judgement or decoding; nothing from vitals, edge, gateway or cloud.
"""

__all__: list[str] = []
