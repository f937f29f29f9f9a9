"""What may be in a release, checked where it is signed with what a gateway checks it with."""

from kanhu.cloud.errors import UpdatesRefused
from kanhu.contract.errors import RemoteRefused
from kanhu.contract.remote import MAX_RELEASE_FILE_BYTES, RULES_FILE, check_release_path, read_remote_settings
from kanhu.vitals import PackRefused
from kanhu.vitals.packs import load_replacement


def check_content(path: str, content: bytes) -> None:
    """Hold one file against the loader of its kind.

    Raises:
        UpdatesRefused: no gateway would look there, or take it.
    """
    try:
        kind = check_release_path(path)
        if len(content) > MAX_RELEASE_FILE_BYTES:
            raise UpdatesRefused(f"{path}: {len(content)} bytes; a gateway takes {MAX_RELEASE_FILE_BYTES}")
        if kind == RULES_FILE:
            load_replacement(content)
        else:
            read_remote_settings(content)
    except (RemoteRefused, PackRefused) as error:
        raise UpdatesRefused(f"{path}: {error}") from error
