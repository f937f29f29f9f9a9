"""What a budget of alerts asks of the rule TREND, from the county's own history.

Here lives the reading of that history, what follows from it, and the command. Not here: how a limit follows from alerts
that were counted (`vitals.calibration`), and any change of a rule, which a clinician makes in the rule pack.
"""
