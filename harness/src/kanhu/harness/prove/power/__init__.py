"""Power cuts without a power switch: what a real process wrote, cut off anywhere, and opened again.

trace.py reads what strace saw, card.py is the disk that forgets, recording.py lets a gateway write, survival.py holds
what is left against what was promised, replay.py does so for thousands of cuts. Not here: the command line.
"""
