"""Published frames of air sensors, tags and beacons, cut and disturbed: decoded or refused, never an accident."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.edge.codecs.almendo import decode_almendo
from kanhu.edge.codecs.aranet import decode_aranet
from kanhu.edge.codecs.blue_maestro import decode_blue_maestro
from kanhu.edge.codecs.ibeacon import decode_ibeacon
from kanhu.edge.codecs.mikrotik import decode_mikrotik
from kanhu.edge.codecs.sensirion import decode_sensirion
from kanhu.edge.codecs.sonoff import decode_sonoff
from kanhu.edge.errors import DecodeError
from tests.edge.vectors import vectors

_DECODERS: dict[str, Callable[[bytes], object]] = {
    "almendo": decode_almendo, "aranet": decode_aranet, "blue_maestro": decode_blue_maestro, "ibeacon": decode_ibeacon,
    "mikrotik": decode_mikrotik, "sensirion": decode_sensirion, "sonoff": decode_sonoff,
}  # fmt: skip  # a table reads by rows


@pytest.mark.parametrize("device", _DECODERS)
@given(st.data())
def test_a_disturbed_frame_decodes_or_is_refused(device: str, data: st.DataObject) -> None:
    frame = data.draw(st.sampled_from([one.frame for one in vectors(device)]))
    bits = data.draw(st.integers(0, 2 ** (8 * len(frame)) - 1))
    kept = data.draw(st.integers(0, len(frame)))
    disturbed = bytes(one ^ two for one, two in zip(frame, bits.to_bytes(len(frame), "big"), strict=True))[:kept]
    with suppress(DecodeError):
        assert _DECODERS[device](disturbed) is not None


@pytest.mark.parametrize("device", _DECODERS)
def test_one_bit_of_a_published_frame_never_breaks_a_decoder(device: str) -> None:
    for one in vectors(device):
        for bit in range(8 * len(one.frame)):
            flipped = (int.from_bytes(one.frame, "big") ^ 1 << bit).to_bytes(len(one.frame), "big")
            with suppress(DecodeError):
                assert _DECODERS[device](flipped) is not None
