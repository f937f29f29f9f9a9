"""Broken equipment: one technical alert a part, which waits, ends by itself, and never becomes a flood."""

from collections import Counter
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from sqlalchemy import event

from kanhu.cloud.alerting.faults import MENDED, SENDS_AS_OTHERS
from kanhu.cloud.alerting.state import Ended
from kanhu.cloud.desk.model import AlarmRow, Outcome
from kanhu.cloud.desk.words import event_text
from kanhu.cloud.ingest.inbox import Dropped
from kanhu.cloud.ledger.writer import Transaction
from kanhu.contract import (
    AlarmStatus,
    Alone,
    DeviceStatus,
    FakeClock,
    GatewayState,
    Priority,
    decode_status,
    encode_status,
)
from tests.cloud.town import COUNTY, Town, finding, heartbeat, only

_WAYS = ("voice", "sms:family")
_DAY_S = 24 * 3600


def tell(town: Town, gateway: str = "home-01", *, retained: bool = False, **said: Any) -> None:
    """A heartbeat of this moment that says this."""
    beat = heartbeat(gateway, town.clock.wall_ms(), retained=retained)
    status = msgspec.structs.replace(decode_status(beat.body), **said)
    town.deliver(replace(beat, body=encode_status(status)))


def broken(**faults: str) -> AlarmStatus:
    """An alarm of which these parts do not work."""
    return AlarmStatus(_WAYS, faults)


def cuff(error_s: int | msgspec.UnsetType, device: str = "cuff-1") -> dict[str, Any]:
    """A heartbeat's devices: one cuff whose clock is off by this."""
    return {"devices": (DeviceStatus(device, "cuff-ble", connected=True, clock_error_s=error_s),)}


def later(clock: FakeClock, seconds: float) -> None:
    clock.advance(seconds)


def test_a_broken_modem_is_a_technical_alert_once_it_has_lasted_and_ends_by_itself(
    town: Town, clock: FakeClock
) -> None:
    tell(town, alarm=broken(modem="no_network"))
    later(clock, 890)
    tell(town, alarm=broken(modem="no_network"))
    assert not town.board(), "a modem that has just been switched on finds its network"
    later(clock, 20)
    tell(town, alarm=broken(modem="no_network"))
    row = only(town.board())
    assert (row.rule, row.subject, row.priority) == ("ALARM-BAD", "home-01/modem", Priority.TECHNICAL)
    assert row.unseen_people == 0, "its people are seen"
    assert "the modem that writes messages did not work" in row.detail.en
    assert "no_network" in row.detail.zh
    later(clock, 3600)
    tell(town, alarm=broken(modem="sim_missing"))
    assert only(town.board()).count == 1
    tell(town, alarm=broken())
    assert not town.board()
    assert [event for _, event in town.events(row.id) if isinstance(event, Ended)] == [Ended(MENDED)]


def test_each_part_and_each_gateway_has_an_alert_of_its_own(town: Town, clock: FakeClock) -> None:
    for _ in range(2):
        tell(town, alarm=broken(modem="unplugged", voice="player_program_missing"))
        tell(town, "home-02", alarm=broken(modem="unplugged"))
        later(clock, 901)
    assert {row.subject for row in town.board()} == {"home-01/modem", "home-01/voice", "home-02/modem"}
    tell(town, alarm=broken(voice="player_program_missing"))
    assert {row.subject for row in town.board()} == {"home-01/voice", "home-02/modem"}


def test_a_fault_that_comes_and_goes_within_its_time_raises_nothing(town: Town, clock: FakeClock) -> None:
    for _ in range(10):
        tell(town, alarm=broken(modem="no_network"))
        later(clock, 600)
        tell(town, alarm=broken())
        later(clock, 600)
    assert not town.board()


def test_what_a_person_closed_comes_back_after_a_week_and_not_with_the_next_heartbeat(
    town: Town, clock: FakeClock
) -> None:
    desk = town.county.services.desk
    tell(town, alarm=broken(voice="program_failed"))
    later(clock, 901)
    tell(town, alarm=broken(voice="program_failed"))
    first = only(town.board()).id
    desk.claim(COUNTY, first, key="1")
    desk.close(COUNTY, first, outcome=Outcome.TRUE_ACTION, note="", key="2")
    for _ in range(6):
        later(clock, _DAY_S)
        tell(town, alarm=broken(voice="program_failed"))
    assert not town.board()
    later(clock, _DAY_S)
    tell(town, alarm=broken(voice="program_failed"))
    assert only(town.board()).id != first


