"""A help button that advertises BTHome version 2."""

from kanhu.edge.codecs.sealed import KEY_BYTES
from kanhu.edge.kinds.kind import ButtonKind
from kanhu.edge.peers import ButtonPeer

KIND = ButtonKind(
    name="button-bthome",
    zh="求助按钮",
    en="help button",
    of_place=True,
    key_bytes=frozenset({KEY_BYTES}),
    peer=ButtonPeer,
)
