"""The outbox against a plain list."""

import shutil
import tempfile
from itertools import count
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kanhu.contract import FakeClock, Gap, Lane, Receipt, Record, SeqRanges
from kanhu.contract.receipt import RECEIPT_VERSION
from kanhu.gateway import Outbox
from tests.gateway.records import heart_rate, sos

_SPANS = st.lists(st.tuples(st.integers(1, 150), st.integers(0, 20)), max_size=4)
# What the file survives is proven elsewhere; here only the answers count, and a busy card would make them slow.
_MEMORY = "/dev/shm"  # noqa: S108  # a folder of this test's own is made in it


class OutboxMachine(RuleBasedStateMachine):
    """Accept, send, settle, quarantine, close and reopen in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="outbox-model-", dir=_MEMORY if Path(_MEMORY).is_dir() else None))
        self.owed: dict[int, tuple[Lane, Record]] = {}
        self.given: set[int] = set()
        self.sent = SeqRanges()
        self.beyond = 0
        self.states: dict[str, bytes] = {}
        self.refused = 0
        self.delivered = 0
        self.numbers = count()

    @initialize()
    def open(self) -> None:
        self.outbox = Outbox.open(self.folder / "outbox.db", clock=FakeClock(), max_bytes=1 << 22)
        self.epoch = self.outbox.epoch

    @rule(readings=st.integers(0, 30), alerts=st.integers(0, 3), refused=st.integers(0, 2), state=st.binary(max_size=5))
    def accept(self, readings: int, alerts: int, refused: int, state: bytes) -> None:
        records: list[tuple[Lane, Record]] = [(Lane.LIVE, heart_rate(next(self.numbers))) for _ in range(readings)]
        records += [(Lane.ALERT, sos(next(self.numbers))) for _ in range(alerts)]
        seqs = self.outbox.accept(records, states={"r-0003": state}, refused=[("strap-03", "short")] * refused)
        assert seqs == sorted(seqs)
        assert not self.given & set(seqs), "a number was given out twice"
        assert all(seq > max(self.given, default=0) for seq in seqs)
        self.given |= set(seqs)
        self.owed |= dict(zip(seqs, records, strict=True))
        self.states = {"r-0003": state}
        self.refused += refused

    @rule(lane=st.sampled_from(Lane), limit=st.integers(1, 20), after=st.integers(0, 60))
    def send(self, lane: Lane, limit: int, after: int) -> None:
        alert = lane is Lane.ALERT
        expected = [
            (seq, record)
            for seq, (own, record) in sorted(self.owed.items())
            if (own is Lane.ALERT) == alert and seq > after
        ]
        batch = self.outbox.batch(lane, limit, after=after)
        assert batch == expected[:limit]
        for seq, _ in batch:
            self.sent.add(seq, seq)

    @rule(contiguous=st.integers(0, 120), spans=_SPANS, stranger=st.sampled_from([False, False, False, True]))
    def settle(self, contiguous: int, spans: list[tuple[int, int]], stranger: bool) -> None:
        ranges = tuple((first, first + more) for first, more in spans)
        if not stranger:  # a county knows no numbers that were never given out, unless the card was copied
            last = max(self.given, default=0)
            contiguous = min(contiguous, last)
            ranges = tuple((first, min(end, last)) for first, end in ranges if first <= last)
        stored = SeqRanges([*ranges, *([(1, contiguous)] if contiguous else [])])
        highest = max((last for _, last in stored), default=0)
        if highest > max(self.given, default=0):
            self.beyond = max(self.beyond, highest)
        gone = [seq for seq in self.owed if self.beyond < seq and seq in stored and seq in self.sent]
        receipt = Receipt(RECEIPT_VERSION, "home-03", self.epoch, contiguous, ranges)
        assert self.outbox.settle(receipt, sent=self.sent) == len(gone)
        for seq in gone:
            del self.owed[seq]
        self.delivered += len(gone)

    @rule(pick=st.integers(0, 1000))
    def quarantine(self, pick: int) -> None:
        if not self.owed:
            return
        seq = sorted(self.owed)[pick % len(self.owed)]
        _, record = self.owed.pop(seq)
        self.outbox.quarantine([seq], reason="malformed")
        if not isinstance(record, Gap):
            gap_seq = self.outbox.last_seq
            ((found, gap),) = self.outbox.fetch([gap_seq])
            assert isinstance(gap, Gap)
            assert gap.ranges == ((seq, seq),)
            self.given.add(found)
            self.owed[found] = (Lane.ALERT, gap)

    @rule()
    def restart(self) -> None:
        self.outbox.close()
        self.outbox = Outbox.open(self.folder / "outbox.db", clock=FakeClock(), max_bytes=1 << 22)
        self.sent = SeqRanges()
        self.beyond = 0

    @invariant()
    def accounts_agree(self) -> None:
        owed = self.outbox.owed()
        assert owed.total == len(self.owed)
        assert owed.alerts == sum(lane is Lane.ALERT for lane, _ in self.owed.values())
        assert self.outbox.kept() == self.delivered
        assert self.outbox.epoch == self.epoch
        assert self.outbox.states() == self.states
        assert self.outbox.counters().get(("strap-03", "refused:short"), 0) == self.refused

    def teardown(self) -> None:
        self.outbox.close()
        shutil.rmtree(self.folder)


# A machine busy with other tests is slow at drawing; that says nothing of the outbox.
OutboxMachine.TestCase.settings = settings(
    max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestOutboxAgainstAList = OutboxMachine.TestCase
