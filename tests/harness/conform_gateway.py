"""A gateway in a hurry for the tests of conformance, started as a program: `honest`, `puback` or `faint`.

The second takes the broker's acknowledgement for the county's receipt, and deletes on it; the third ends by itself.
"""

import json
import os
import sys
import threading
from pathlib import Path

from kanhu.gateway import uplink
from kanhu.harness.conform import adapter
from kanhu.harness.prove.fed_gateway import PubackIsReceipt

_FAINTS_AFTER_S = 8.0


def main() -> int:
    """Write the settings, break what is to be broken, and run."""
    kind, folder, port, feed_port = sys.argv[1:]
    text = (
        f'gateway = "conform-01"\ndata = {json.dumps(folder)}\ntimezone = "Asia/Shanghai"\n'
        f'\n[broker]\nhost = "127.0.0.1"\nport = {port}\n'
        "\n[uplink]\nroutine_s = 0.5\nreceipt_timeout_s = 2\nreconnect_max_s = 1\n"
    )
    config = Path(folder) / "gateway.toml"
    config.write_text(text, encoding="utf-8")
    if kind == "puback":
        uplink.Senders = PubackIsReceipt  # type: ignore[attr-defined]  # the defect that has to be found
    if kind == "faint":
        threading.Timer(_FAINTS_AFTER_S, os._exit, (3,)).start()
    sys.argv = ["adapter", "--config", str(config), "--feed-port", feed_port]
    return adapter.main()


if __name__ == "__main__":
    sys.exit(main())
