"""Three releases on one card, as a gateway writes them: the process whose writes are cut.

    python swapping_releases.py DATA SAID sound|unsynced

After each change that the card has taken, the state is written to SAID, a line of JSON.
"""

import os
import sys
from pathlib import Path

import msgspec

from kanhu.contract.remote import ReleaseReason
from kanhu.gateway import identity
from kanhu.gateway.updates import store as store_module
from kanhu.gateway.updates.release import Release
from kanhu.gateway.updates.store import State, Store, kept, refused, started, stopped, tried


def main(data: str, said: str, how: str) -> None:
    if how == "unsynced":
        vars(store_module)["replace_file"] = _without_waiting_for_the_disk
    store, state = Store(Path(data)), State()
    out = os.open(said, os.O_WRONLY | os.O_APPEND)

    def change(new: State) -> State:
        store.keep(new)
        os.write(out, msgspec.json.encode(new) + b"\n")
        store.tidy(new)
        return new

    for number, well in ((1, True), (2, False), (3, True)):
        release = store.stage(Release(number, {"settings.toml": f"heartbeat_s = {number}\n" + "# long\n" * 400}))
        state = change(tried(state, release, county=True, failing=()))
        state = change(started(state, boot="a", at_ms=number))
        state = change(stopped(state))
        state = change(started(state, boot="b", at_ms=number))
        state = change(
            kept(state) if well else refused(state, release, ReleaseReason.COUNTY, "no receipt", at_ms=number)
        )


def _without_waiting_for_the_disk(file: Path, content: bytes) -> None:
    fsync, identity.os.fsync = identity.os.fsync, lambda _: None  # type: ignore[attr-defined]  # as it imported it
    try:
        identity.replace_file(file, content)
    finally:
        identity.os.fsync = fsync  # type: ignore[attr-defined]  # as it imported it


if __name__ == "__main__":
    main(*sys.argv[1:])
