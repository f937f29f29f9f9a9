"""A process whose card is full: files may not grow past a limit, which is then lifted."""

import json
import resource
import sys
from pathlib import Path

from kanhu.contract import FakeClock, Lane, Receipt, SeqRanges
from kanhu.contract.receipt import RECEIPT_VERSION
from kanhu.gateway import Outbox, OutboxError
from tests.gateway.records import heart_rate, sos


def main() -> None:
    outbox = Outbox.open(Path(sys.argv[1]), clock=FakeClock(), max_bytes=1 << 26)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    accepted: list[int] = []
    refused = 0
    for number in range(400):
        try:
            accepted += outbox.accept([(Lane.LIVE, heart_rate(number))])
        except OutboxError:
            refused += 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    accepted += outbox.accept([(Lane.ALERT, sos(1000))])
    held = [seq for lane in (Lane.LIVE, Lane.ALERT) for seq, _ in outbox.batch(lane)]
    sent = SeqRanges((seq, seq) for seq in held)
    settled = outbox.settle(Receipt(RECEIPT_VERSION, "home-03", outbox.epoch, 0, tuple(sent)), sent=sent)
    left = outbox.owed().total
    outbox.close()
    sys.stdout.write(
        json.dumps({"accepted": accepted, "refused": refused, "held": held, "settled": settled, "left": left})
    )


if __name__ == "__main__":
    main()
