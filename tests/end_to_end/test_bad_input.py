"""Promises against bad input, with real processes: refused, counted, seen, and honest readings never notice.

How each refusal is counted: a frame that reached the gateway as a reading is accepted or refused once, by device and
reason, also where noise happens to be a valid frame; an advertisement without a press, and a repeat, is no reading;
serial bytes outside a packet are bad bytes, and a session cut inside a window is one refused reading. A message that
reached the county is stored or in quarantine once, by reason; what the broker itself cuts off reaches nobody.
"""

import asyncio
import json
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import aiomqtt
import pytest

from kanhu.cloud.cli import main as cloud_main
from kanhu.cloud.ledger.database import LEDGER_FILE, Ledger
from kanhu.cloud.ledger.segments import records_between
from kanhu.contract import Observation
from kanhu.edge.cli import main as edge_main
from kanhu.gateway.cli import main as gateway_main
from kanhu.harness.ledger import balance
from kanhu.vitals import PackRefused, load_pack
from tests.end_to_end.answers import Account
from tests.end_to_end.hostile_devices import FRAMES
from tests.end_to_end.hostile_home import BURSTS, hostile_home
from tests.end_to_end.hostile_messages import RANDOM_MESSAGES, hostile_messages
from tests.end_to_end.under_attack import GATEWAY, SERVICES, Town, program, start_gateway, town
from tests.end_to_end.wrong_settings import (
    CLOUD_MISTAKES,
    CLOUD_SETTINGS,
    GATEWAY_MISTAKES,
    GATEWAY_SETTINGS,
    PACK,
    PACK_MISTAKES,
    Mistake,
)

SEED = 20261122
JUNK_FOR_GATEWAY = 100
A_BURST = 50
# Generous against the few MiB seen: what must not happen is growth with every frame.
MOST_GROWTH_KIB = {"broker": 32 * 1024, "cloud": 32 * 1024, GATEWAY: 24 * 1024}
MOST_IDLE_CPU = 0.4  # of one core; the radio and both heartbeats go on


