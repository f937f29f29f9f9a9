"""A Polar H10: heart rate and beat intervals, and on request electrocardiogram and acceleration."""

from kanhu.edge.kinds.kind import AskedKind
from kanhu.edge.straps import PolarPeer

KIND = AskedKind(name="strap-polar", zh="心率带（Polar）", en="Polar strap", peer=PolarPeer)
