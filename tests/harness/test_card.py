"""`./run prove card`: nothing of anybody on the card, and the search finds what is planted."""

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from kanhu.harness.prove.planted import search

_COMMAND = (sys.executable, "-P", "-m", "kanhu.harness.prove", "card", "--json")
NUMBER = "+8613958264173"


async def run(*more: str) -> tuple[int | None, dict[str, Any]]:
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, *more, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, told = await process.communicate()
    assert said, told.decode()
    return process.returncode, json.loads(said.splitlines()[-1])["figures"]


async def test_a_used_gateways_card_tells_nothing_and_one_that_notes_numbers_is_found_out() -> None:
    sound, broken = await asyncio.gather(run(), run("--broken", "names"))
    assert sound == (0, {"found": 0, "planted": 11, "used": 2, "files": sound[1]["files"]})
    assert broken[0] == 1
    assert broken[1]["found"] > 0


@pytest.mark.parametrize(
    "content",
    [
        "张桂芳".encode(),
        "张桂芳".encode("utf-16-be"),
        "张桂芳".encode("gb18030"),
        "张桂芳".encode().hex().upper().encode(),
        json.dumps("of 张桂芳, today").encode(),
        base64.b64encode("1张桂芳, today".encode()),
        base64.b64encode("12张桂芳, today".encode()),
        b"\x00\xff8613958264173\x00",
        b"written to 013958264173",
        bytes.fromhex("683159284671F3"),
        b"0891683159284671F3",
    ],
)
def test_what_is_planted_is_found_in_whatever_form(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "outbox.db-wal").write_bytes(b"\x00" * 100 + content + b"\x00" * 100)
    (folder / "outbox.db").write_bytes(bytes(range(256)) * 10)
    assert {find.file for find in search(folder, ["张桂芳", NUMBER])} == {"outbox.db-wal"}


def test_the_name_of_a_file_is_searched_as_well(tmp_path: Path) -> None:
    (tmp_path / "张桂芳.wav").write_bytes(b"")
    assert {find.form for find in search(tmp_path, ["张桂芳"])} == {"utf-8"}
