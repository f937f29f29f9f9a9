"""A replay answers what a county answers that hears every heartbeat and ticks every second."""

import heapq
from collections.abc import Iterator
from pathlib import Path

import pytest

from kanhu.cloud.alerting.listening import Listening
from kanhu.cloud.alerting.silence import Watch
from kanhu.cloud.deciding import assemble
from kanhu.cloud.ingest.door import Message
from kanhu.cloud.ledger.database import LEDGER_FILE, Ledger
from kanhu.cloud.ledger.writer import Transaction
from kanhu.cloud.people.site import load_site
from kanhu.cloud.replay.command import replay
from kanhu.cloud.replay.outcome import Alert
from kanhu.cloud.replay.recording_folder import RecordingFolder
from kanhu.cloud.replay.silences import first_beat_ms, heard
from kanhu.cloud.replay.told import Following
from kanhu.cloud.replay.virtual_clock import VirtualClock
from kanhu.cloud.replay.virtual_gateway import HEARTBEAT_MS, Taken, VirtualGateway
from kanhu.contract import Lane, Status, Up, encode_status, up_topic
from kanhu.contract.recording import VillagePlan
from kanhu.vitals import core_pack, profile_from_tags
from tests.cloud.recorded import HOUR_MS, MINUTE_MS, SECOND_MS, START_MS, Village, read, record

_END_MS = START_MS + 65 * MINUTE_MS
PACK = core_pack()


def _story() -> Village:
    """An hour and a little after midnight: presses, a saturation that stays low, pauses of links short and long."""
    village = Village(homes=3, tags={"v001-r-1": ("lives_alone",)})
    minute = MINUTE_MS
    for window in range(40):
        village.oximetry(START_MS + 20 * minute + window * 10 * SECOND_MS + 450, 90 if window < 20 else 97, number=3)
    for at_ms, number in ((4 * minute + 123, 1), (31 * minute + 7, 2), (33 * minute, 1), (58 * minute, 3)):
        village.press(START_MS + at_ms, number=number)
    village.plan = VillagePlan(
        "v001",
        silences=(
            village.silence(START_MS + 10 * minute + 500, START_MS + 45 * minute, number=2),
            village.silence(START_MS + 12 * minute, START_MS + 13 * minute + 20_000, number=1),
            village.silence(START_MS + 30 * minute + 1, START_MS + 48 * minute + 999, number=1, cause="power"),
            village.silence(START_MS + 50 * minute, START_MS + 54 * minute, number=3),
            village.silence(START_MS + 55 * minute, START_MS + 3 * HOUR_MS, number=2),
        ),
    )
    return village


def _every_second(folder: Path, recording: Path) -> list[Alert]:
    """The same through a county that leaves nothing out; nobody answers."""
    opened = RecordingFolder(recording)
    site, plan = opened.site("v001"), opened.plan("v001")
    clock, listening = VirtualClock(START_MS), Listening()
    policy = opened.policy(PACK)
    deciding = assemble(policy, PACK, clock=clock, listening=listening)
    homes = {resident.id: resident.gateway for resident in site.resident} | {one.id: one.id for one in site.gateway}
    following = Following(homes)
    gateways = {
        one.id: VirtualGateway(
            one.id,
            pack=PACK,
            profiles={
                resident.id: profile_from_tags(resident.id, resident.tags)
                for resident in site.resident
                if resident.gateway == one.id
            },
            timezone=policy.timezone,
        )
        for one in site.gateway
    }
    stretches = {one: [*heard(plan.silences, one, starts_ms=START_MS, ends_ms=_END_MS)] for one in gateways}
    ledger = Ledger(folder / LEDGER_FILE)
    ledger.migrate()
    with ledger.connect_writer() as connection, opened.readings("v001") as readings:
        connection.begin()
        load_site(connection, site)
        listening.begin(connection, mono_ns=0)
        moments = heapq.merge(_beats(stretches), ((one.true_ms, 1, one) for one in readings), _ticks(), key=_in_order)
        for at_ms, _, what in moments:
            clock.move(at_ms)
            transaction = Transaction(connection, at_ms)
            if what is None:
                for duty in deciding.duties().values():
                    duty(transaction)
            elif isinstance(what, str):
                gateway = gateways[what]
                parcels = gateway.collect(Lane.BACKFILL)
                deciding.ingest.take(
                    transaction, [_message(gateway.heartbeat(at_ms)), *(one.message for one in parcels)]
                )
            else:
                gateway = gateways[what.gateway]  # type: ignore[attr-defined]  # the third kind: a reading
                taken = gateway.take(what)  # type: ignore[arg-type]  # the same
                linked = any(from_ms <= at_ms < to_ms for from_ms, to_ms in stretches[gateway.id])
                if linked and taken is Taken.URGENT:
                    parcels = gateway.collect(Lane.LIVE)
                    deciding.ingest.take(transaction, [parcel.message for parcel in parcels])
            following.read(connection)
        connection.commit()
    ledger.close()
    return following.alerts("v001")


