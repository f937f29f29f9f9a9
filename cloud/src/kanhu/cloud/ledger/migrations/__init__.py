"""Alembic's environment and the revisions of the schema; every old one stays.

Run by `kanhu-cloud migrate` and before `serve`. Not here: the tables as code sees them (ledger.schema).
"""
