"""A link that carries a few hundred bytes a second: everything passes, no alert waits for a backlog, nothing twice."""

import random
import time
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from kanhu.contract import Lane, Observation, Part
from kanhu.contract.envelope import MAX_ENVELOPE_BYTES
from kanhu.gateway.allowance import Allowance
from kanhu.gateway.senders import Senders
from kanhu.gateway.uplink import SessionEnd
from kanhu.harness.faults import Kind, LinkProxy
from tests.gateway.broker import Broker
from tests.gateway.county import County
from tests.gateway.records import RESIDENT, sos, times
from tests.gateway.sender import Sender, until

pytestmark = pytest.mark.broker

MakeSender = Callable[..., Sender]

_BYTES_A_S = 8000.0
_TIMEOUT_S = 2.0  # a tenth of the usual, so that a tenth of a slow link's time shows the same
_READINGS = 600  # of some 150 bytes each on the wire


class _SixtyKib(Allowance):
    """Whole envelopes, whatever the link bears."""

    def begin(self) -> None:
        self.parcel_bytes = MAX_ENVELOPE_BYTES

    def _shrink_to(self, size: int) -> None:
        del size


class SendsWholeEnvelopes(Senders):
    """The broken variant: parcels as large as an envelope may be."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]  # as Senders takes them
        self._allowance = _SixtyKib()


@pytest.fixture
async def slow(broker: Broker) -> AsyncIterator[LinkProxy]:
    """Return a relay to the broker that carries 64 kbit/s each way."""
    async with LinkProxy(to_port=broker.port) as link:
        await link.impose(Kind.RATE, amount=_BYTES_A_S)
        yield link


def intervals(count: int) -> Sequence[Observation]:
    """Readings that compress badly and are long: a parcel of a few hundred takes the whole envelope."""
    draw = random.Random(1)
    series = [tuple(draw.randrange(60_000, 160_000) for _ in range(60)) for _ in range(count)]
    parts = [(Part("heart_rate", (70,)), Part("rr_interval", steps)) for steps in series]
    return [Observation("heart_rhythm", part, RESIDENT, "strap-03", times(n)) for n, part in enumerate(parts)]


@pytest.mark.parametrize("kind", [Senders, SendsWholeEnvelopes])
async def test_a_parcel_that_cannot_pass_in_time_is_made_smaller_until_it_passes(
    broker: Broker, slow: LinkProxy, sender: MakeSender, kind: type[Senders], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kanhu.gateway.uplink.Senders", kind)
    records = intervals(_READINGS)
    async with County(broker.port) as county:
        gateway = sender(slow.port, receipt_timeout_s=_TIMEOUT_S)
        for at in range(0, len(records), 200):
            await gateway.accept(records[at : at + 200])
        gateway.start()
        if kind is SendsWholeEnvelopes:
            await until(lambda: gateway.uplink.ends[SessionEnd.LOST] >= 2)
            assert not county.stored, "the broken variant must get stuck, or this test proves nothing"
            return
        await until(lambda: county.stored)
        raised_s = time.monotonic()
        (seq,) = await gateway.accept([sos(1)], lane=Lane.ALERT)
        await until(lambda: seq in county.stored)
        alert_s = time.monotonic() - raised_s
        assert (await gateway.owed()).routine > 100, "the backlog was still being sent"
        await gateway.settled(within_s=60)
    assert alert_s < 3
    assert max(county.arrivals.values()) == 1, "nothing was sent twice"
