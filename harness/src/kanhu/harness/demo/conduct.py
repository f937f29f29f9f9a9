"""The conductor: brings the village up, plays the morning, breaks what the script breaks, and settles the account."""

import asyncio
import contextlib
import json
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from kanhu.harness.demo import settings
from kanhu.harness.demo.account import Account, balance, emissions, has_started
from kanhu.harness.demo.county import County, SeenAlert
from kanhu.harness.demo.processes import Processes, environment
from kanhu.harness.demo.script import Expected, Script, load_script
from kanhu.harness.demo.show import Timeline

HARNESS = Path(__file__).resolve().parents[4]
SCENARIO = HARNESS / "scenarios" / "morning.toml"
SITE = HARNESS / "scenarios" / "site.toml"
RECORDING = HARNESS / "data" / "rr_af"

_UP_PATIENCE_S = 60.0
_DEVICE_PATIENCE_S = 20.0
"""How long the morning waits for every gateway to have reached its devices."""
_DRAIN_PATIENCE_S = 45.0
_KILL_AFTER_S = 45.0
"""Broker and cloud are killed so long after the script's start: in the middle of the falling oxygen."""
_STAY_DEAD_S = 4.0
_LATENCY_SLACK_NS = 50_000_000
USER, ROLE = "li.jing", "county"


class DemoFailed(Exception):
    """The village did not come up, or a part of it fell over."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the person at the terminal asked for."""

    seconds: float | None
    """Length of the whole run; None means until Ctrl-C."""
    kill: tuple[str, ...]
    seed: int
    http_port: int
    scenario: Path = SCENARIO
    site: Path = SITE
    calm_s: float = 17.0
    """Emission ends so long before the end, so that everything owed can arrive and be compared."""
    script_s: float | None = None
    """Play so much of the script, however long the village took to wake; instead of `seconds`."""


@dataclass(slots=True)
class Outcome:
    """What the report is made of."""

    seconds_to_first_reading: float | None = None
    seconds_to_first_alert: float | None = None
    account: Account | None = None
    alerts: list[SeenAlert] = field(default_factory=list)
    delays_ms: dict[str, float | None] = field(default_factory=dict)
    expected: tuple[Expected, ...] = ()
    not_due: tuple[Expected, ...] = ()
    """Alerts of the script that this run ended too early for."""
    killed: list[str] = field(default_factory=list)
    peak_kib: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Village:
    """Everything that runs, and where it keeps its files."""

    folder: Path
    options: Options
    script: Script
    timeline: Timeline
    processes: Processes
    county: County
    broker_port: int
    outcome: Outcome = field(default_factory=Outcome)
    script_began_s: float = 0.0

    @property
    def journal(self) -> Path:
        """Where the simulator writes every reading down."""
        return self.folder / "simulator" / "emitted.ndjson"

    def gateway_folder(self, home: str) -> Path:
        """Where one gateway keeps its outbox, its configuration and its journal."""
        return self.folder / "gateways" / home


@contextlib.asynccontextmanager
async def village(options: Options, timeline: Timeline, outcome: Outcome) -> AsyncIterator[Village]:
    """Bring the village up; stop every process and remove every file when left, however it is left."""
    folder = Path(tempfile.mkdtemp(prefix="kanhu-demo-"))
    logs = folder / "logs"
    logs.mkdir()
    processes = Processes(logs, environment())
    county = County(f"http://127.0.0.1:{options.http_port}", USER, secrets.token_urlsafe(9))
    stage = Village(
        folder,
        options,
        load_script(options.scenario, options.site),
        timeline,
        processes,
        county,
        broker_port=free_port(),
        outcome=outcome,
    )
    try:
        yield stage
    finally:
        await county.close()
        await processes.stop_all()
        outcome.peak_kib = dict(sorted(processes.peak_kib.items()))
        shutil.rmtree(folder)


