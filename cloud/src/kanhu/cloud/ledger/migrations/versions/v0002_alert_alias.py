"""Ids of findings that joined an alert which was open already."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table; alerts that are there have joined nothing."""
    op.create_table(
        "alert_alias",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("alert", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
