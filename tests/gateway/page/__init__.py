"""The clinic page."""
