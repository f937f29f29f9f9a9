"""Tests of the harness itself: an account that cannot be wrong in silence, processes that leave nothing behind."""
