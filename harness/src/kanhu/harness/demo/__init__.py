"""`./run demo`: a village as real processes, a scripted morning, and an account of every reading at the end.

Here lives what starts, watches, kills and stops them and compares what they wrote down. It imports no part of kanhu:
it sees the village only from outside, by processes, files and HTTP.
"""
