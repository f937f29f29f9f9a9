"""What the parts cost: memory, processor, and how long a person or a device waits for them.

Here live real programs under a steady load, and what they are held to. Not here: faults (prove/, conform/).
"""
