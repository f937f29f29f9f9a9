"""`kanhu-cloud updates`: what the people who hold the keys do, and what the county's server does with the result."""

import argparse
import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tuf.api.metadata import Metadata, Root, Targets

from kanhu.cloud.authority.store import put
from kanhu.cloud.errors import UpdatesRefused
from kanhu.cloud.updates.keys import is_locked, make_key, read_public, read_signer
from kanhu.cloud.updates.repository import Repository, read_draft
from kanhu.contract import SystemClock

_READ_BY_ALL = 0o444
_Command = Callable[[argparse.Namespace], int]


def fill_updates(parser: argparse.ArgumentParser) -> None:
    """Add the commands below `updates`."""
    verbs = parser.add_subparsers(required=True, metavar="ACTION")

    def verb(name: str, command: _Command, summary: str) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=summary)
        added.set_defaults(command=command)
        return added

    key = verb("key", _key, "make a key: NAME.key and NAME.pub")
    key.add_argument("name", type=Path)
    key.add_argument("--server", action="store_true", help="the county server's own: without a password")
    _add_password(key)

    root = verb("root", _root, "draft the first root of trust, or the next one")
    root.add_argument("--holder", type=Path, action="append", required=True, help="a person's .pub file; three or more")
    root.add_argument("--online", type=Path, required=True, help="the server's .pub file")
    root.add_argument("--out", type=Path, required=True)
    _add_repository(root)

    release = verb("release", _release, "draft the list of all files in a folder")
    release.add_argument("files", type=Path, help="folder with all/, group/NAME/, gateway/ID/")
    release.add_argument("--out", type=Path, required=True)
    _add_repository(release)

    sign = verb("sign", _sign, "add one person's signature to a draft")
    sign.add_argument("draft", type=Path)
    sign.add_argument("--key", type=Path, required=True)
    _add_password(sign)

    show = verb("show", _show, "say what a draft holds, and who signed it")
    show.add_argument("draft", type=Path)
    _add_repository(show)

    publish = verb("publish", _publish, "take a signed draft into the folder that gateways read")
    publish.add_argument("draft", type=Path)
    publish.add_argument("--files", type=Path, help="the folder that was signed; not for a root")
    publish.add_argument("--online", type=Path, required=True, help="the server's .key file")
    _add_repository(publish)

    refresh = verb("refresh", _refresh, "say anew what is newest; a running county does so daily")
    refresh.add_argument("--online", type=Path, required=True, help="the server's .key file")
    _add_repository(refresh)


def _add_repository(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repository", type=Path, required=True, help="the folder that gateways read, or a copy of it")


def _add_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--password-file", type=Path, help="file with the password (default: asked for)")


def _key(options: argparse.Namespace) -> int:
    password = None if options.server else _password(options.password_file, twice=True)
    private, public = make_key(options.name, password)
    print(f"{private} stays with its holder; {public} is for everybody")
    return 0


def _root(options: argparse.Namespace) -> int:
    holders = [read_public(file) for file in options.holder]
    draft = Repository(options.repository).draft_root(holders, read_public(options.online), now=SystemClock().now())
    return _drafted(draft, options.out)


def _release(options: argparse.Namespace) -> int:
    return _drafted(Repository(options.repository).draft_targets(options.files, now=SystemClock().now()), options.out)


def _drafted(draft: Metadata[Any], out: Path) -> int:
    put(out, draft.to_bytes(), mode=_READ_BY_ALL)
    print(f"{out}: {draft.signed.type} {draft.signed.version}, unsigned; two people sign it")
    return 0


def _sign(options: argparse.Namespace) -> int:
    draft = read_draft(options.draft)
    password = _password(options.password_file, twice=False) if is_locked(options.key) else None
    draft.sign(read_signer(options.key, password), append=True)
    put(options.draft, draft.to_bytes(), mode=_READ_BY_ALL)
    print(f"{options.draft}: {len(draft.signatures)} signatures")
    return 0


def _show(options: argparse.Namespace) -> int:
    draft = read_draft(options.draft)
    signed = draft.signed
    print(f"{signed.type} {signed.version}, until {signed.expires:%Y-%m-%d}")
    root = signed if isinstance(signed, Root) else _root_of(options.repository)
    if isinstance(signed, Targets):
        for path, target in sorted(signed.targets.items()):
            print(f"  {path}  {target.length} bytes  sha256 {target.hashes['sha256']}")
    if isinstance(signed, Root):
        for role, about in signed.roles.items():
            print(f"  {role}: {about.threshold} of {', '.join(keyid[:16] for keyid in about.keyids)}")
    result = root.get_verification_result(signed.type, draft.signed_bytes, draft.signatures)
    print(f"signed by {', '.join(sorted(keyid[:16] for keyid in result.signed)) or 'nobody'}; {result.missing} missing")
    return 0


def _root_of(folder: Path) -> Root:
    root = Repository(folder).root()
    if root is None:
        raise UpdatesRefused(f"{folder}: there is no root yet; docs/updates.md begins with it")
    return root.signed


def _publish(options: argparse.Namespace) -> int:
    draft, repository, now = read_draft(options.draft), Repository(options.repository), SystemClock().now()
    if isinstance(draft.signed, Root):
        repository.publish_root(draft, now=now)
    elif isinstance(draft.signed, Targets) and options.files is not None:
        repository.publish_targets(draft, options.files, now=now)
    else:
        raise UpdatesRefused(f"{options.draft}: give a root, or a list of files together with --files")
    if repository.targets() is not None:
        repository.refresh(read_signer(options.online, None), now=now)
    print(f"{draft.signed.type} {draft.signed.version} is in {options.repository}")
    return 0


def _refresh(options: argparse.Namespace) -> int:
    Repository(options.repository).refresh(read_signer(options.online, None), now=SystemClock().now())
    print(f"{options.repository} is fresh again")
    return 0


def _password(file: Path | None, *, twice: bool) -> str:
    if file is not None:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UpdatesRefused("nobody is here to ask for a password; name a file with --password-file")
    password = getpass.getpass("password: ")
    if twice and getpass.getpass("again: ") != password:
        raise UpdatesRefused("the two were not the same; nothing was made")
    return password
