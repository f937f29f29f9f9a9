"""The conductor: brings the village up, plays the morning, breaks what the script breaks, and settles the account."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from kanhu.harness.demo.show import Timeline
from kanhu.harness.ledger import Account, balance, emissions, has_started
from kanhu.harness.ports import free_port
from kanhu.harness.village.county import SeenAlert
from kanhu.harness.village.script import Expected, Fault, Script, load_script
from kanhu.harness.village.stage import (
    HARNESS,
    RECORDING,
    USER,
    Stage,
    VillageFailed,
    desk_client,
    drained,
    dump_ledger,
    gateway_rows,
    open_ground,
    order,
    start_county,
    start_gateway,
    start_simulator,
    wait_for_county,
    wait_for_gateways,
    watch,
)

SCENARIO = HARNESS / "scenarios" / "morning.toml"
SITE = HARNESS / "scenarios" / "site.toml"

_DEVICE_PATIENCE_S = 20.0
"""How long the morning waits for every gateway to have reached its devices."""
_DRAIN_PATIENCE_S = 45.0
_KILL_AFTER_S = 45.0
"""Broker and cloud are killed so long after the script's start: in the middle of the falling oxygen."""
_STAY_DEAD_S = 4.0
_LATENCY_SLACK_NS = 50_000_000


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


@dataclass(slots=True, kw_only=True)
class Village(Stage):
    """The stage with what is played on it."""

    options: Options
    script: Script
    timeline: Timeline
    outcome: Outcome = field(default_factory=Outcome)
    script_began_s: float = 0.0


@contextlib.asynccontextmanager
async def village(options: Options, timeline: Timeline, outcome: Outcome) -> AsyncIterator[Village]:
    """Bring the village up; stop every process and remove every file when left, however it is left."""
    script = load_script(options.scenario, options.site)
    async with open_ground("kanhu-demo-") as (folder, processes):
        county = desk_client(options.http_port)
        try:
            yield Village(
                folder=folder,
                homes=script.homes,
                processes=processes,
                county=county,
                http_port=options.http_port,
                broker_port=free_port(),
                say=timeline.say,
                options=options,
                script=script,
                timeline=timeline,
                outcome=outcome,
            )
        finally:
            await county.close()
            await processes.stop_all()
            outcome.peak_kib = dict(sorted(processes.peak_kib.items()))


async def bring_up(stage: Village) -> None:
    """Broker and county first, then the simulated homes, then the gateways."""
    stage.say("starting broker, county and simulated homes")
    await start_county(stage, stage.options.site)
    await start_simulator(
        stage,
        stage.options.scenario,
        seed=stage.options.seed,
        recordings=RECORDING,
        patience_s=_DEVICE_PATIENCE_S,
    )
    for home in stage.homes:
        await start_gateway(stage, home)
    await wait_for_county(stage)
    stage.timeline.banner(
        {"Alert desk": stage.county.base_url, "User": USER, "Password": stage.county.password, "Stop": "Ctrl-C"}
    )
    await wait_for_gateways(stage)


async def play(stage: Village) -> None:
    """The morning itself: the simulator plays it, faults and kills happen beside it, alerts are listened for."""
    await order(stage, b"start")
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
            watch(stage, acts)
            await asyncio.sleep(0.5)
        await order(stage, b"stop")
        stage.timeline.say("the devices fall silent; what is still owed arrives")
        if not await drained(stage, patience_s=_DRAIN_PATIENCE_S):
            stage.outcome.problems.append("gateways still owed records when patience ended")
        watch(stage, acts)
    finally:
        for act in acts:
            act.cancel()
        await asyncio.gather(*acts, return_exceptions=True)


async def settle(stage: Village) -> None:
    """Stop everything in order and compare what everyone wrote down."""
    await stage.processes.stop("simulator")
    await stage.processes.stop(*(home.id for home in stage.script.homes))
    dump = await dump_ledger(stage)
    await stage.processes.stop("cloud", "broker")
    outcome = stage.outcome
    outcome.account = balance(
        emitted=stage.journal,
        journals=stage.accepted(),
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
    due = [alert for alert in scripted if alert.by_s <= played_s or (alert.subject, alert.rule, alert.priority) in came]
    outcome.expected = tuple(due)
    outcome.not_due = tuple(alert for alert in scripted if alert not in due)


def _emission_ends_s(stage: Village) -> float | None:
    """When the devices fall silent; None means when the person at the terminal says so."""
    options = stage.options
    if options.script_s is not None:
        return stage.script_began_s + options.script_s
    return None if options.seconds is None else options.seconds - options.calm_s


async def _play_faults(stage: Village) -> None:
    async with asyncio.TaskGroup() as all_faults:
        for fault in stage.script.faults:
            all_faults.create_task(_play_fault(stage, fault), name=f"fault at {fault.at_s:g} s")


async def _play_fault(stage: Village, fault: Fault) -> None:
    kind, _, home = fault.on.partition(" ")
    if (kind, fault.what) != ("gateway", "kill"):
        raise VillageFailed(f"the demo cuts the power of gateways, it cannot do this: {fault.on}, {fault.what}")
    await _until(stage, fault.at_s)
    await stage.processes.kill(home)
    stage.timeline.say(f"{home} loses power", style="magenta")
    if fault.for_s:
        await _until(stage, fault.at_s + fault.for_s)
        await stage.processes.restart(home)
        stage.timeline.say(f"{home} has power again", style="magenta")


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
        rows = await gateway_rows(stage)
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
    homes = {home.id for home in stage.script.homes if seen.subject in {person.id for person in home.residents}}
    sent = [
        line["mono_ns"]
        for line in emissions(stage.journal)
        if line["home"] in homes and line["t_ms"] * 1_000_000 <= seen.evidence_ms * 1_000_000 + _LATENCY_SLACK_NS
    ]
    return (seen.heard_ns - max(sent)) / 1e6 if sent else None


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