async def bring_up(stage: Village) -> None:
    """Broker and county first, then the simulated homes, then the gateways."""
    stage.timeline.say("starting broker, county and simulated homes")
    cloud_toml = settings.write_cloud(
        stage.folder / "cloud", http_port=stage.options.http_port, broker_port=stage.broker_port
    )
    await stage.processes.start("broker", _broker_command(stage))
    await _once(stage, "register", "site", "load", str(stage.options.site), "--config", str(cloud_toml))
    password = stage.folder / "password"
    password.write_text(stage.county.password, encoding="utf-8")
    await _once(
        stage, "staff", "user", "add", USER, "--display", "李静", "--role", ROLE, "--place", "yunling",
        "--password-file", str(password), "--config", str(cloud_toml),
    )  # fmt: skip  # one flag with its value reads best
    await stage.processes.start("cloud", (_tool("kanhu-cloud"), "serve", "--config", str(cloud_toml)))
    links = await _start_simulator(stage)
    for home in stage.script.homes:
        config = settings.write_gateway(
            stage.gateway_folder(home.id), home, links[home.id], broker_port=stage.broker_port
        )
        await stage.processes.start(home.id, (_tool("kanhu-gateway"), "run", "--config", str(config)))
    deadline_s = stage.timeline.elapsed_s() + _UP_PATIENCE_S
    while not await stage.county.is_up():
        stage.processes.check()
        if stage.timeline.elapsed_s() > deadline_s:
            raise DemoFailed(f"the county did not answer on {stage.county.base_url}")
        await asyncio.sleep(0.2)
    stage.timeline.banner(
        {"Alert desk": stage.county.base_url, "User": USER, "Password": stage.county.password, "Stop": "Ctrl-C"}
    )
    await _wait_for_gateways(stage)


async def play(stage: Village) -> None:
    """The morning itself: the simulator plays it, faults and kills happen beside it, alerts are listened for."""
    simulator = stage.processes.children["simulator"].process
    if simulator.stdin is None:
        raise DemoFailed("the simulator cannot be told to start")
    simulator.stdin.write(b"start\n")
    await simulator.stdin.drain()
    while not has_started(stage.journal):
        stage.processes.check()
        await asyncio.sleep(0.05)
    stage.script_began_s = stage.timeline.elapsed_s()
    stage.timeline.say("the morning begins")
    end_s = _emission_ends_s(stage)
    acts = [
        asyncio.create_task(stage.county.listen(lambda seen: _alert_seen(stage, seen)), name="listen"),
        asyncio.create_task(_play_faults(stage), name="faults"),
        asyncio.create_task(_play_kills(stage), name="kills"),
        asyncio.create_task(_tell_readings(stage), name="readings"),
    ]
    if end_s is None:
        acts.append(asyncio.create_task(_tell_the_end(stage), name="end"))
    try:
        while end_s is None or stage.timeline.elapsed_s() < end_s:
            stage.processes.check()
            for act in acts:
                if act.done():
                    act.result()
            await asyncio.sleep(0.5)
        simulator.stdin.write(b"stop\n")
        await simulator.stdin.drain()
        stage.timeline.say("the devices fall silent; what is still owed arrives")
        await _drain(stage)
    finally:
        for act in acts:
            act.cancel()
        await asyncio.gather(*acts, return_exceptions=True)


async def settle(stage: Village) -> None:
    """Stop everything in order and compare what everyone wrote down."""
    await stage.processes.stop("simulator")
    await stage.processes.stop(*(home.id for home in stage.script.homes))
    dump = stage.folder / "ledger.ndjson"
    await _once(
        stage, "ledger", "ledger", "dump", "--out", str(dump), "--config", str(stage.folder / "cloud" / "cloud.toml")
    )
    await stage.processes.stop("cloud", "broker")
    outcome = stage.outcome
    outcome.account = balance(
        emitted=stage.journal,
        journals=[(home.id, stage.gateway_folder(home.id) / "accepted.ndjson") for home in stage.script.homes],
        ledger=dump,
    )
    outcome.alerts = list(stage.county.alerts.values())
    played_s = (_emission_ends_s(stage) or 0.0) - stage.script_began_s
    share_out(outcome, stage.script.expected, played_s=played_s)
    outcome.problems += outcome.account.problems() + compare_alerts(outcome)
    outcome.problems += [
        f"{name} was to be killed and was not: the devices fell silent before second {_KILL_AFTER_S:.0f} of the script"
        for name in stage.options.kill
        if name not in outcome.killed
    ]
    await stage.processes.stop_all()


