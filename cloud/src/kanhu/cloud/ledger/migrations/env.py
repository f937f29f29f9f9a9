"""Runs the revisions on the connection that `ledger.database.migrate` hands over."""

from alembic import context

from kanhu.cloud.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