@pytest.mark.parametrize(
    "said", [{}, {"state": GatewayState.LOST, "alarm": broken()}, {"retained": True, "alarm": broken()}]
)
def test_what_is_no_word_about_it_mends_nothing(town: Town, clock: FakeClock, said: dict[str, Any]) -> None:
    """An older gateway's heartbeat, a will in its name, and old news of the broker."""
    tell(town, alarm=broken(modem="silent"))
    later(clock, 901)
    tell(town, alarm=broken(modem="silent"))
    later(clock, 60)
    tell(town, **said)
    assert only(town.board()).subject == "home-01/modem"


def test_a_restart_of_the_county_neither_forgets_nor_restarts_the_time(town: Town, clock: FakeClock) -> None:
    tell(town, alarm=broken(modem="silent"))
    later(clock, 800)
    town.stop()
    town.start()
    town.connected()
    later(clock, 101)
    tell(town, alarm=broken(modem="silent"))
    assert only(town.board()).rule == "ALARM-BAD"


def test_a_gateway_that_says_everything_is_broken_is_heard_and_raises_a_bounded_number(
    town: Town, clock: FakeClock
) -> None:
    """Long names, many parts: its heartbeat counts all the same, because a refused one would look like silence."""
    many = {f"{number:02}" + "x" * 126: "y" * 128 for number in range(16)}
    for _ in range(2):
        tell(town, alarm=broken(**many))
        later(clock, 901)
    assert len(town.board()) == 16
    assert all(len(row.subject) <= 128 for row in town.board())
    assert town.county.services.desk.board(COUNTY).watch.unseen == 2


def test_staff_see_on_the_alert_what_the_box_does_alone_at_this_moment(town: Town, clock: FakeClock) -> None:
    town.send((1, finding(clock.wall_ms())))
    row = only(town.board())
    page = town.county.services.desk.alert(COUNTY, row.id)
    assert page is not None
    assert page.alone is None
    ways = {"voice": "under_way", "sms:village_doctor": "delivered", "sms:family": "failed", "siren": "howls"}
    tell(town, alarm=AlarmStatus(_WAYS, {}, (Alone(row.id, ways), Alone("another", {"light": "done"}))))
    page = town.county.services.desk.alert(COUNTY, row.id)
    assert page is not None
    assert page.alone is not None
    assert page.alone.at == clock.now()
    assert page.alone.text.en == (
        "voice at home under way; message to the village doctor delivered to the telephone; "
        "message to the family failed; siren howls"
    )
    assert page.alone.text.zh.startswith("家中语音正在进行；短信给村医已送达手机")
    later(clock, 60)
    tell(town, alarm=AlarmStatus(_WAYS))
    page = town.county.services.desk.alert(COUNTY, row.id)
    assert page is not None
    assert page.alone is None


def test_the_equipment_page_says_what_is_fitted_what_is_broken_and_what_runs(town: Town) -> None:
    tell(town, alarm=AlarmStatus(_WAYS, {"modem": "silent"}, (Alone("a", {"voice": "done"}),)))
    tell(town, "home-02")
    found = {row.id: row.alarm for row in town.county.services.desk.equipment(COUNTY).gateways}
    assert found == {"home-01": AlarmRow(_WAYS, (("modem", "silent"),), 1), "home-02": None, "home-03": None}


@pytest.mark.parametrize(
    ("error_s", "wait_s", "text"),
    [
        (301, 3600, "5 min ahead"),
        (-301, 90_000, "5 min behind"),
        (8 * 3600, 3600, "8 h ahead"),
        (-(56 * 365 * _DAY_S), 90_000, "20440 days behind"),
        (2**62, 3600, "days ahead"),
    ],
)
def test_a_wrong_clock_is_one_technical_alert_a_device_and_ends_once_it_is_set(
    town: Town, clock: FakeClock, error_s: int, wait_s: int, text: str
) -> None:
    tell(town, **cuff(error_s))
    later(clock, wait_s - 1)
    tell(town, **cuff(error_s))
    assert not town.board()
    for _ in range(3):
        later(clock, 60)
        tell(town, **cuff(error_s))
    row = only(town.board())
    assert (row.rule, row.subject, row.priority) == ("SENSOR-BAD", "home-01/cuff-1", Priority.TECHNICAL)
    assert (row.count, row.unseen_people) == (1, 0)
    assert text in row.detail.en
    assert "cuff-1 的时钟" in row.detail.zh
    later(clock, 60)
    tell(town, **cuff(0))
    assert not town.board()


def test_a_reading_that_a_cuff_had_kept_until_the_evening_is_no_wrong_clock(town: Town, clock: FakeClock) -> None:
    """It looks like a slow clock for a night, until the next morning's reading."""
    for _ in range(7):
        tell(town, **cuff(-10 * 3600))
        later(clock, 14 * 3600)
        tell(town, **cuff(-10 * 3600))
        tell(town, **cuff(-3))
        later(clock, 10 * 3600)
    assert not town.board()


