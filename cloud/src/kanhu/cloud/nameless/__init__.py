"""Readings of nobody known: listed for staff, assigned to a person by a named member of staff, judged then, taken back.

Not here: how they are kept (ledger), which they are (the gateway says), pages (dashboard).
"""
