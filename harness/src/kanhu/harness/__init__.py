"""For developers and CI: demo, benchmarks, proofs, scoring, the simulated county, conformance, wheels.

Not here: anything a part would import; it is never installed on a Pi or a server.
"""

__all__: list[str] = []
