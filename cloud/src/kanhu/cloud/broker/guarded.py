"""Brokers that let in by certificate: settings for nats-server and for Mosquitto, over the county's authority.

Both verify the certificate against the authority and bind topics to its name. Mosquitto also makes the name the client
id; nats-server asks the county, which compares (nats_gate).
"""

import getpass
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from kanhu.cloud.authority.store import Authority, put
from kanhu.cloud.broker.child import HOST, Prepared, keep_port
from kanhu.cloud.broker.nats_words import Signer
from kanhu.cloud.broker.settings import COUNTY_NAME, MAX_PAYLOAD_BYTES, mosquitto, program
from kanhu.cloud.config import Identity

ACCOUNT = "COUNTY"
GATE_USER, SYSTEM_USER = "gate", "system"
_OWNER_ONLY = 0o600
_ANY = {"0.0.0.0": HOST, "::": "::1"}  # noqa: S104  # not bound here: how this machine reaches such a listener
_ASK_S = 10
"""Seconds that a connection waits for its handshake and for the county's answer: many may come back at once."""

_NATS = """\
# Written by kanhu-cloud at each start; changes here are lost.
server_name: "kanhu-county"
host: "127.0.0.1"
port: {nats_port}
max_payload: {payload}
pid_file: "{pid}"
jetstream {{
  store_dir: "{store}"
  max_memory_store: 64MB
  max_file_store: 1GB
}}
accounts {{
  {account} {{ jetstream: enabled }}
  GATE {{ users: [ {{ user: "{gate}", password: "{password}" }} ] }}
  SYS {{ users: [ {{ user: "{system}", password: "{password}" }} ] }}
}}
system_account: SYS
authorization {{
  timeout: {ask}
  auth_callout {{ issuer: "{issuer}", account: GATE, auth_users: [ "{gate}", "{system}" ] }}
}}
mqtt {{
  host: "{listen}"
  port: {port}
  tls {{
    cert_file: "{certificate}"
    key_file: "{key}"
    ca_file: "{authority}"
    verify: true
    timeout: {ask}
  }}
}}
"""

MOSQUITTO_SETTINGS = """\
# Written by kanhu-cloud at each start; changes here are lost.
user {user}
pid_file {pid}
persistence false
log_dest stdout
max_packet_size {payload}
allow_anonymous false
acl_file {acl}
listener {port} {listen}
tls_version tlsv1.2
cafile {authority}
certfile {certificate}
keyfile {key}
crlfile {revoked}
require_certificate true
use_identity_as_username true
use_username_as_clientid true
"""

ACCESS = f"""\
user {COUNTY_NAME}
topic read kanhu/v1/up/#
topic write kanhu/v1/down/#

pattern write kanhu/v1/up/%u/#
pattern read kanhu/v1/down/%u/#
"""


@dataclass(slots=True)
class GuardedNats:
    """nats-server that asks the county about each connection; key and password are of one start."""

    authority: Authority
    identity: Identity
    signer: Signer = field(default_factory=Signer)
    password: str = ""
    nats_port: int = 0

    def prepare(self, data: Path) -> Prepared:
        """Write its settings, for its owner only: a password of loopback stands in them."""
        self.password = secrets.token_urlsafe(24)
        self.nats_port = keep_port(data / "nats_port")
        certificate, key = self.authority.files("server")
        path = (data / "nats.conf").absolute()
        text = _NATS.format(
            nats_port=self.nats_port, payload=MAX_PAYLOAD_BYTES, pid=path.with_suffix(".pid"),
            store=path.with_name("store"), account=ACCOUNT, gate=GATE_USER, system=SYSTEM_USER,
            password=self.password, ask=_ASK_S, issuer=self.signer.public, listen=self.identity.listen,
            port=self.identity.broker_port, certificate=certificate, key=key, authority=self.authority.authority_file,
        )  # fmt: skip  # names of a template
        put(path, text.encode(), mode=_OWNER_ONLY)
        return Prepared(program(), path, reached_at(self.identity), self.identity.broker_port)


@dataclass(frozen=True, slots=True)
class Mosquitto:
    """Mosquitto from its Debian package."""

    authority: Authority
    identity: Identity

    def prepare(self, data: Path) -> Prepared:
        """Write its settings and its access list."""
        certificate, key = self.authority.files("server")
        path, access = (data / "mosquitto.conf").absolute(), (data / "mosquitto.acl").absolute()
        text = MOSQUITTO_SETTINGS.format(
            user=getpass.getuser(), pid=path.with_suffix(".pid"), payload=MAX_PAYLOAD_BYTES, acl=access,
            port=self.identity.broker_port, listen=self.identity.listen, authority=self.authority.authority_file,
            certificate=certificate, key=key, revoked=self.authority.revoked_file,
        )  # fmt: skip  # names of a template
        put(access, ACCESS.encode(), mode=_OWNER_ONLY)
        put(path, text.encode(), mode=_OWNER_ONLY)
        return Prepared(mosquitto(), path, reached_at(self.identity), self.identity.broker_port)


def reached_at(identity: Identity) -> str:
    """The address at which this machine itself reaches the listener."""
    return _ANY.get(identity.listen, identity.listen)
