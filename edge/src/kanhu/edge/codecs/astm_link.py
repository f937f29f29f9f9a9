"""The receiving side of the ASTM E1381 (CLSI LIS1-A) link: bytes, silences and time-outs in; replies and messages out.

A frame is STX, number, text, ETX or ETB, two hexadecimal digits, CR LF. Real analysers deviate (captures of
senaite/senaite.astm@b701c18); what is let pass is told in `Step.notes`, what is not is answered with NAK.

The analyser forgets a message, or marks it as sent, once its last frame is acknowledged. So a message is handed on with
the frame that ends it, and the ACK of that frame belongs on the line only when the message is safe.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from kanhu.edge.errors import DecodeError, DecodeReason

STX, ETX, EOT, ENQ, ACK, NAK, ETB = 0x02, 0x03, 0x04, 0x05, 0x06, 0x15, 0x17

FRAME_TIMEOUT_S = 30
"""LIS1-A: without a frame or EOT for so long, the receiver discards the message."""
SILENCE_S = 1
"""Ours: after so long without a byte, a frame without its CR LF is taken as ended; at 9600 baud a byte takes 1 ms."""
MAX_FRAME_BYTES = 65_536
"""Ours: whole messages in one frame were seen with 5 kB."""
MAX_MESSAGE_BYTES = 1_048_576
"""Ours: blood counts with histograms were seen with 32 kB."""

_STANDARD_FRAME_BYTES = 247  # 240 of text and 7 around it
_FRAME_NUMBERS = 8
_FIRST_NUMBER = 1
_ENDS = re.compile(b"[\x03\x17]")
_INTERRUPTIONS = re.compile(b"[\x02\x04\x05]")
_CHECKSUM = re.compile(b"[0-9A-Fa-f]{2}")
_SINGLE = frozenset({ENQ, EOT})
_CARRIAGE_RETURN = b"\r"
_LINE_END = b"\r\n"


class Checksums(StrEnum):
    """Whether frames without checksum are taken; a wrong one never is."""

    REQUIRED = "required"
    MAY_BE_MISSING = "may_be_missing"


class Numbers(StrEnum):
    """Whether frames are counted as the standard says."""

    COUNTED = "counted"
    UNRELIABLE = "unreliable"
    """Yumizen H500 begins again at 1 within a session, and gives this number to every long frame."""


class Note(StrEnum):
    """What deviated, and what became of it."""

    LONG_FRAME = "long_frame"
    """Taken: more than the 247 bytes of the standard."""
    NO_LINE_END = "no_line_end"
    """Taken: CR LF was not sent, or only one of them."""
    NO_CHECKSUM = "no_checksum"
    """Taken where it may be missing, else refused."""
    FIRST_NUMBER = "first_number"
    """Taken: the first frame of a session is not number 1."""
    SAME_NUMBER = "same_number"
    """Taken: the number of the frame before with other content, so no repeat."""
    REPEATED = "repeated"
    """Folded: the frame before once more, because our answer was lost."""
    NO_ENQUIRY = "no_enquiry"
    """Taken: a frame without ENQ before it."""
    NO_END = "no_end"
    """Taken: a message whose last record had no end of its own, and no EOT behind it."""
    CHECKSUM_WRONG = "checksum_wrong"
    """Refused."""
    NUMBER_SKIPPED = "number_skipped"
    """Refused, as a frame between was lost; taken where numbers are unreliable."""
    BROKEN_FRAME = "broken_frame"
    """Refused: no number, cut off, or too long."""
    MESSAGE_DROPPED = "message_dropped"
    """The session broke off within a message, or a message is too long."""


@dataclass(frozen=True, slots=True)
class AstmFrame:
    """One frame as sent, right or wrong."""

    number: int
    text: bytes
    last: bool  # ended by ETX; ETB says that the record goes on
    checksum_told: int | None
    checksum_counted: int
    size_bytes: int
    line_end: bool  # CR and LF both came

    @property
    def checksum_ok(self) -> bool:
        """It was told, and is right."""
        return self.checksum_told == self.checksum_counted


@dataclass(frozen=True, slots=True)
class LinkState:
    """Between two inputs; a new link starts with this."""

    checksums: Checksums = Checksums.REQUIRED
    numbers: Numbers = Numbers.COUNTED
    receiving: bool = False
    buffer: bytes = b""  # a frame that has begun
    text: bytes = b""  # of the message so far
    previous: AstmFrame | None = None  # the last one taken in this session


@dataclass(frozen=True, slots=True)
class Step:
    """What one input led to."""

    state: LinkState
    reply: bytes = b""
    messages: tuple[bytes, ...] = ()  # whole; to be safe before `reply` is written
    notes: tuple[Note, ...] = ()
    bad_bytes: int = 0  # of frames that were refused, and between frames


def receive(state: LinkState, data: bytes) -> Step:
    """Take the next bytes from the line, however they are cut."""
    step = Step(replace(state, buffer=b""))
    rest = state.buffer + data
    while rest:
        first = rest[0]
        if first == STX:
            end = _frame_end(rest)
            if end is None and len(rest) <= MAX_FRAME_BYTES:
                return replace(step, state=replace(step.state, buffer=rest))
            step = _then(step, _take_frame(step.state, rest[:end]))
            rest = b"" if end is None else rest[end:]
            continue
        if first == ENQ:
            step = _then(step, _open(step.state))
        elif first == EOT:
            step = _then(step, _close(step.state))
        following = _INTERRUPTIONS.search(rest, 1)  # what stands between frames is line ends and noise
        end = len(rest) if following is None else following.start()
        noise = rest[1 if first in _SINGLE else 0 : end].strip(_LINE_END)
        step = replace(step, bad_bytes=step.bad_bytes + len(noise))
        rest = rest[end:]
    return step


def not_kept(before: LinkState) -> Step:
    """What `receive` handed on could not be kept: all as before its frame, and NAK, so that it is sent again."""
    return Step(replace(before, buffer=b""), bytes([NAK]))


def fall_silent(state: LinkState) -> Step:
    """No byte came for SILENCE_S: a frame whose text has ended is taken without the rest, any other is refused."""
    if not state.buffer:
        return Step(state)
    return _take_frame(replace(state, buffer=b""), state.buffer)


def time_out(state: LinkState) -> Step:
    """Neither a frame nor EOT came for FRAME_TIMEOUT_S: the session is over."""
    idle = _idle(state)
    if state.text and not state.buffer and _is_whole(state):
        return Step(idle, b"", (state.text,), (Note.NO_END,))
    return Step(idle, notes=(Note.MESSAGE_DROPPED,) if state.text or state.buffer else ())


def decode_astm_frame(frame: bytes) -> AstmFrame:
    """Decode one frame from its STX on; a checksum that is wrong or missing is told, not refused.

    Raises:
        DecodeError: it does not begin with STX and a number, its text has no end, or it is too long.
    """
    if len(frame) > MAX_FRAME_BYTES:
        raise DecodeError(DecodeReason.TOO_LONG, f"{len(frame)} bytes")
    if not frame or frame[0] != STX:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "no STX")
    end = _ENDS.search(frame)
    if end is None:
        raise DecodeError(DecodeReason.SHORT, f"no ETX or ETB in {len(frame)} bytes")
    at = end.start()
    number = frame[1] - ord("0")
    if at < 2 or not 0 <= number < _FRAME_NUMBERS:
        raise DecodeError(DecodeReason.RESERVED_VALUE, "no frame number from 0 to 7")
    told = _CHECKSUM.match(frame, at + 1)
    behind = frame[at + 3 if told else at + 1 :]
    return AstmFrame(
        number=number,
        text=frame[2:at],
        last=frame[at] == ETX,
        checksum_told=int(told[0], 16) if told else None,
        checksum_counted=sum(frame[1 : at + 1]) % 256,
        size_bytes=len(frame),
        line_end=behind.startswith(_LINE_END),
    )


def split_astm_capture(capture: bytes) -> tuple[AstmFrame, ...]:
    """The frames of a recorded session, one side of it or both, in their order.

    Raises:
        DecodeError: there is no frame, or one is broken.
    """
    frames: list[AstmFrame] = []
    rest = capture[capture.find(STX) :] if STX in capture else b""
    while rest:
        end = _frame_end(rest) or len(rest)
        frames.append(decode_astm_frame(rest[:end]))
        following = rest.find(STX, end)
        rest = rest[following:] if following >= 0 else b""
    if not frames:
        raise DecodeError(DecodeReason.NOT_SYNCHRONISED, "no STX")
    return tuple(frames)


def join_astm_frames(frames: tuple[AstmFrame, ...]) -> bytes:
    """Their text, each record ended by CR; ETX ends a record where the analyser forgot the CR."""
    return b"".join(map(_text, frames))


def _frame_end(data: bytes) -> int | None:
    """Where the frame at the start of `data` ends; None where more of it may come."""
    end = _ENDS.search(data)
    interruption = _INTERRUPTIONS.search(data, 1)
    if interruption is not None and (end is None or interruption.start() < end.start()):
        return interruption.start()
    if end is None:
        return None
    told = _CHECKSUM.match(data, end.end())
    at = end.end() + (2 if told else 0)
    if told is None and len(data) - end.end() < 2 and not data[end.end() :].strip(b"0123456789ABCDEFabcdef"):
        return None
    if data[at : at + 1] == b"\n":
        return at + 1
    if data[at : at + 1] == _CARRIAGE_RETURN:
        if at + 1 == len(data):
            return None
        return at + 2 if data[at + 1 : at + 2] == b"\n" else at + 1
    return None if at == len(data) else at


def _take_frame(state: LinkState, data: bytes) -> Step:
    try:
        frame = decode_astm_frame(data)
    except DecodeError:
        return _refused(state, data, Note.BROKEN_FRAME)
    notes = _deviations(state, frame)
    if frame.checksum_told is None and state.checksums is Checksums.REQUIRED:
        return _refused(state, data, Note.NO_CHECKSUM)
    if frame.checksum_told is not None and not frame.checksum_ok:
        return _refused(state, data, Note.CHECKSUM_WRONG)
    before = state.previous
    if before is None:
        notes += (Note.FIRST_NUMBER,) if frame.number != _FIRST_NUMBER else ()
    elif frame.number == before.number:
        if (frame.text, frame.last) == (before.text, before.last):
            return Step(state, bytes([ACK]), notes=(*notes, Note.REPEATED))
        notes += (Note.SAME_NUMBER,)
    elif frame.number != (before.number + 1) % _FRAME_NUMBERS:
        if state.numbers is Numbers.COUNTED:
            return _refused(state, data, Note.NUMBER_SKIPPED)
        notes += (Note.NUMBER_SKIPPED,)
    text = state.text + _text(frame)
    if len(text) > MAX_MESSAGE_BYTES:
        return _refused(_idle(state), data, Note.MESSAGE_DROPPED)
    taken = replace(state, receiving=True, text=text, previous=frame)
    if _is_whole(taken) and text.endswith((b"\r", b"\n")):  # else the record may go on in the next frame
        return Step(replace(taken, text=b""), bytes([ACK]), (text,), notes)
    return Step(taken, bytes([ACK]), notes=notes)


def _refused(state: LinkState, data: bytes, note: Note) -> Step:
    return Step(state, bytes([NAK]), notes=(note,), bad_bytes=len(data))


def _deviations(state: LinkState, frame: AstmFrame) -> tuple[Note, ...]:
    found = {
        Note.LONG_FRAME: frame.size_bytes > _STANDARD_FRAME_BYTES,
        Note.NO_LINE_END: not frame.line_end,
        Note.NO_CHECKSUM: frame.checksum_told is None,
        Note.NO_ENQUIRY: not state.receiving,
    }
    return tuple(note for note, here in found.items() if here)


def _open(state: LinkState) -> Step:
    """ENQ, also within a session: the analyser began anew, and sends the message again from its start."""
    notes = (Note.MESSAGE_DROPPED,) if state.text else ()
    return Step(replace(_idle(state), receiving=True), bytes([ACK]), notes=notes)


def _close(state: LinkState) -> Step:
    """EOT, which also ends a transfer that was given up: only a message whose frames have all come is handed on."""
    idle = _idle(state)
    if not state.text:
        return Step(idle)
    if _is_whole(state):
        return Step(idle, b"", (state.text,))
    return Step(idle, notes=(Note.MESSAGE_DROPPED,))


def _idle(state: LinkState) -> LinkState:
    return LinkState(state.checksums, state.numbers)


def _is_whole(state: LinkState) -> bool:
    """The last record is L; cobas c111 ends even this one with ETB."""
    return state.text.rstrip(b"\r\n").rsplit(b"\r", 1)[-1].lstrip(b"\n")[:1] in {b"L", b"l"}


def _text(frame: AstmFrame) -> bytes:
    return frame.text + _CARRIAGE_RETURN if frame.last and not frame.text.endswith((b"\r", b"\n")) else frame.text


def _then(step: Step, more: Step) -> Step:
    return Step(
        more.state,
        step.reply + more.reply,
        step.messages + more.messages,
        step.notes + more.notes,
        step.bad_bytes + more.bad_bytes,
    )
