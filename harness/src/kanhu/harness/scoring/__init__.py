"""What truly happened against what was raised, episode by episode, and the figures that follow.

Here live the reading of truth and outcome, the matching, figures, load, and two outcomes compared. Not here: the
simulator, any judge, any program or page (harness.county). What must be raised is data in harness/expectations.toml.
"""
