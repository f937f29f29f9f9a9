"""The tables, as SQLAlchemy Core sees them; the migrations build the same ones.

Times are Unix milliseconds of the county's clock where the name says `received`, `at`, `due`, `heard`. Values are
integer steps of their metric. `place` is a path such as `/yunling/qingxi/liulin/`, so an area is a prefix.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

# What arrived ------------------------------------------------------------------------------------------------------

segment = Table(
    "segment",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("gateway", String, nullable=False),
    Column("epoch", String, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("records", Integer, nullable=False),
    Column("lane", String, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("wire", LargeBinary, nullable=False),
    Index("segment_by_key", "gateway", "epoch", "last"),
    Index("segment_by_time", "received_ms"),
)
coverage = Table(
    "coverage",
    metadata,
    Column("gateway", String, primary_key=True),
    Column("epoch", String, primary_key=True),
    Column("stored", LargeBinary, nullable=False),
    Column("gaps", LargeBinary, nullable=False),
)
untimed = Table(
    "untimed",
    metadata,
    Column("gateway", String, primary_key=True),
    Column("epoch", String, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("boot", String, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
)
conflict = Table(
    "conflict",
    metadata,
    Column("gateway", String, primary_key=True),
    Column("epoch", String, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("sha256", LargeBinary, primary_key=True),
    Column("received_ms", BigInteger, nullable=False),
    Column("record", LargeBinary, nullable=False),
)
quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("received_ms", BigInteger, nullable=False),
    Column("topic", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("detail", String, nullable=False),
    Column("size", Integer, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
counter = Table(
    "counter",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

tally = Table(
    "tally",
    metadata,
    Column("gateway", String, primary_key=True),
    Column("epoch", String, primary_key=True),
    Column("resident", String, primary_key=True),
    Column("received", BigInteger, nullable=False, server_default="0"),
    Column("late", BigInteger, nullable=False, server_default="0"),
    Column("told_ms", BigInteger),
    Column("accepted", BigInteger, nullable=False, server_default="0"),
    Column("there", BigInteger, nullable=False, server_default="0"),
    Column("owed", BigInteger, nullable=False, server_default="0"),
    Column("lost", BigInteger, nullable=False, server_default="0"),
    Column("missing", BigInteger, nullable=False, server_default="0"),
    Column("counted", BigInteger, nullable=False, server_default="0"),
    Index("tally_by_resident", "resident"),
)
tally_outbox = Table(
    "tally_outbox",
    metadata,
    Column("gateway", String, primary_key=True),
    Column("epoch", String, primary_key=True),
    Column("since", BigInteger),
    Column("used_ms", BigInteger, nullable=False),
)
checkpoint = Table(
    "checkpoint",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("gateway", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("epoch", String, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("checkpoint", LargeBinary, nullable=False),
    Index("checkpoint_by_subject", "gateway", "subject"),
    sqlite_autoincrement=True,
)

# What it says about people -----------------------------------------------------------------------------------------

last_record = Table(
    "last_record",
    metadata,
    Column("subject", String, primary_key=True),
    Column("metric", String, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("gateway", String, nullable=False),
    Column("epoch", String, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("record", LargeBinary, nullable=False),
)
recent = Table(
    "recent",
    metadata,
    Column("subject", String, primary_key=True),
    Column("metric", String, primary_key=True),
    Column("points", LargeBinary, nullable=False),
)
minute = Table(
    "minute",
    metadata,
    Column("subject", String, primary_key=True),
    Column("metric", String, primary_key=True),
    Column("minute", BigInteger, primary_key=True),
    Column("low", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("readings", Integer, nullable=False),
    Column("level", String, nullable=False),
    sqlite_with_rowid=False,
)
daily = Table(
    "daily",
    metadata,
    Column("subject", String, primary_key=True),
    Column("metric", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("readings", Integer, nullable=False),
    Column("low", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("histogram", LargeBinary, nullable=False),
    Index("daily_by_day", "day"),
)
trend = Table(
    "trend",
    metadata,
    Column("subject", String, primary_key=True),
    Column("metric", String, primary_key=True),
    Column("day", String, nullable=False),
    Column("state", LargeBinary, nullable=False),
)

# Readings of nobody known -------------------------------------------------------------------------------------------

nameless = Table(
    "nameless",
    metadata,
    Column("gateway", String, primary_key=True),
    Column("epoch", String, primary_key=True),
    Column("subject", String, primary_key=True),
    Column("device", String, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("readings", Integer, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("newest", LargeBinary, nullable=False),
    Column("resident", String),
    Column("decided_ms", BigInteger),
    Column("decided_by", String, nullable=False, server_default=""),
    Index("nameless_by_time", "decided_ms", "at_ms"),
    Index("nameless_by_resident", "resident"),
)
assigned = Table(
    "assigned",
    metadata,
    Column("gateway", String, primary_key=True),
    Column("epoch", String, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("subject", String, nullable=False),
    Column("resident", String, nullable=False),
    Column("metric", String, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Index("assigned_by_resident", "resident", "metric", "at_ms"),
    Index("assigned_by_session", "gateway", "epoch", "subject"),
)

# People and places -------------------------------------------------------------------------------------------------

place = Table(
    "place",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("zh", String, nullable=False),
    Column("en", String, nullable=False),
    Column("path", String, nullable=False, unique=True),
)
gateway = Table(
    "gateway",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("place", String, nullable=False),
    Column("heard_ms", BigInteger),
    Column("heard_listened_ms", BigInteger),
    Column("heartbeat", String, nullable=False, server_default=""),
    Column("said_ms", BigInteger),
    Column("status", LargeBinary),
    Column("stored", BigInteger, nullable=False, server_default="0"),
    Column("silent_alert", String),
    Index("gateway_by_place", "place"),
)
resident = Table(
    "resident",
    metadata,
    Column("id", String, primary_key=True),
    Column("gateway", String, nullable=False),
    Column("place", String, nullable=False),
    Column("name", String, nullable=False),
    Column("name_en", String, nullable=False),
    Column("sex", String, nullable=False),
    Column("birth_year", Integer),
    Column("address", String, nullable=False),
    Column("tags", String, nullable=False),
    Column("note", String, nullable=False),
    Column("seen_ms", BigInteger),
    Index("resident_by_gateway", "gateway"),
    Index("resident_by_place", "place"),
)
contact = Table(
    "contact",
    metadata,
    Column("resident", String, primary_key=True),
    Column("order", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("relation_zh", String, nullable=False),
    Column("relation_en", String, nullable=False),
    Column("phone", String, nullable=False),
)

# Alerts ------------------------------------------------------------------------------------------------------------

alert = Table(
    "alert",
    metadata,
    Column("id", String, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("is_open", Integer, nullable=False),
    Column("place", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("rule", String, nullable=False),
    Column("opened_ms", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    Column("state", LargeBinary, nullable=False),
    Index("alert_open", "is_open", "place"),
    Index("alert_by_subject", "subject"),
    Index("alert_closed", "closed_ms"),
    Index("alert_opened", "opened_ms"),
)
alert_event = Table(
    "alert_event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("alert", String, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("actor", String, nullable=False),
    Column("key", String, nullable=False),
    Column("event", LargeBinary, nullable=False),
    UniqueConstraint("alert", "key", name="alert_event_once"),
)
alert_alias = Table(
    "alert_alias",
    metadata,
    Column("id", String, primary_key=True),
    Column("alert", String, nullable=False),
)
revision = Table(
    "revision",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("alert", String, nullable=False),
    Column("priority", String, nullable=False),
    Column("place", String, nullable=False),
    sqlite_autoincrement=True,
)
timer = Table(
    "timer",
    metadata,
    Column("kind", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("due_ms", BigInteger, nullable=False),
    Index("timer_due", "kind", "due_ms"),
)
listening = Table(
    "listening",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("listened_ms", BigInteger, nullable=False),
)
act = Table(
    "act",
    metadata,
    Column("user", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("answer", LargeBinary, nullable=False),
)

# Staff -------------------------------------------------------------------------------------------------------------

staff = Table(
    "staff",
    metadata,
    Column("name", String, primary_key=True),
    Column("display", String, nullable=False),
    Column("role", String, nullable=False),
    Column("place", String, nullable=False),
    Column("password", String, nullable=False),
)
session = Table(
    "session",
    metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("user", String, nullable=False),
    Column("csrf", String, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
)
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("user", String, nullable=False),
    Column("act", String, nullable=False),
    Column("object", String, nullable=False),
    Column("result", String, nullable=False),
    sqlite_autoincrement=True,
)

# Identity of gateways ----------------------------------------------------------------------------------------------

invitation = Table(
    "invitation",
    metadata,
    Column("token_sha256", LargeBinary, primary_key=True),
    Column("gateway", String, nullable=False),
    Column("made_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),
    Column("key_sha256", LargeBinary),
)
certificate = Table(
    "certificate",
    metadata,
    Column("serial", String, primary_key=True),
    Column("gateway", String, nullable=False),
    Column("issued_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
    Column("key_sha256", LargeBinary, nullable=False),
    Column("pem", LargeBinary, nullable=False),
    Column("renewed_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    Column("reason", String, nullable=False, server_default=""),
    Column("ran_out_ms", BigInteger),
    Column("confirmed_ms", BigInteger),
    Column("confirmed_by", String, nullable=False, server_default=""),
    UniqueConstraint("sha256", name="certificate_once"),
    Index("certificate_by_gateway", "gateway"),
    Index("certificate_by_key", "key_sha256"),
    Index("certificate_late", "ran_out_ms"),
)
