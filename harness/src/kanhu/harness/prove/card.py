"""`./run prove card`: whoever takes the card out of a gateway finds no name, no address and no telephone number.

A gateway as a process with everything on it that knows a name: residents with labels and cards, rooms, the clinic page
in use, an alarm that writes to two telephones and is answered, a diagnosis for who helps. Its settings and contacts
stand in a folder of their own, as in /etc; every byte of every other file is searched, also right after a kill, when
write-ahead logs are as they were. The settings hold labels and numbers, and say so (docs/install-gateway.md).
"""

import argparse
import asyncio
import json
import re
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

import httpx
from rich.table import Table

from kanhu.contract import VERSION, SystemClock, encode_record
from kanhu.contract.status import encode_status
from kanhu.firmware_sim.modem.line import ModemLine
from kanhu.harness.errors import ProgramFailed
from kanhu.harness.ports import free_port
from kanhu.harness.prove.lone_gateway import GATEWAY, LoneGateway, lone_gateway
from kanhu.harness.prove.planted import Find, search
from kanhu.harness.report import Output, Report, Value, console, finish, read_limits
from kanhu.harness.stopping import until_told

__all__ = ["main"]

_NAME = "prove-card"
_BROKEN = ("names",)
_NUMBERS = ("+8613958264173", "+8613971830562")
_LABELS = ("秘名张桂芳", "Zhang Guifang", "李大山-东坡下三号")
_CARDS = ("KH-SECRET-01", "KH-SECRET-02", "KH-SECRET-03")
_HOMES = ("东头老槐树张家", "Hill house of Zhang")
_ROOMS = ("海棠秘室",)
PLANTED = (*_LABELS, *_CARDS, *_HOMES, *_ROOMS, *_NUMBERS)
_DIAGNOSE = "import sys; from kanhu.gateway.cli import main; sys.exit(main())"
_PER_S = 40.0
_ENOUGH = 200
_EXAMPLES = f"""examples:
  ./run prove card --json
  ./run prove card --broken names          has to find them, and ends with 1

exit code:
  0    every limit of harness/limits.toml, section {_NAME}, is kept
  1    one is broken
  2    wrong usage
  130  stopped by hand; nothing is left behind
"""


