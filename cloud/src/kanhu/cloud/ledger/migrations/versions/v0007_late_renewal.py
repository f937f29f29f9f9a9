"""Certificates given to gateways whose last one had run out: when it had, and who confirmed that they may stay."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the columns; whoever came back late before this was renewed in the ordinary way, and stays so."""
    op.add_column("certificate", sa.Column("ran_out_ms", sa.BigInteger()))
    op.add_column("certificate", sa.Column("confirmed_ms", sa.BigInteger()))
    op.add_column("certificate", sa.Column("confirmed_by", sa.String(), nullable=False, server_default=""))
    op.create_index("certificate_late", "certificate", ["ran_out_ms"])
