"""Promises of the county service: ledger, ingest, alerting, silence, desk, staff, API, broker.

`town` builds a small invented county in a temporary folder, on a clock that moves only when told.
Not here: pages (dashboard/), the whole system with gateways (end_to_end/).
"""
