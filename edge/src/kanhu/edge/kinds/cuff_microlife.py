"""A Microlife cuff with a memory (BP3GY1-2N): asked for it on each link, each record is one reading."""

from kanhu.edge.kinds.kind import AskedKind
from kanhu.edge.stored_cuffs import MicrolifePeer

KIND = AskedKind(name="cuff-microlife", zh="血压计（Microlife）", en="cuff, Microlife", peer=MicrolifePeer)