def test_a_clock_near_the_limit_is_one_alert_and_not_many(town: Town, clock: FakeClock) -> None:
    for error_s in (302, 298, 303, 299, 301):
        tell(town, **cuff(error_s))
        later(clock, 1801)
    assert only(town.board()).count == 1
    tell(town, **cuff(240))
    assert not town.board()


def test_a_device_of_which_nothing_is_known_any_more_keeps_its_alert_and_a_removed_one_does_not(
    town: Town, clock: FakeClock
) -> None:
    for _ in range(2):
        tell(town, **cuff(900))
        later(clock, 3601)
    tell(town, **cuff(msgspec.UNSET))
    tell(town, devices=())  # they are too many for this heartbeat
    assert only(town.board()).rule == "SENSOR-BAD"
    later(clock, 60)
    tell(town, **cuff(0, device="cuff-2"))
    assert not town.board()


def test_forty_wrong_clocks_of_one_gateway_are_no_flood(town: Town, clock: FakeClock) -> None:
    """As where somebody wrote the wrong time zone into its settings."""
    devices = tuple(DeviceStatus(f"cuff-{n:02}", "cuff-ble", connected=True, clock_error_s=28_800) for n in range(40))
    for _ in range(2):
        tell(town, devices=devices)
        later(clock, 3601)
    assert len(town.board()) == 16
    assert town.counter("ingest.faults_over_limit") == 48


def turn_away(town: Town, **messages: int) -> None:
    """So many messages of these gateways were more than may wait of one."""
    by_name = Counter({name.replace("_", "-"): number for name, number in messages.items()})
    town.county.writer.run(lambda job: town.county.ingest.turned_away(job, Dropped(by_name, by_name)))


def test_a_gateway_that_sends_without_end_is_named_after_a_minute_and_until_it_has_stopped(
    town: Town, clock: FakeClock
) -> None:
    turn_away(town, home_01=900, home_02=1)
    later(clock, 30)
    turn_away(town, home_01=900)
    assert not town.board(), "a storm when a broker comes back is over by then"
    later(clock, 31)
    turn_away(town, home_01=812)
    row = only(town.board())
    assert (row.rule, row.subject, row.priority) == ("GATEWAY-FLOOD", "home-01/sending", Priority.TECHNICAL)
    assert "812 messages" in row.detail.en
    assert row.unseen_people == 0
    later(clock, 100)
    tell(town)
    assert only(town.board()).count == 1, "it may only be drawing breath"
    later(clock, 21)
    tell(town, "home-02")
    tell(town)
    assert not town.board()
    ended = [event for _, event in town.events(row.id) if isinstance(event, Ended)]
    assert ended == [Ended(SENDS_AS_OTHERS)]
    assert event_text(ended[0]).en == "No more of it is turned away: ended by itself"
    assert town.counter("ingest.no_room") == 2613


def test_a_storm_that_fills_the_county_accuses_nobody(town: Town, clock: FakeClock) -> None:
    for _ in range(4):
        storm = Counter({"home-01": 40, "home-02": 30})
        town.county.writer.run(lambda job: town.county.ingest.turned_away(job, Dropped(storm)))  # noqa: B023
        later(clock, 61)
    assert not town.board()
    assert town.counter("ingest.no_room") == 280


def test_the_alert_outlives_a_restart_of_the_county_while_nobody_knows_whether_it_has_stopped(
    town: Town, clock: FakeClock
) -> None:
    for _ in range(2):
        turn_away(town, home_01=900)
        later(clock, 61)
    first = only(town.board()).id
    town.stop()
    town.start()
    town.connected()
    tell(town)
    turn_away(town, home_01=900)
    later(clock, 119)
    tell(town)
    assert only(town.board()).id == first
    later(clock, 2)
    tell(town)
    assert not town.board()


def test_many_that_send_without_end_are_looked_up_together(town: Town) -> None:
    names = Counter({f"home-{number:02}": 5 for number in range(1, 200)})
    statements: list[str] = []

    def job(transaction: Transaction) -> None:
        event.listen(transaction.connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
        town.county.ingest.turned_away(transaction, Dropped(names, names))

    town.county.writer.run(job)
    assert len([one for one in statements if one.lstrip().startswith("SELECT")]) == 2


def test_one_drop_a_day_is_no_flood(town: Town, clock: FakeClock) -> None:
    for _ in range(3):
        turn_away(town, home_01=5)
        later(clock, 3600)
        tell(town)
        later(clock, _DAY_S)
    assert not town.board()


def test_who_is_not_enrolled_is_counted_and_named_nowhere(town: Town, clock: FakeClock) -> None:
    for _ in range(3):
        turn_away(town, nobody=100, **{"": 100})
        later(clock, 61)
    assert not town.board()
    assert town.counter("ingest.no_room") == 600
