"""`./run prove TASK`: promises of docs/ held against faults, with an account of every reading at the end.

Here live the runs that prove something and their verdicts. Not here: the faults themselves (faults/), the comparison
of what was promised with what was stored (ledger.py).
"""
