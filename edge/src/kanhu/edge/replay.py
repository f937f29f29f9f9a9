"""Observations from a file, judged as if they had just arrived: a field report becomes a test by copying its file."""

from collections.abc import Iterable, Iterator

import msgspec

from kanhu.contract import Observation
from kanhu.edge.errors import ReplayRefused
from kanhu.edge.pipeline import Judged, SensingPipeline

_decoder = msgspec.json.Decoder(Observation)


def replay(lines: Iterable[bytes], *, pipeline: SensingPipeline) -> Iterator[Judged]:
    """Judge one observation a line, in order; empty lines are passed over.

    Raises:
        ReplayRefused: a line is not an observation; everything before it was judged.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            observation = _decoder.decode(line)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise ReplayRefused(number, str(error)) from error
        yield pipeline.take(observation)
