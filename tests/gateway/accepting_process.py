"""A process that accepts readings and says so outside, one line each, until it is killed."""

import sys
from pathlib import Path

from kanhu.contract import FakeClock, Lane
from kanhu.gateway import Outbox
from tests.gateway.records import heart_rate


def main() -> None:
    outbox = Outbox.open(Path(sys.argv[1]), clock=FakeClock(), max_bytes=1 << 24)
    start = outbox.last_seq
    for number in range(start, start + 100_000):
        (seq,) = outbox.accept([(Lane.LIVE, heart_rate(number))], states={"r-0003": str(number).encode()})
        sys.stdout.write(f"{seq} {number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
