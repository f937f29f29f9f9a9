"""A Berry finger oximeter (BM1000 and its kin) by Bluetooth: a hundred packets a second."""

from kanhu.edge.berry_peer import BerryPeer
from kanhu.edge.kinds.kind import StreamedKind

KIND = StreamedKind(name="oximeter-berry", zh="血氧仪（贝瑞）", en="oximeter, Berry", peer=BerryPeer)