def _message(status: Status) -> Message:
    return Message(up_topic(status.gateway, Up.STATUS), encode_status(status), retained=False)


def _beats(stretches: dict[str, list[tuple[int, int]]]) -> Iterator[tuple[int, int, object]]:
    beats = [
        (at_ms, 0, gateway)
        for gateway, pairs in stretches.items()
        for from_ms, to_ms in pairs
        for at_ms in range(first_beat_ms(gateway, from_ms, starts_ms=START_MS), to_ms, HEARTBEAT_MS)
    ]
    yield from sorted(beats)


def _ticks() -> Iterator[tuple[int, int, object]]:
    return ((at_ms, 2, None) for at_ms in range(START_MS, _END_MS, SECOND_MS))


def _in_order(moment: tuple[int, int, object]) -> tuple[int, int]:
    return moment[:2]


def _essence(alerts: list[Alert]) -> list[tuple[object, ...]]:
    """What alerts say, with times to the tick for silence, which is counted in time listened."""
    return [
        (
            alert.alert,
            alert.rule,
            alert.subject,
            alert.level,
            [(told.priority, told.reason, told.late, told.held_until_ms) for told in alert.told],
        )
        for alert in sorted(alerts, key=lambda one: one.alert)
    ]


def _recording(folder: Path) -> Path:
    recording = record(folder / "recording", _story())
    file = recording / "manifest.json"
    whole = file.read_text(encoding="utf-8")
    file.write_text(whole.replace(str(START_MS + 24 * HOUR_MS), str(_END_MS)), encoding="utf-8")
    return recording


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Alert], list[Alert]]:
    """Replayed, and ticked through second by second."""
    folder = tmp_path_factory.mktemp("moments")
    recording = _recording(folder)
    replay(recording, folder / "outcome", pack=None, jobs=1, progress=None)
    alerts, _ = read(folder / "outcome")
    return alerts, _every_second(folder / "county", recording)


def test_the_same_alerts_with_the_same_tellings(both: tuple[list[Alert], list[Alert]]) -> None:
    replayed, ticked = both
    assert {alert.rule for alert in ticked} == {"SOS", "SPO2-LOW", "WATCH-LOST"}
    assert _essence(replayed) == _essence(ticked)


def test_at_the_same_times_within_a_tick(both: tuple[list[Alert], list[Alert]]) -> None:
    replayed, ticked = ({alert.alert: alert for alert in alerts} for alerts in both)
    for alert, one in ticked.items():
        other = replayed[alert]
        times = [(told.at_ms, told.own_ms) for told in one.told]
        near = [(told.at_ms, told.own_ms) for told in other.told]
        assert all(abs(a - b) <= SECOND_MS for x, y in zip(times, near, strict=True) for a, b in zip(x, y, strict=True))
        for a, b in ((one.ended_ms, other.ended_ms), (one.closed_ms, other.closed_ms)):
            assert (a is None) == (b is None)
            assert a is None or b is None or abs(a - b) <= SECOND_MS
        if one.rule != "WATCH-LOST":
            assert times == near


def test_looking_for_silence_among_those_who_are_heard_would_raise_falsely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, both: tuple[list[Alert], list[Alert]]
) -> None:
    """Broken on purpose: heartbeats left out, and nobody told who is heard."""
    whole = Watch.tick
    monkeypatch.setattr(Watch, "tick", lambda watch, transaction, **_: whole(watch, transaction))
    replay(_recording(tmp_path), tmp_path / "outcome", pack=None, jobs=1, progress=None)
    assert _essence(read(tmp_path / "outcome")[0]) != _essence(both[1])
