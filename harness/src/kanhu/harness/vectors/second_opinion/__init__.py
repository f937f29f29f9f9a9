"""`./run vectors FILE.json --second-opinion`: what the field's own libraries say of the same frames.

Here live which library is asked of which protocol, the environment they are installed in, their words in ours, and the
comparison of three: the codec, the library and what was published. `peer.py` runs in that environment, which is never
ours, and imports nothing of kanhu.
"""
