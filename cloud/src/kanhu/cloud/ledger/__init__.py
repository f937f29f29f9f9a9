"""What the county holds: received segments, coverage, values, alerts with their events, timers, people, staff, audit.

One SQLite file, one writer thread, one transaction an envelope; a receipt exists only after its commit.
Not here: what an alert means (alerting), what staff see (desk), where messages come from (ingest).
"""
