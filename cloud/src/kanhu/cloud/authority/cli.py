"""`kanhu-cloud gateway`: invite one, revoke one, list all. What each of them says is for the administrator."""

import argparse
import getpass
import io
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from kanhu.cloud.authority.enrolment import Invitation, Standing, invite, revoke, standings
from kanhu.cloud.authority.store import Authority, open_authority
from kanhu.cloud.config import CloudConfig, Identity, load_config
from kanhu.cloud.errors import ConfigInvalid
from kanhu.cloud.ledger.writer import Transaction
from kanhu.contract import SystemClock

_Command = Callable[[argparse.Namespace], int]


class Write(Protocol):
    """Runs one job in the ledger and answers what it answered."""

    def __call__(self, config: CloudConfig, job: Callable[[Transaction], Any], /) -> Any:
        """Run it."""


def add_gateway_commands(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    *,
    configured: Callable[[argparse.ArgumentParser, _Command], argparse.ArgumentParser],
    write: Write,
) -> None:
    """Add `gateway invite`, `gateway revoke` and `gateway list`."""
    actions = verbs.add_parser("gateway", help="who may connect").add_subparsers(required=True, metavar="ACTION")
    for name, command, summary in (
        ("invite", _invite, "print what the installer scans or types: good once, for 72 h"),
        ("revoke", _revoke, "take its certificates back; an open connection ends within a minute"),
    ):
        parser = configured(actions.add_parser(name, help=summary), partial(command, write=write))
        parser.add_argument("gateway", help="its id in the site file")
    configured(actions.add_parser("list", help="all gateways and what they hold"), partial(_list, write=write))


def enrolment_text(identity: Identity, invitation: Invitation, authority: Authority) -> str:
    """Everything a gateway needs for its first contact; the fingerprint tells it that this is the right county."""
    where = f"{identity.host}:{identity.enrol_port}"
    return f"kanhu-enrol://{where}/{invitation.gateway}/{invitation.token}/{authority.issuer.fingerprint}"


def _invite(options: argparse.Namespace, *, write: Write) -> int:
    config = load_config(options.config)
    if config.identity is None:
        remedy = "add it, with the name of this machine as `host`; docs/cloud.md, section Identity of gateways"
        raise ConfigInvalid(str(options.config), key="identity", remedy=remedy)
    authority = open_authority(config.data, name=config.county.en, now=SystemClock().now())
    invitation: Invitation = write(config, partial(invite, gateway=options.gateway, by=_console()))
    text = enrolment_text(config.identity, invitation, authority)
    if sys.stdout.isatty():
        print(_picture(text))
    print(text)
    print(
        f"good once, for {invitation.gateway}, until {_day(invitation.until_ms)} UTC; on the gateway:", file=sys.stderr
    )
    print("  kanhu-gateway enrol --token '…'", file=sys.stderr)
    return 0


def _revoke(options: argparse.Namespace, *, write: Write) -> int:
    taken: int = write(load_config(options.config), partial(revoke, gateway=options.gateway, by=_console()))
    print(f"{options.gateway}: {taken} certificates taken back; an open connection ends within a minute")
    return 0


def _list(options: argparse.Namespace, *, write: Write) -> int:
    def look(transaction: Transaction) -> list[Standing]:
        return standings(transaction.connection, now_ms=transaction.now_ms)

    now_ms = SystemClock().wall_ms()
    found: list[Standing] = write(load_config(options.config), look)
    width = max((len(standing.gateway) for standing in found), default=0)
    for standing in found:
        print(f"{standing.gateway:<{width}}  {_said(standing, now_ms=now_ms)}")
    return 0


def _said(standing: Standing, *, now_ms: int) -> str:
    said = []
    if standing.until_ms is not None:
        said.append(f"certificate {'until' if standing.until_ms >= now_ms else 'ran out'} {_day(standing.until_ms)}")
        if standing.unconfirmed:
            said.append("came back late: say on the equipment page whether it stands where it should")
    elif standing.revoked_ms is not None:
        said.append(f"revoked {_day(standing.revoked_ms)}")
    if standing.invited_until_ms is not None:
        said.append(f"invited until {_day(standing.invited_until_ms)}")
    return ", ".join(said) or "never enrolled"


def _picture(text: str) -> str:
    import segno  # noqa: PLC0415  # only where somebody looks at a terminal

    drawn = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(out=drawn, compact=True)
    return drawn.getvalue()


def _day(moment_ms: int) -> str:
    return f"{datetime.fromtimestamp(moment_ms / 1000, UTC):%Y-%m-%d %H:%M}"


def _console() -> str:
    return f"console:{getpass.getuser()}"