def share_out(outcome: Outcome, scripted: tuple[Expected, ...], *, played_s: float) -> None:
    """Part the script's alerts into expected and not yet due; a village that woke late has played less.

    What was not yet due and came all the same is expected.
    """
    came = {(alert.subject, alert.rule, alert.priority) for alert in outcome.alerts}
    due = [
        alert for alert in scripted if alert.due_s <= played_s or (alert.subject, alert.rule, alert.priority) in came
    ]
    outcome.expected = tuple(due)
    outcome.not_due = tuple(alert for alert in scripted if alert not in due)


def free_port() -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _emission_ends_s(stage: Village) -> float | None:
    """When the devices fall silent; None means when the person at the terminal says so."""
    options = stage.options
    if options.script_s is not None:
        return stage.script_began_s + options.script_s
    return None if options.seconds is None else options.seconds - options.calm_s


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _broker_command(stage: Village) -> tuple[str, ...]:
    return (
        _tool("kanhu-cloud"), "broker", "--port", str(stage.broker_port), "--data", str(stage.folder / "broker"),
    )  # fmt: skip  # one flag with its value reads best


async def _once(stage: Village, name: str, *arguments: str) -> None:
    """Run a kanhu-cloud command to its end."""
    child = await stage.processes.start(name, (_tool("kanhu-cloud"), *arguments))
    child.expected_to_run = False
    if await child.process.wait() != 0:
        raise DemoFailed(f"kanhu-cloud {' '.join(arguments)} failed:\n{child.log.read_text(encoding='utf-8')}")


async def _start_simulator(stage: Village) -> dict[str, dict[str, object]]:
    state = stage.folder / "simulator"
    state.mkdir()
    await stage.processes.start(
        "simulator",
        (
            _tool("kanhu-sim"), "serve", "--scenario", str(stage.options.scenario), "--state", str(state),
            "--journal", str(stage.journal), "--seed", str(stage.options.seed), "--recordings", str(RECORDING),
            "--patience", str(_DEVICE_PATIENCE_S),
        ),
        stdin=asyncio.subprocess.PIPE,
    )  # fmt: skip  # one flag with its value reads best
    links = state / "links.json"
    for _ in range(round(_UP_PATIENCE_S / 0.1)):
        stage.processes.check()
        if links.exists():
            return dict(json.loads(links.read_text(encoding="utf-8"))["homes"])
        await asyncio.sleep(0.1)
    raise DemoFailed("the simulator did not come up")


async def _wait_for_gateways(stage: Village) -> None:
    """Start the script only when every gateway has said hello and reached its devices."""
    waiting = {home.id for home in stage.script.homes}
    deadline_s = stage.timeline.elapsed_s() + _UP_PATIENCE_S
    while waiting:
        if stage.timeline.elapsed_s() > deadline_s:
            raise DemoFailed(f"gateways that did not report: {', '.join(sorted(waiting))}")
        stage.processes.check()
        waiting -= {row["id"] for row in await _gateways(stage) if row["state"] == "online"}
        await asyncio.sleep(0.3)
    stage.timeline.say(f"{len(stage.script.homes)} gateways report to the county")


async def _play_faults(stage: Village) -> None:
    for fault in sorted(stage.script.faults, key=lambda fault: fault.at_s):
        await _until(stage, fault.at_s)
        match fault.action:
            case "power_cut":
                await stage.processes.kill(fault.home)
                stage.timeline.say(f"{fault.home} loses power", style="magenta")
            case "power_back":
                await stage.processes.restart(fault.home)
                stage.timeline.say(f"{fault.home} has power again", style="magenta")
            case other:
                raise DemoFailed(f"the script asks for an unknown fault: {other}")


