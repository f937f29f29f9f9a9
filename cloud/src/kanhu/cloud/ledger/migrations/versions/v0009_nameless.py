"""Readings of nobody known: one row a session, and those that staff assigned to a person."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make both tables; what came before stays in the segments only."""
    op.create_table(
        "nameless",
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("readings", sa.Integer(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("newest", sa.LargeBinary(), nullable=False),
        sa.Column("resident", sa.String()),
        sa.Column("decided_ms", sa.BigInteger()),
        sa.Column("decided_by", sa.String(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("gateway", "epoch", "subject"),
    )
    op.create_index("nameless_by_time", "nameless", ["decided_ms", "at_ms"])
    op.create_index("nameless_by_resident", "nameless", ["resident"])
    op.create_table(
        "assigned",
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("resident", sa.String(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "epoch", "seq"),
    )
    op.create_index("assigned_by_resident", "assigned", ["resident", "metric", "at_ms"])
    op.create_index("assigned_by_session", "assigned", ["gateway", "epoch", "subject"])
