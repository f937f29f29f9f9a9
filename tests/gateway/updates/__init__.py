"""Releases from the county on a gateway's card."""