async def _play_kills(stage: Village) -> None:
    if not stage.options.kill:
        return
    await _until(stage, _KILL_AFTER_S)
    for name in stage.options.kill:
        await stage.processes.kill(name)
        stage.outcome.killed.append(name)
        stage.timeline.say(f"SIGKILL to {name}", style="bold magenta")
    await asyncio.sleep(_STAY_DEAD_S)
    for name in stage.options.kill:
        await stage.processes.restart(name)
        stage.timeline.say(f"{name} starts again", style="bold magenta")


async def _until(stage: Village, script_s: float) -> None:
    await asyncio.sleep(max(0.0, stage.script_began_s + script_s - stage.timeline.elapsed_s()))


async def _tell_readings(stage: Village) -> None:
    """Count readings as the county stores them, every few seconds."""
    told = -1
    while True:
        rows = await _gateways(stage)
        stored = sum(int(row["stored"]) for row in rows)
        if stored and stage.outcome.seconds_to_first_reading is None:
            stage.outcome.seconds_to_first_reading = stage.timeline.elapsed_s()
            stage.timeline.say("the first reading is stored in the county")
        if stored >= told + 100:
            told = stored
            stage.timeline.say(f"[dim]{stored} readings stored[/dim]")
        await asyncio.sleep(1.0 if stored else 0.2)


async def _tell_the_end(stage: Village) -> None:
    """Say when nothing more will happen by itself, so that nobody waits for it."""
    await _until(stage, stage.script.duration_s)
    stage.timeline.say("the morning is over; the alert desk stays open until Ctrl-C")


async def _gateways(stage: Village) -> list[dict[str, Any]]:
    """Rows of the equipment page; none while the county is killed and restarted, or too busy to answer."""
    try:
        return await stage.county.gateways()
    except httpx.HTTPError:
        return []


async def _alert_seen(stage: Village, seen: SeenAlert) -> None:
    if stage.outcome.seconds_to_first_alert is None:
        stage.outcome.seconds_to_first_alert = stage.timeline.elapsed_s()
    delay_ms = _delay_ms(stage, seen)
    stage.outcome.delays_ms[seen.id] = delay_ms
    stage.timeline.alert(
        priority=seen.priority, who=seen.who, rule=seen.rule, sentence=seen.sentence, delay_ms=delay_ms
    )


def _delay_ms(stage: Village, seen: SeenAlert) -> float | None:
    """From the last byte of the deciding reading to the dashboard's event; None where silence decided."""
    if seen.evidence_ms is None:
        return None
    homes = {home.id for home in stage.script.homes if seen.subject in {resident for resident, _ in home.residents}}
    sent = [
        line["mono_ns"]
        for line in emissions(stage.journal)
        if line["home"] in homes and line["t_ms"] * 1_000_000 <= seen.evidence_ms * 1_000_000 + _LATENCY_SLACK_NS
    ]
    return (seen.heard_ns - max(sent)) / 1e6 if sent else None


async def _drain(stage: Village) -> None:
    """Wait until no gateway owes anything."""
    deadline_s = stage.timeline.elapsed_s() + _DRAIN_PATIENCE_S
    await asyncio.sleep(
        settings.HEARTBEAT_S + 1
    )  # a heartbeat that says "nothing owed" from before the end is no proof
    while stage.timeline.elapsed_s() < deadline_s:
        stage.processes.check()
        rows = await _gateways(stage)
        if rows and all(row["owed"] == 0 and row["state"] == "online" for row in rows):
            return
        await asyncio.sleep(0.5)
    stage.outcome.problems.append("gateways still owed records when patience ended")


def compare_alerts(outcome: Outcome) -> list[str]:
    """Differences between the alerts that came and those that had to."""
    came = sorted((alert.subject, alert.rule, alert.priority) for alert in outcome.alerts)
    due = sorted((alert.subject, alert.rule, alert.priority) for alert in outcome.expected)
    missing, extra = due.copy(), came.copy()
    for alert in came:
        if alert in missing:
            missing.remove(alert)
            extra.remove(alert)
    return [f"expected alert did not come: {' '.join(alert)}" for alert in missing] + [
        f"alert came that was not expected, or came twice: {' '.join(alert)}" for alert in extra
    ]
