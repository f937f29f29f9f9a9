"""MQTT topics and gateway ids: one grammar, built and parsed here only.

`kanhu/v1/up/<gateway>/{alert,live,backfill,status,state}` is written by a gateway,
`kanhu/v1/down/<gateway>/{receipt,state,config,model,command}` by the county.
"""

import re
from enum import StrEnum

from kanhu.contract.errors import InvalidTopic

_ROOT = "kanhu/v1"
_GATEWAY_ID = re.compile(r"[a-z0-9-]{1,32}")
_UP = re.compile(rf"{_ROOT}/up/([a-z0-9-]{{1,32}})/([a-z]+)")

ALL_UP = f"{_ROOT}/up/+/+"


class Lane(StrEnum):
    """The three lanes of an outbox, in the order in which they are served."""

    ALERT = "alert"
    LIVE = "live"
    BACKFILL = "backfill"


class Up(StrEnum):
    """What a gateway publishes: its lanes, its status, and the states of its detectors."""

    ALERT = "alert"
    LIVE = "live"
    BACKFILL = "backfill"
    STATUS = "status"
    STATE = "state"


class Down(StrEnum):
    """What the county publishes to one gateway."""

    RECEIPT = "receipt"
    STATE = "state"
    CONFIG = "config"
    MODEL = "model"
    COMMAND = "command"


def check_gateway_id(gateway: str) -> str:
    """Return the id, or raise InvalidTopic: `[a-z0-9-]{1,32}`."""
    if not _GATEWAY_ID.fullmatch(gateway):
        msg = f"gateway id {gateway!r} is not 1 to 32 of a-z, 0-9 and '-'"
        raise InvalidTopic(msg)
    return gateway


def up_topic(gateway: str, kind: Up | Lane) -> str:
    """Topic that a gateway publishes to."""
    return f"{_ROOT}/up/{check_gateway_id(gateway)}/{kind.value}"


def down_topic(gateway: str, kind: Down) -> str:
    """Topic that the county publishes to."""
    return f"{_ROOT}/down/{check_gateway_id(gateway)}/{kind.value}"


def parse_up_topic(topic: str) -> tuple[str, Up]:
    """Split a topic into gateway id and kind, or raise InvalidTopic."""
    found = _UP.fullmatch(topic)
    if found is None:
        msg = f"topic {topic!r} is not one a gateway writes"
        raise InvalidTopic(msg)
    try:
        return found[1], Up(found[2])
    except ValueError:
        msg = f"topic {topic!r} has no known last part"
        raise InvalidTopic(msg) from None
