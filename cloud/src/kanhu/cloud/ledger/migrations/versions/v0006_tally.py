"""Readings by resident: received, late, and what their gateway says of them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table; what was received before is counted in no resident's row."""
    op.create_table(
        "tally",
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("resident", sa.String(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("late", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("told_ms", sa.BigInteger(), nullable=True),
        sa.Column("accepted", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("there", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("owed", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("lost", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("missing", sa.BigInteger(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("gateway", "epoch", "resident"),
    )
    op.create_index("tally_by_resident", "tally", ["resident"])
