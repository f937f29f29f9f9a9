"""The county with one guard taken off, for a proof that has to notice: `… broken_county WORD serve --config FILE`.

`acl`: whoever is let in may write and read everything. `cn`: a client may call itself as it likes. `one-queue`:
messages of all gateways wait in one queue, in order.
"""

import sys

from kanhu.cloud.broker import guarded, nats_gate
from kanhu.cloud.broker.nats_words import Permissions
from kanhu.cloud.cli import main
from kanhu.cloud.ingest import inbox, receiver
from kanhu.contract import Up, parse_up_topic

__all__ = ["BROKEN", "ONE_QUEUE"]

BROKEN = ("acl", "cn")
"""Those that concern who a gateway is."""

ONE_QUEUE = "one-queue"


def _everything(name: str) -> Permissions:
    del name
    return Permissions([">"], [">"])


def _no_matter_who(name: str | None, *, client_id: str) -> str:
    del client_id
    return "" if name else "unknown_or_revoked"


def _as_of_one(topic: str) -> tuple[str, Up]:
    return "", parse_up_topic(topic)[1]


if __name__ == "__main__":
    if sys.argv[1] == "acl":
        nats_gate.permissions = _everything
        guarded.ACCESS = "pattern readwrite #\npattern read $SYS/#\n"
    elif sys.argv[1] == ONE_QUEUE:
        inbox.parse_up_topic = _as_of_one  # type: ignore[attr-defined]
        receiver.OF_ONE_GATEWAY, receiver.OF_ONE_GATEWAY_A_JOB = receiver.WAITING_MESSAGES, receiver.MESSAGES_A_JOB
    else:
        nats_gate.refusal = _no_matter_who
        guarded.MOSQUITTO_SETTINGS = guarded.MOSQUITTO_SETTINGS.replace("use_username_as_clientid true\n", "")
    sys.exit(main(sys.argv[2:]))
