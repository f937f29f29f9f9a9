"""Conformance: any gateway or county against docs/spec/, from outside, under faults.

`clauses` ask a county what the pages promise; `matrix` puts a gateway between readings and faults and counts.
Not here: anything that looks inside the program under test, and anything a part would import.
"""
