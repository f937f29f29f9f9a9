"""An analyser of a village clinic: glucose in capillary blood, sent by ASTM, and again until it was acknowledged."""

from collections import deque
from collections.abc import Sequence

from kanhu.firmware_sim.alone.model import Conversing, Moment, Talk
from kanhu.firmware_sim.wire.astm_link import REPLY_S, Analyser, astm_frames
from kanhu.firmware_sim.wire.astm_records import GLUCOSE_LOINC, SentResult, astm_message

_NO_RESULT = "---"


def make() -> Conversing:
    """Results wait in its memory until they were sent."""
    waiting: deque[Sequence[bytes]] = deque()

    def talk(moment: Moment) -> Talk:
        return _send(waiting, _message(moment, f"{moment.around(6.1, 0.8, step='0.1')}"))

    def no_result(moment: Moment) -> Talk:
        return _send(waiting, _message(moment, _NO_RESULT))

    return Conversing(
        name="analyser-astm",
        about="laboratory analyser on a serial line, glucose around 6.1 mmol/L, goes on when it is answered",
        every_s=20.0,
        talk=talk,
        no_result=no_result,
        patience_s=REPLY_S,
    )


def _message(moment: Moment, value: str) -> Sequence[bytes]:
    at = f"{moment.at:%Y%m%d%H%M%S}"
    return astm_message(
        [SentResult("GLU", value, "mmol/L", completed=at, loinc=GLUCOSE_LOINC)],
        specimen=f"S{moment.number + 1:04d}",
        patient_id="r-0001",
        patient_name="Zhang^San",
        born="19390211",
        operator="nurse2",
        sent=at,
    )


def _send(waiting: deque[Sequence[bytes]], message: Sequence[bytes]) -> Talk:
    """All that waits, each in a session of its own; what is not acknowledged to its end stays."""
    waiting.append(message)
    end = b""
    while waiting:
        analyser = Analyser(astm_frames(waiting[0]))
        words = end + analyser.begin()
        while not analyser.ended:
            answer = yield words
            words = analyser.hear(answer[-1:] or None)
        end = words
        if analyser.gave_up:
            break
        waiting.popleft()
    return end
