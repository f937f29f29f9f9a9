"""Tests of the county's screens, and the pretended desk they are shown with."""
