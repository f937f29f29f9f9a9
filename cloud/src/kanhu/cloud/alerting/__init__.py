"""What becomes of a finding: an alert with four axes, kept as a log of events, with stored deadlines.

The way of a finding is assembled in `pipeline`; the state of an alert is the fold of its events (`state`).
Not here: how findings are made (vitals, trend excepted: it needs days), how alerts look (dashboard).
"""
