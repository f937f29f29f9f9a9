"""Tests of kanhu.edge: what devices send, what becomes of it, and what happens when they are gone."""
