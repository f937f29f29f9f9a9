"""A glucose meter with the Bluetooth Glucose Service: asked for its records, each is one reading."""

from kanhu.edge.kinds.kind import AskedKind
from kanhu.edge.meters import GlucosePeer

KIND = AskedKind(name="glucose-ble", zh="血糖仪", en="glucose meter", peer=GlucosePeer)
