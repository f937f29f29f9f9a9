"""Keeps what gateways read fresh: the one thing that the county's server signs by itself."""

import asyncio
import logging
from pathlib import Path

from kanhu.cloud.errors import UpdatesRefused
from kanhu.cloud.updates.keys import read_signer
from kanhu.cloud.updates.repository import Repository
from kanhu.contract import Clock

FOLDER = "updates"
SERVED = "public"
ONLINE_KEY = "online.key"
_DAILY_S = 86_400.0
_AGAIN_S = 3600.0
"""After a failure: a timestamp counts for a week, so an hour is soon enough."""

_log = logging.getLogger(__name__)


async def keep_fresh(data: Path, *, clock: Clock) -> None:
    """Sign snapshot and timestamp anew each day, until cancelled; nothing where the county publishes nothing.

    Another key than the root names, or a folder that cannot be written, is said each hour; the doctor counts the days.
    """
    while True:
        try:
            await asyncio.to_thread(_refresh, data / FOLDER, clock)
        except (UpdatesRefused, OSError) as error:
            _log.error("what gateways read was not made fresh: %s; see kanhu-cloud doctor", error)
            await clock.sleep(_AGAIN_S)
        else:
            await clock.sleep(_DAILY_S)


def _refresh(folder: Path, clock: Clock) -> None:
    repository, key = Repository(folder / SERVED), folder / ONLINE_KEY
    if key.exists() and repository.root() is not None and repository.targets() is not None:
        repository.refresh(read_signer(key, None), now=clock.now())
        _log.info("what gateways read is fresh for another week")
