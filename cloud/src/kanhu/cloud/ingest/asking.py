"""What the county asks of a gateway by itself: after each start, to deliver again what it once had and has no more.

Whatever is not accounted for is asked for, once, at the first heartbeat of each outbox; what one request cannot name,
by another once that was taken. Where nothing was lost the gateway has nothing of it: what it keeps is what was
confirmed. So nobody has to notice that a ledger was put back to a backup. What an administrator asks
(`kanhu-cloud ask`) waits in a folder, a file a gateway, for its next heartbeat.

Asked again with each heartbeat until one names the request; a gateway whose heartbeat names none is not asked.
"""

import os
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kanhu.cloud.ledger.coverage import Coverage
from kanhu.contract import Ask, Request, SeqRanges, Status
from kanhu.contract.receipt import MAX_RANGES
from kanhu.contract.request import REQUEST_VERSION

_LAST_SEQ = 2**63 - 1
_MOST_WAITING = 10_000

FOLDER = "asked"
"""Of what an administrator asks, in the county's data folder."""

WAITS_MS = 15 * 60_000
"""A live view that no heartbeat came for by then is not wanted any more."""


class Wanted(msgspec.Struct, frozen=True):
    """What an administrator asks of one gateway, until Unix milliseconds."""

    number: int
    until_ms: int
    minutes: int
    resident: str = ""


def want_live(folder: Path, *, gateway: str, minutes: int, resident: str, now_ms: int) -> None:
    """Ask for a live view at the gateway's next heartbeat, instead of what was asked before.

    Raises:
        OSError: the folder cannot be written, or is a link: the county owns it, and root does not go where it points.
    """
    wanted = Wanted(_number(), now_ms + WAITS_MS, minutes, resident)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    owner = folder.parent.stat()
    inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    new = f".{gateway}.{wanted.number}.new"  # of its own: two people may ask at once
    try:
        _give(inside, owner)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(new, flags, 0o600, dir_fd=inside), "wb") as out:
            _give(out.fileno(), owner)
            out.write(msgspec.json.encode(wanted))
        os.replace(new, f"{gateway}.json", src_dir_fd=inside, dst_dir_fd=inside)
    except OSError:
        with suppress(OSError):
            os.unlink(new, dir_fd=inside)
        raise
    finally:
        os.close(inside)


def _give(made: int, owner: os.stat_result) -> None:
    """Asked by root, read by the county."""
    if os.geteuid() == 0:
        os.fchown(made, owner.st_uid, owner.st_gid)


@dataclass(slots=True)
class _Asked:
    epoch: str
    number: int
    upto: int = _LAST_SEQ
    """Higher numbers were asked for before."""
    left_out: int = 0
    """The highest that it had no room for; 0 where it names all."""
    taken: bool = False


class Asking:
    """Of one run of the county: written by the ledger's thread, emptied by whoever has the connection."""

    def __init__(self, folder: Path | None = None) -> None:
        """Nobody was asked yet; an administrator asks by `folder`."""
        self._folder = folder
        self._asked: dict[str, _Asked] = {}
        self._heard: dict[str, Status] = {}
        self._waiting: deque[Request] = deque(maxlen=_MOST_WAITING)

    def heard(self, status: Status, *, now_ms: int) -> None:
        """A gateway says that it is there."""
        if not isinstance(status.requests, tuple):
            return
        self._ask_live(status.gateway, status.requests, now_ms=now_ms)
        asked = self._asked.get(status.gateway)
        if asked is None or asked.epoch != status.epoch:
            asked = self._asked[status.gateway] = _Asked(status.epoch, _number())
        asked.taken = asked.taken or asked.number in status.requests
        if asked.taken and asked.left_out:
            asked = self._asked[status.gateway] = _Asked(status.epoch, _number(), upto=asked.left_out)
        if not asked.taken:
            self._heard[status.gateway] = status

    def close(self, coverage_of: Callable[[Status], Coverage]) -> None:
        """Everything of this transaction is stored: only now is it known what those that were heard have to send again.

        Asked any earlier, what lay behind a heartbeat would be asked for and confirmed in the same breath.
        """
        for gateway, status in self._heard.items():
            asked = self._asked[gateway]
            lacking, left_out = missing(coverage_of(status).accounted(), upto=asked.upto)
            # The highest of all its repetitions: the gateway may have taken the first, which named the fewest.
            asked.left_out = max(asked.left_out, left_out)
            if lacking:
                number, epoch = asked.number, asked.epoch
                self._waiting.append(Request(REQUEST_VERSION, gateway, number, Ask.RESEND.value, epoch, lacking))
            else:
                asked.taken = True
        self._heard.clear()

    def _ask_live(self, gateway: str, taken: tuple[int, ...], *, now_ms: int) -> None:
        if self._folder is None:
            return
        file = self._folder / f"{gateway}.json"
        try:
            wanted = msgspec.json.decode(file.read_bytes(), type=Wanted)
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError, ValueError):
            wanted = Wanted(0, 0, 0)  # of another version, or cut short: nothing can be asked by it
        if wanted.until_ms < now_ms or wanted.number in taken:
            with suppress(OSError):
                file.unlink()
            return
        self._waiting.append(
            Request(
                REQUEST_VERSION,
                gateway,
                wanted.number,
                Ask.LIVE.value,
                minutes=wanted.minutes,
                resident=wanted.resident,
            )
        )

    def due(self) -> Iterator[Request]:
        """What is to be sent now, each once: a heartbeat may have been taken again, with others beside it."""
        sent = set()
        while self._waiting:
            request = self._waiting.popleft()
            if request not in sent:
                sent.add(request)
                yield request


def missing(accounted: SeqRanges, *, upto: int = _LAST_SEQ) -> tuple[tuple[tuple[int, int], ...], int]:
    """Every number up to that one that is not accounted for; where those are too many ranges, the newest.

    Beside them the highest number that was left out by that, else 0.
    """
    holes: list[tuple[int, int]] = []
    following = 1
    for first, last in accounted:
        if following < first and following <= upto:
            holes.append((following, min(first - 1, upto)))
        following = last + 1
    if following <= upto:
        holes.append((following, upto))
    left_out = holes[:-MAX_RANGES]
    return tuple(holes[-MAX_RANGES:]), left_out[-1][1] if left_out else 0


def _number() -> int:
    return secrets.randbelow(_LAST_SEQ) + 1
