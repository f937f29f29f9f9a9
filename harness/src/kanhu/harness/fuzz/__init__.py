"""Coverage-guided fuzzing of the codecs: what is called, the process that does it, and the proof over all of them.

Here lives the finding of codecs by their signatures, so that a new one is fuzzed without being named.
Not here: published frames (vectors), and what the tests of one codec draw (tests/edge).
"""
