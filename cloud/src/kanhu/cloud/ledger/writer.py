"""The one writer thread: jobs in, one commit for all that wait, answers only after it.

Each job runs in a savepoint, so that one that fails takes back only its own writes. A commit that fails (full disk)
fails every job in it: nobody is told that something is stored which is not.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection

from kanhu.cloud.errors import LedgerUnusable
from kanhu.cloud.ledger.database import Ledger
from kanhu.contract import Clock

_Answer = TypeVar("_Answer")

_JOBS_A_COMMIT = 64
_WAITING_JOBS = 10_000


@dataclass(slots=True)
class Transaction:
    """What a job writes through: the connection, the moment, and the newest revision of the change log it made."""

    connection: Connection
    now_ms: int
    revision: int = 0


Job = Callable[[Transaction], object]


@dataclass(slots=True)
class _Job:
    run: Job
    done: "Future[object]" = field(default_factory=Future)
    answer: object = None


class Writer:
    """Owns the write connection; jobs may be handed in from any thread."""

    def __init__(self, ledger: Ledger, clock: Clock, *, announce: Callable[[int], None]) -> None:
        """Prepare; `announce` is called after each commit that lengthened the change log."""
        self._ledger = ledger
        self._clock = clock
        self._announce = announce
        self._jobs: queue.Queue[_Job | None] = queue.Queue(_WAITING_JOBS)
        self._thread = threading.Thread(target=self._work, name="ledger-writer", daemon=True)
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what waits, then end."""
        if self._thread.is_alive():
            self._jobs.put(None)
            self._thread.join()
        self._stopped.set()

    def submit(self, job: Callable[[Transaction], _Answer]) -> "Future[_Answer]":
        """Hand a job in; the future is done after the commit, with the job's answer or what it raised.

        Raises:
            LedgerUnusable: the writer has stopped.
        """
        if self._stopped.is_set():
            raise LedgerUnusable("the ledger's writer has stopped")
        entry = _Job(job)
        self._jobs.put(entry)  # bounded: a full queue makes the caller wait
        return entry.done  # type: ignore[return-value]  # a job's future carries what that job returns

    def run(self, job: Callable[[Transaction], _Answer]) -> _Answer:
        """Hand a job in and wait for its commit; never on the event loop."""
        return self.submit(job).result()

    def _work(self) -> None:
        with self._ledger.connect_writer() as connection:
            ending = False
            while not ending:
                jobs, ending = self._waiting()
                if jobs:
                    self._commit(connection, jobs)
        self._stopped.set()

    def _waiting(self) -> tuple[list[_Job], bool]:
        jobs: list[_Job] = []
        entry = self._jobs.get()
        while entry is not None:
            jobs.append(entry)
            if len(jobs) == _JOBS_A_COMMIT or self._jobs.empty():
                return jobs, False
            entry = self._jobs.get()
        return jobs, True

    def _commit(self, connection: Connection, jobs: list[_Job]) -> None:
        jobs = [job for job in jobs if job.done.set_running_or_notify_cancel()]
        transaction = Transaction(connection, self._clock.wall_ms())
        try:
            with connection.begin():
                for job in jobs:
                    error = _attempt(job, transaction)
                    if error is not None and not _is_open(connection):
                        raise error  # what the jobs before it wrote is gone too
        except BaseException as error:  # noqa: BLE001  # handed to everyone who waits for this commit
            for job in jobs:
                if not job.done.done():
                    job.done.set_exception(error)
            return
        for job in jobs:
            if not job.done.done():
                job.done.set_result(job.answer)
        if transaction.revision:
            self._announce(transaction.revision)


def _is_open(connection: Connection) -> bool:
    """Whether the transaction still is there: a full disk may make SQLite take back all of it and not the savepoint.

    It does so where the statement that failed had written more than the page cache holds (sqlite.org/lang_transaction,
    "Response To Errors Within A Transaction"); an I/O error and a lack of memory may do the same.
    """
    raw = connection.connection.dbapi_connection
    return raw is not None and bool(raw.in_transaction)


def _attempt(job: _Job, transaction: Transaction) -> BaseException | None:
    """Run it in a savepoint; returns, and tells the one who waits, what it raised."""
    before = transaction.revision
    try:
        with transaction.connection.begin_nested():
            job.answer = job.run(transaction)
    except BaseException as error:  # noqa: BLE001  # handed to the one who waits for this job
        transaction.revision = before
        job.done.set_exception(error)
        return error
    return None
