"""`kanhu-cloud`: serve the county, and what a technician does around it."""

import argparse
import asyncio
import getpass
import json
import logging
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from kanhu.cloud.authority.cli import add_gateway_commands
from kanhu.cloud.broker.become import become
from kanhu.cloud.broker.settings import program, write_settings
from kanhu.cloud.budget.cli import fill_budget
from kanhu.cloud.config import CloudConfig, load_config
from kanhu.cloud.desk.model import Role
from kanhu.cloud.doctor import examine
from kanhu.cloud.errors import CloudError, StaffRefused
from kanhu.cloud.ingest.cli import add_ask_commands
from kanhu.cloud.ledger.database import LEDGER_FILE, Ledger
from kanhu.cloud.ledger.segments import ledger_lines
from kanhu.cloud.ledger.tally import as_json, as_table, tallies
from kanhu.cloud.ledger.writer import Transaction, Writer
from kanhu.cloud.people.site import load_site, read_site
from kanhu.cloud.staff.accounts import add_account
from kanhu.cloud.training.cli import fill_train
from kanhu.cloud.updates.cli import fill_updates
from kanhu.contract import VERSION, SystemClock

_EXAMPLES = """\
examples:
  kanhu-cloud site load site.toml --config cloud.toml
  kanhu-cloud user add li.jing --display 李静 --role county --place yunling --config cloud.toml
  kanhu-cloud gateway invite home-03 --config cloud.toml
  kanhu-cloud updates release files --repository /var/lib/kanhu/updates/public --out release.json
  kanhu-cloud serve --config cloud.toml
  kanhu-cloud ask live home-03 --minutes 10 --config cloud.toml
  kanhu-cloud doctor --config cloud.toml
  kanhu-cloud broker --port 1883 --data /var/lib/kanhu/broker
  kanhu-cloud ledger dump --out ledger.ndjson --config cloud.toml
  kanhu-cloud budget --per-day 0.01 --config cloud.toml
  kanhu-cloud replay --recording county-7 --out outcome.ndjson --jobs 2
"""

_MOST_JOBS = 64

