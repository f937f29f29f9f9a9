"""From Finding to county: supervision, durable outbox, uplink, configuration, local alarm, clinic page.

Not here: decoding of device bytes, clinical thresholds, FastAPI, scikit-learn.
"""

__all__: list[str] = []
