"""Tests of the shared words: codes, records, the wire against hostile bytes, golden messages, the published spec."""
