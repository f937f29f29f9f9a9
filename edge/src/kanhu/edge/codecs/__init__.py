"""Bytes of one device profile in, one exact record out; a function turns the record into an Observation.

Here live pure functions, one file a profile, that keep no memory between frames.
Not here: framing, folding, clocks, input or output of any kind.
"""

__all__: list[str] = []
