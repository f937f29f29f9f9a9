"""The county with one lock taken off, for a proof that has to notice: `… broken_county acl|cn serve --config FILE`.

`acl`: whoever is let in may write and read everything. `cn`: a client may call itself as it likes.
"""

import sys

from kanhu.cloud.broker import guarded, nats_gate
from kanhu.cloud.broker.nats_words import Permissions
from kanhu.cloud.cli import main

__all__ = ["BROKEN"]

BROKEN = ("acl", "cn")


def _everything(name: str) -> Permissions:
    del name
    return Permissions([">"], [">"])


def _no_matter_who(name: str | None, *, client_id: str) -> str:
    del client_id
    return "" if name else "unknown_or_revoked"


if __name__ == "__main__":
    if sys.argv[1] == "acl":
        nats_gate.permissions = _everything
        guarded.ACCESS = "pattern readwrite #\npattern read $SYS/#\n"
    else:
        nats_gate.refusal = _no_matter_who
        guarded.MOSQUITTO_SETTINGS = guarded.MOSQUITTO_SETTINGS.replace("use_username_as_clientid true\n", "")
    sys.exit(main(sys.argv[2:]))
