"""The county service: ingest, ledger, history, people and places, alerting, notification, API, dashboard.

Not here: device bytes, anything from edge or gateway.
"""

__all__: list[str] = []