@pytest.fixture
def folder_in_memory() -> Iterator[Path]:
    """A folder without a disk under it: that commits reach one is proved elsewhere, and 10,000 of them take a while."""
    memory = Path("/dev/shm")  # noqa: S108  # a fresh folder of our own is made in it
    folder = Path(tempfile.mkdtemp(prefix="kanhu-test-", dir=memory if memory.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.broker
@pytest.mark.timeout(180)
async def test_noise_on_every_device_and_topic_is_counted_and_every_honest_reading_is_stored(
    folder_in_memory: Path,
) -> None:
    async with town(folder_in_memory) as built:
        home = await hostile_home(folder_in_memory, journal=built.journal, seed=SEED)
        try:
            await start_gateway(built, home.links())
            pids, before_kib = built.pids(), built.resident_kib()
            async with asyncio.TaskGroup() as both:
                both.create_task(home.attack())
                refused_messages = both.create_task(publish_noise(built))
            await built.nothing_owed()

            assert built.pids() == pids, "nothing was stopped"
            status = await built.status()
            assert status["restarts"] == {}, built.log(GATEWAY)[-4000:]
            for name in SERVICES:
                assert "Traceback" not in built.log(name), built.log(name)[-4000:]
            await assert_doctor_counts(built, home.accounts)
            await assert_county_counts(built, refused_messages.result())
            await assert_help_was_called_once(built)
            grown_kib = {name: kib - before_kib[name] for name, kib in built.resident_kib().items()}
            assert all(grown_kib[name] < MOST_GROWTH_KIB[name] for name in SERVICES), grown_kib
            before_s = built.cpu_s()
            await asyncio.sleep(1)
            used_s = {name: used - before_s[name] for name, used in built.cpu_s().items()}
            assert max(used_s.values()) < MOST_IDLE_CPU, used_s
        finally:
            await home.leave()
        await built.processes.stop(GATEWAY)
        await assert_books_balance(built, home.accounts)


async def publish_noise(built: Town) -> Counter[str]:
    """Publish every hostile message, and noise to the gateway's own ears; returns what the county has to refuse."""
    refused: Counter[str] = Counter()
    draw = Random(SEED)
    async with aiomqtt.Client("127.0.0.1", built.broker_port, identifier="attacker") as client:
        for number, message in enumerate(hostile_messages(SEED)):
            await client.publish(message.topic, message.body, qos=1, retain=message.retained)
            if message.reason is not None:
                refused[message.reason] += 1
            if number % A_BURST == 0:  # within the room that one sender has: beyond it, what is dropped has no reason
                await built.until_refused(refused)
        for number in range(JUNK_FOR_GATEWAY):
            kind = ("receipt", "config", "model", "command")[number % 4]
            await client.publish(f"kanhu/v1/down/{GATEWAY}/{kind}", draw.randbytes(number), qos=1)
    assert refused.total() > RANDOM_MESSAGES
    for body, topic in ((bytes(200_000), "live"), (b"x", "a b"), (b"x", "tab\tbed")):  # the broker hangs up
        with pytest.raises(aiomqtt.MqttError):
            async with aiomqtt.Client("127.0.0.1", built.broker_port, identifier="rude", timeout=2) as client:
                await client.publish(f"kanhu/v1/up/{GATEWAY}/{topic}", body, qos=1)
    return refused


async def assert_doctor_counts(built: Town, accounts: tuple[Account, ...]) -> None:
    """The gateway's doctor names every reading and every refusal of every device, and all bad bytes."""
    seen = await built.doctor()
    for account in accounts:
        on_doctor = seen[account.device]
        assert on_doctor.accepted == account.accepted, account
        assert on_doctor.refused == account.refused, account
        assert on_doctor.bad_bytes == account.bad_bytes, account
        assert account.readings + account.ignored > FRAMES or account.bad_bytes > FRAMES
        assert account.honest.total() >= BURSTS
    said = json.loads(await built.tool("kanhu-gateway", "doctor", "--json", config=built.gateway_toml))
    (strange,) = [check["found"] for check in said["checks"] if check["name"] == "strange receipts"]
    assert f"{JUNK_FOR_GATEWAY // 4} that cannot be read" in strange


async def assert_county_counts(built: Town, refused: Counter[str]) -> None:
    """API, page and doctor of the county name every refused message."""
    system = await built.county.read("/api/v1/system")
    assert system["quarantine"] == refused
    assert system["counters"].get("conflicts", 0) == 0
    complaints = json.loads(await built.tool("kanhu-cloud", "doctor", "--json", config=built.cloud_toml))
    for reason, count in refused.items():
        assert f"{count} messages refused: {reason}" in [complaint["text"] for complaint in complaints]
    page = await built.page("/equipment")
    assert all(f"{count}" in page for count in refused.values())


async def assert_help_was_called_once(built: Town) -> None:
    """Twenty honest presses within ten minutes are one call for help, and it is on the board."""
    rows = (await built.county.read("/api/v1/board"))["rows"]
    assert [row["subject"] for row in rows if row["rule"] == "SOS"] == ["r-0001"]


async def assert_books_balance(built: Town, accounts: tuple[Account, ...]) -> None:
    """Stored is what was accepted, byte for byte, and holds every honest reading with its values."""
    emitted, dump = built.folder / "emitted.ndjson", built.folder / "ledger.ndjson"
    emitted.write_text('{"n": 1}\n' * sum(account.readings for account in accounts), encoding="utf-8")
    await built.tool("kanhu-cloud", "ledger", "dump", "--out", str(dump), config=built.cloud_toml)
    books = balance(emitted=emitted, journals=[(GATEWAY, built.journal)], ledger=dump)
    assert books.problems() == []
    ledger = Ledger(built.folder / "cloud" / LEDGER_FILE)
    epoch = json.loads(dump.read_text(encoding="utf-8").splitlines()[0])["epoch"]
    with ledger.read() as connection:
        records = list(records_between(connection, gateway=GATEWAY, epoch=epoch, first=1, last=2**62))
    ledger.close()
    for account in accounts:
        stored = Counter(
            record.parts for _, record in records if isinstance(record, Observation) and record.device == account.device
        )
        assert account.honest <= stored, account.device
        assert not account.decodable or account.decodable == stored, account.device


@pytest.mark.parametrize("mistake", GATEWAY_MISTAKES, ids=lambda mistake: mistake.name)
def test_a_gateway_with_wrong_settings_says_file_key_and_remedy(
    tmp_path: Path, mistake: Mistake, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(mistake.made_in(GATEWAY_SETTINGS), encoding="utf-8")
    assert gateway_main(["run", "--config", str(file)]) == 2
    assert_named(capsys.readouterr().err, "gateway.toml", mistake)


@pytest.mark.parametrize("mistake", CLOUD_MISTAKES, ids=lambda mistake: mistake.name)
def test_a_county_with_wrong_settings_says_file_key_and_remedy(
    tmp_path: Path, mistake: Mistake, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cloud.toml"
    file.write_text(mistake.made_in(CLOUD_SETTINGS), encoding="utf-8")
    assert cloud_main(["serve", "--config", str(file)]) == 1
    assert_named(capsys.readouterr().err, "cloud.toml", mistake)


def test_commands_with_wrong_settings_end_with_one_line_and_no_stack_trace(tmp_path: Path) -> None:
    for name, text in (("gateway", GATEWAY_SETTINGS), ("cloud", CLOUD_SETTINGS)):
        file = tmp_path / f"{name}.toml"
        file.write_text(text.replace("Asia/Shanghai", "Nowhere"), encoding="utf-8")
        verb = "run" if name == "gateway" else "serve"
        ended = subprocess.run(
            [program(f"kanhu-{name}"), verb, "--config", str(file)],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip  # two short lines read best
        assert ended.returncode > 0
        assert ended.stderr.count("\n") == 1, ended.stderr
        assert f"{file}: timezone: " in ended.stderr


@pytest.mark.parametrize("mistake", PACK_MISTAKES, ids=lambda mistake: mistake.name)
def test_a_wrong_rule_pack_does_not_run_and_says_rule_field_and_remedy(
    tmp_path: Path, mistake: Mistake, capsys: pytest.CaptureFixture[str]
) -> None:
    pack, readings = tmp_path / "pack.toml", tmp_path / "readings.jsonl"
    pack.write_text(mistake.made_in(PACK), encoding="utf-8")
    readings.write_bytes(b"")
    assert edge_main(["replay", "--pack", str(pack), str(readings)]) == 2
    said = capsys.readouterr().err
    assert all(word in said for word in mistake.key.split()), said
    assert mistake.remedy in said
    assert "Traceback" not in said


def test_a_rule_pack_with_random_damage_is_refused_or_whole() -> None:
    draw = Random(SEED)
    whole = PACK.encode()
    remedies = []
    for _ in range(200):
        damaged = bytearray(whole)
        for _ in range(draw.choice((1, 3, 20))):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        try:
            load_pack(bytes(damaged[: draw.choice((len(damaged), draw.randrange(len(damaged))))]))
        except PackRefused as error:
            remedies.append(error.remedy)
    assert len(remedies) > 100
    assert all(remedies)


def assert_named(said: str, file: str, mistake: Mistake) -> None:
    """File, key and remedy stand in one line for people."""
    assert file in said
    assert mistake.key in said, said
    assert mistake.remedy in said, said
    assert "Traceback" not in said
