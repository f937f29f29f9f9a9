"""From Finding to county: supervision, durable outbox, uplink, configuration, local alarm, clinic page.

Not here: decoding of device bytes, clinical thresholds, FastAPI, scikit-learn.
"""

from kanhu.gateway.config import GatewayConfig, load_config
from kanhu.gateway.errors import (
    ConfigRefused,
    GatewayError,
    OutboxBusy,
    OutboxDamaged,
    OutboxError,
    OutboxFailed,
    OutboxFull,
    OutboxRefused,
)
from kanhu.gateway.outbox import Outbox

__all__ = [
    "ConfigRefused",
    "GatewayConfig",
    "GatewayError",
    "Outbox",
    "OutboxBusy",
    "OutboxDamaged",
    "OutboxError",
    "OutboxFailed",
    "OutboxFull",
    "OutboxRefused",
    "load_config",
]
