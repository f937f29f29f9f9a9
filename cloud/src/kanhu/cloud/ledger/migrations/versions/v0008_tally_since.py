"""From which record of an outbox readings are counted, on both sides."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Compare anew: what was compared before may have been counted from different records."""
    op.add_column("tally", sa.Column("counted", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE tally SET told_ms = NULL, accepted = 0, there = 0, owed = 0, lost = 0, missing = 0")
    op.create_table(
        "tally_outbox",
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("used_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "epoch"),
    )
    op.execute("INSERT INTO tally_outbox SELECT DISTINCT gateway, epoch, NULL, 0 FROM tally")
