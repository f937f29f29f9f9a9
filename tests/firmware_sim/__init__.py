"""Tests of the simulator: bytes against published frames, bodies, scenarios, devices, and the served air and lines."""