def main(arguments: Sequence[str]) -> int:
    """Run the proof; 0 where every limit is kept."""
    parser = argparse.ArgumentParser(
        prog="./run prove card",
        description="Use a gateway as a clinic does, take its card, and search it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="end with one JSON object")
    parser.add_argument("--broken", choices=_BROKEN, help="plant this error: the proof has to go red")
    chosen = parser.parse_args(arguments)
    figures, found = until_told(_conduct(broken=chosen.broken))
    console().print(_table(found))
    report = Report(_NAME, figures, read_limits(_NAME), versions={"kanhu": VERSION})
    return finish(report, output=Output.TABLE_AND_JSON if chosen.json else Output.TABLE)


async def _conduct(*, broken: str | None) -> tuple[dict[str, Value], list[Find]]:
    clock = SystemClock()
    with tempfile.TemporaryDirectory(prefix="kanhu-card-") as name:
        folder = Path(name)
        data, etc = folder / "data", folder / "etc"
        etc.mkdir()
        line = ModemLine(folder / "modem", clock=clock)
        try:
            async with lone_gateway(folder, data=data, max_mib=16, clock=clock, seed=1) as gateway:
                port = free_port()
                more = _settings(gateway, etc, modem=folder / "modem", port=port)
                await gateway.start(broken=broken, more=more)
                await _use(gateway, line, port=port)
                await gateway.kill()  # the card as a thief takes it: nothing was closed
                found = search(data, PLANTED)
                files = sum(1 for path in data.rglob("*") if path.is_file())
                await gateway.start(broken=broken, more=more)
                bundle = await _diagnose(folder)
                await gateway.stop()
                for place in (data, folder / "logs", bundle):
                    found += search(place, PLANTED)
                found += search(_sent(gateway, folder), PLANTED)
                seen = search(etc, PLANTED)
        finally:
            line.close()
        figures: dict[str, Value] = {
            "found": len(found),
            "planted": len({find.text for find in seen}),
            "used": len({str(event["to"]) for event in line.messages()}),
            "files": files,
        }
        return figures, found


async def _use(gateway: LoneGateway, line: ModemLine, *, port: int) -> None:
    """Measure people, choose them on the page, call for help without a county, answer the message."""
    county = gateway.county
    await gateway.feed(_PER_S, until=lambda: len(county.stored) >= _ENOUGH)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", follow_redirects=True) as page:
        for code in (*_CARDS, _LABELS[0]):  # the last is typed by somebody who takes the field for a search
            first = (await page.get("/")).text
            token = re.search(r'name="token" value="([^"]+)"', first)
            if token is None:
                raise ProgramFailed("the clinic page", "shows no form")
            shown = await page.post("/scan", data={"token": token[1], "code": code})
            if code == _CARDS[0] and _LABELS[0] not in shown.text:
                raise ProgramFailed("the clinic page", "does not show who was scanned")
        for path in ("/today", "/equipment", f"/{_LABELS[1]}"):
            await page.get(path)
    county.go_away()
    gateway.feeding.press(gateway.feeding.residents[0])
    await gateway.wait(lambda: len(line.messages()) >= len(_NUMBERS))
    line.reply(_NUMBERS[0], "1")
    line.reply(_NUMBERS[1], f"{_LABELS[0]} {_HOMES[0]}")
    county.come_back()
    await gateway.feed(_PER_S, until=lambda: len(county.stored) >= 2 * _ENOUGH)


def _settings(gateway: LoneGateway, etc: Path, *, modem: Path, port: int) -> str:
    """More tables of the settings; the contacts beside them."""
    lines = []
    for label, card, resident in zip(_LABELS, _CARDS, gateway.feeding.residents, strict=True):
        lines += ["[[resident]]", f"id = {json.dumps(resident)}", f'label = "{label}"', f'card = "{card}"']
    lines += ["[[bed]]", 'id = "1-1"', f'room = "{_ROOMS[0]}"']
    lines += ["[[stay]]", 'bed = "1-1"', f"resident = {json.dumps(gateway.feeding.residents[2])}"]
    lines += ["[page]", f"port = {port}"]
    lines += ["[alarm]", "receipt_s = 5", f"modem_port = {json.dumps(str(modem))}"]
    lines += [f"contacts = {json.dumps(str(etc / 'contacts.toml'))}"]
    contacts = []
    for role, number, home in zip(("village_doctor", "family"), _NUMBERS, _HOMES, strict=True):
        contacts += ["[[contact]]", f'role = "{role}"', f'number = "{number}"', f'home = "{home}"']
    (etc / "contacts.toml").write_text("\n".join(contacts) + "\n", encoding="utf-8")
    (etc / "contacts.toml").chmod(0o400)
    text = "\n".join(lines) + "\n"
    (etc / "names.toml").write_text(text, encoding="utf-8")
    return text


async def _diagnose(folder: Path) -> Path:
    """The bundle for who helps, unpacked."""
    bundle = folder / "bundle.tar.gz"
    log = folder / "logs" / f"{GATEWAY}.log"
    command = [sys.executable, "-P", "-c", _DIAGNOSE, "diagnose", "--config", str(folder / "gateway.toml")]
    command += ["--out", str(bundle), *(("--log", str(log)) if log.exists() else ())]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    if await process.wait():
        raise ProgramFailed("kanhu-gateway diagnose", f"ended with {process.returncode}")
    place = folder / "bundle"
    place.mkdir()
    with tarfile.open(bundle) as packed:
        for number, member in enumerate(packed.getmembers()):
            content = packed.extractfile(member)
            if content is not None:
                (place / f"{number}-{Path(member.name).name}").write_bytes(content.read())
    return place


def _sent(gateway: LoneGateway, folder: Path) -> Path:
    """What the county got, as bytes."""
    place = folder / "sent"
    place.mkdir()
    (place / "records").write_bytes(b"\n".join(encode_record(record) for record in gateway.county.stored.values()))
    if gateway.county.status is not None:
        (place / "status").write_bytes(encode_status(gateway.county.status))
    return place


def _table(found: Sequence[Find]) -> Table:
    table = Table(title="what the card tells of people", title_justify="left")
    for heading in ("file", "what", "written as", "at byte"):
        table.add_column(heading, overflow="fold")
    for find in found[:50]:
        table.add_row(find.file, find.text, find.form, str(find.offset))
    return table
