"""`./run vectors FILE.json`: published frames through our codecs; per protocol passed, failed and unsupported.

A frame passes where every field its publisher states was decoded to the same value, or where he states an error and the
codec refuses it. Labels of products are not compared. A protocol that nobody here decodes is unsupported, never passed;
so is a frame of which we dispute what its publisher states (disputes.py).
"""

import argparse
import fnmatch
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rich.table import Table

from kanhu.edge.errors import DecodeError
from kanhu.harness.errors import HarnessError
from kanhu.harness.report import Output, Report, console, finish, read_limits
from kanhu.harness.stopping import STOPPED
from kanhu.harness.vectors.disputes import dispute_over, disputed_difference
from kanhu.harness.vectors.families import adapter_for, reason_for
from kanhu.harness.vectors.file import read_vectors
from kanhu.harness.vectors.second_opinion.outcome import give_second_opinion
from kanhu.harness.vectors.vector import Unsupported, Vector

__all__ = ["Outcome", "Verdict", "judge", "main"]

_NAME = "vectors"
_EXAMPLES = """examples:
  ./run vectors tests/vectors/device_vectors.json
  ./run vectors FILE.json --json
  ./run vectors FILE.json --protocol 'BLE GLS*' --protocol 'Nonin*'
  ./run vectors FILE.json --second-opinion     what the field's own libraries say of the same frames

exit code:
  0    no frame failed; with --second-opinion, none is read otherwise by both a library and its publisher
  1    one did, or the file cannot be read, or a library could not be installed or asked
  2    wrong usage
  130  stopped by hand
"""
_LABELS = frozenset({"brand", "model", "model_id", "type", "firmware", "track", "device", "cidc", "acts", "cont"})
"""What advertisements are called by their publishers: names of products, no values."""


class Outcome(StrEnum):
    """What became of one frame."""

    PASSED = "passed"
    FAILED = "failed"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One frame, and why."""

    vector: Vector
    outcome: Outcome
    detail: str = ""


def judge(vector: Vector) -> Verdict:
    """Decode it and compare."""
    adapter = adapter_for(vector.protocol)
    if adapter is None:
        return Verdict(vector, Outcome.UNSUPPORTED, reason_for(vector.protocol))
    expected = vector.expected
    try:
        decoded = adapter(vector)
    except Unsupported as reason:
        return Verdict(vector, Outcome.UNSUPPORTED, str(reason))
    except DecodeError as error:
        if "error" in expected:
            return Verdict(vector, Outcome.PASSED)
        return Verdict(vector, Outcome.FAILED, f"refused: {error}")
    except Exception as error:  # noqa: BLE001  # a codec that raises anything else is a defect, and is told as one
        return Verdict(vector, Outcome.FAILED, f"{type(error).__name__}: {error}")
    if "error" in expected and "error" not in decoded:
        return Verdict(vector, Outcome.FAILED, f"expected to be refused, {expected['error']}; was decoded")
    if "layer" in vector.given:
        expected = {key: value for key, value in expected.items() if key not in _LABELS}
    dispute = dispute_over(vector)
    found = disputed_difference(expected, decoded, dispute)
    if found is not None:
        return Verdict(vector, Outcome.FAILED, found)
    return Verdict(vector, Outcome.PASSED) if dispute is None else Verdict(vector, Outcome.UNSUPPORTED, str(dispute))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 0 where no frame failed."""
    parser = argparse.ArgumentParser(
        prog="./run vectors", description="Published frames of devices through our codecs, field by field.",
        epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("file", type=Path, metavar="FILE.json", help="frames and what their publishers say of them")
    parser.add_argument("--protocol", action="append", metavar="NAME", help="only these; * is anything; repeatable")
    parser.add_argument(
        "--second-opinion", action="store_true", help="ask the libraries of harness/apart/second-opinion.txt"
    )
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    chosen = parser.parse_args(arguments)
    try:
        found = read_vectors(chosen.file)
    except HarnessError as error:
        print(f"kanhu: {error}", file=sys.stderr)
        return error.exit_code
    wanted = chosen.protocol or ["*"]
    some = [one for one in found if any(fnmatch.fnmatchcase(one.protocol, name) for name in wanted)]
    if not some:
        parser.error(f"no frame of {', '.join(wanted)} in {chosen.file}")
    output = Output.TABLE_AND_JSON if chosen.json else Output.TABLE
    if chosen.second_opinion:
        return _second_opinion(some, output)
    verdicts = [judge(one) for one in some]
    _tell(verdicts)
    counts = Counter(one.outcome for one in verdicts)
    report = Report(_NAME, {outcome.value: counts[outcome] for outcome in Outcome}, read_limits(_NAME))
    return finish(report, output=output)


def _second_opinion(vectors: Sequence[Vector], output: Output) -> int:
    try:
        return give_second_opinion(vectors, output=output)
    except HarnessError as error:
        print(f"kanhu: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("kanhu: stopped; nothing is left behind", file=sys.stderr)
        return STOPPED


def _tell(verdicts: Sequence[Verdict]) -> None:
    table = Table(title="frames by protocol", title_justify="left")
    table.add_column("protocol")
    for outcome in Outcome:
        table.add_column(outcome.value, justify="right")
    table.add_column("why")
    for protocol in sorted({one.vector.protocol for one in verdicts}):
        mine = [one for one in verdicts if one.vector.protocol == protocol]
        counts = Counter(one.outcome for one in mine)
        table.add_row(protocol, *(str(counts[outcome] or "") for outcome in Outcome), _reasons(mine))
    console().print(table)


def _reasons(verdicts: Iterable[Verdict]) -> str:
    failed = [f"{one.vector.id}: {one.detail}" for one in verdicts if one.outcome is Outcome.FAILED]
    unsupported = Counter(one.detail for one in verdicts if one.outcome is Outcome.UNSUPPORTED)
    return "\n".join([*failed, *unsupported])


if __name__ == "__main__":
    sys.exit(main())