_Answer = TypeVar("_Answer")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 for done, 1 for a problem that is named on standard error, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    except (CloudError, OSError, UnicodeDecodeError) as error:  # a file named on the command line, or no room for it
        print(f"kanhu-cloud: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kanhu-cloud",
        description="The county service: ingest, ledger, alerting, screens.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=VERSION)
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    _configured(verbs.add_parser("serve", help="run the county until SIGTERM"), _serve)
    _configured(verbs.add_parser("migrate", help="bring the ledger to the newest schema"), _migrate)
    doctor = _configured(verbs.add_parser("doctor", help="say what is wrong, and what to do"), _doctor)
    doctor.add_argument("--json", action="store_true", help="one JSON object instead of lines")

    broker = verbs.add_parser("broker", help="be the embedded broker (nats-server), on 127.0.0.1")
    broker.add_argument("--port", type=int, required=True, help="MQTT port")
    broker.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    broker.add_argument("--data", type=Path, required=True, help="folder of its settings and store")
    broker.set_defaults(command=_broker)

    user = verbs.add_parser("user", help="staff accounts").add_subparsers(required=True, metavar="ACTION")
    add = _configured(user.add_parser("add", help="make an account, or change it"), _user_add)
    add.add_argument("name", help="name to sign in with")
    add.add_argument("--display", help="name shown to others (default: NAME)")
    add.add_argument("--role", type=Role, choices=list(Role), required=True)
    add.add_argument("--place", required=True, help="id of the place the account sees, with everything below it")
    add.add_argument("--password-file", type=Path, help="file with the password (default: asked for)")

    site = verbs.add_parser("site", help="places, gateways, residents").add_subparsers(required=True, metavar="ACTION")
    load = _configured(site.add_parser("load", help="load a site file; loading again updates"), _site_load)
    load.add_argument("file", type=Path)

    add_gateway_commands(verbs, configured=_configured, write=_write)
    fill_updates(verbs.add_parser("updates", help="what gateways are given from afar: keys, drafts, signatures"))

    tally = _configured(verbs.add_parser("tally", help="readings received, late, owed, lost, by resident"), _tally)
    tally.add_argument("--json", action="store_true", help="one JSON line a resident instead of a table")

    add_ask_commands(verbs, configured=_configured)

    ledger = verbs.add_parser("ledger", help="what is stored").add_subparsers(required=True, metavar="ACTION")
    dump = _configured(ledger.add_parser("dump", help="one JSON line a stored record"), _ledger_dump)
    dump.add_argument("--out", type=Path, required=True)

    _add_replay(verbs.add_parser("replay", help="judge a recording in virtual time, and write down what came of it"))

    budget = verbs.add_parser("budget", help="what a budget of alerts asks of the rule of trends, from what is stored")
    fill_budget(budget)

    fill_train(verbs.add_parser("train", help="fit a model of the detectors on a folder of recordings"))

    export = verbs.add_parser("export", help="descriptions").add_subparsers(required=True, metavar="WHAT")
    openapi = export.add_parser("openapi", help="the API as OpenAPI JSON")
    openapi.add_argument("--out", type=Path, help="file (default: standard output)")
    openapi.set_defaults(command=_export_openapi)
    return parser


def _configured(
    parser: argparse.ArgumentParser, command: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    parser.add_argument("--config", type=Path, default=Path("cloud.toml"), help="settings (default cloud.toml)")
    parser.set_defaults(command=command)
    return parser


def _add_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recording", type=Path, required=True, help="folder of a recording (kanhu-sim record)")
    parser.add_argument("--out", type=Path, required=True, help="outcome: one JSON line an alert and a village")
    parser.add_argument("--pack", type=Path, help="rule pack to judge with (default: the shipped one)")
    parser.add_argument("--jobs", type=_jobs, default=1, help="processes at a time (default 1); the bytes are the same")
    parser.add_argument("--progress", action="store_true", help="one JSON line a day and village on standard error")
    parser.set_defaults(command=_replay)


def _jobs(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_JOBS):
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 to {_MOST_JOBS}")
    return int(text)


def _replay(options: argparse.Namespace) -> int:
    from kanhu.cloud.replay.command import replay_to_end  # noqa: PLC0415  # no other command judges

    progress = sys.stderr if options.progress else None
    return replay_to_end(options.recording, options.out, pack=options.pack, jobs=options.jobs, progress=progress)


def _serve(options: argparse.Namespace) -> int:
    from kanhu.cloud.run import serve  # noqa: PLC0415  # no other command, and no worker of a replay, serves anything

    asyncio.run(serve(load_config(options.config), clock=SystemClock()))
    return 0


def _migrate(options: argparse.Namespace) -> int:
    ledger = _open(load_config(options.config))
    ledger.close()
    print(f"{ledger.path} has the newest schema")
    return 0


def _doctor(options: argparse.Namespace) -> int:
    findings = examine(load_config(options.config), clock=SystemClock())
    if options.json:
        print(json.dumps([finding.as_json() for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            print(finding.line())
    return max((finding.severity.value for finding in findings), default=0)


def _broker(options: argparse.Namespace) -> int:
    settings = write_settings(options.data, host=options.host, port=options.port)
    become(program(), settings)
    return 1  # not reached: the process has become the broker


def _user_add(options: argparse.Namespace) -> int:
    password = _password(options.password_file)
    job = partial(
        add_account,
        name=options.name,
        display=options.display or options.name,
        role=options.role,
        place=options.place,
        password=password,
    )
    _write(load_config(options.config), job)
    print(f"{options.name} can sign in as {options.role.value} of {options.place}")
    return 0


def _site_load(options: argparse.Namespace) -> int:
    site = read_site(options.file)
    _write(load_config(options.config), lambda transaction: load_site(transaction.connection, site))
    print(f"{len(site.place)} places, {len(site.gateway)} gateways, {len(site.resident)} residents")
    return 0


def _tally(options: argparse.Namespace) -> int:
    ledger = Ledger(load_config(options.config).data / LEDGER_FILE)
    ledger.check()
    with ledger.read() as connection:
        found = tallies(connection)
    ledger.close()
    for line in as_json(found) if options.json else as_table(found):
        print(line)
    return int(any(one.missing for one in found))


def _ledger_dump(options: argparse.Namespace) -> int:
    ledger = Ledger(load_config(options.config).data / LEDGER_FILE)
    ledger.check()
    lines = 0
    with ledger.read() as connection, options.out.open("w", encoding="utf-8") as out:
        for line in ledger_lines(connection):
            row = {"gateway": line.gateway, "epoch": line.epoch, "seq": line.seq, "sha256": line.sha256}
            out.write(json.dumps({**row, "kind": line.kind, "received_ms": line.received_ms}) + "\n")
            lines += 1
    ledger.close()
    print(f"{lines} records in {options.out}")
    return 0


def _export_openapi(options: argparse.Namespace) -> int:
    from kanhu.cloud.api.openapi import openapi  # noqa: PLC0415  # FastAPI is not needed by any other small command

    text = json.dumps(openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if options.out is None:
        sys.stdout.write(text)
    else:
        options.out.write_text(text, encoding="utf-8")
    return 0


def _password(file: Path | None) -> str:
    if file is not None:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    if not sys.stdin.isatty():  # a script: getpass would read a line of it, or fail with a stack trace
        raise StaffRefused("nobody is here to ask for a password; name a file with --password-file")
    return getpass.getpass("password: ")


def _open(config: CloudConfig) -> Ledger:
    ledger = Ledger(config.data / LEDGER_FILE)
    ledger.migrate()
    ledger.check()
    return ledger


def _write(config: CloudConfig, job: Callable[[Transaction], _Answer]) -> _Answer:
    ledger = _open(config)
    writer = Writer(ledger, SystemClock(), announce=lambda _: None)
    writer.start()
    try:
        return writer.run(job)
    finally:
        writer.stop()
        ledger.close()


if __name__ == "__main__":
    sys.exit(main())
