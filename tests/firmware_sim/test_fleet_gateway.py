"""A virtual gateway keeps the contract of docs/spec/ as a real one does."""

from itertools import pairwise

import pytest

from kanhu.contract import GatewayState, decode_status
from kanhu.firmware_sim.fleet import mqtt
from kanhu.firmware_sim.fleet.gateway import Stage
from tests.firmware_sim.fleet_stand_in import NAME, Bench, FakeWire


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_session_opens_with_the_will_then_the_receipt_topic_then_a_heartbeat(bench: Bench) -> None:
    wire = bench.connect()
    connect, subscribe, heartbeat = wire.sent
    will = decode_status(connect[connect.index(b"{") :])
    assert (connect[0], will.state, will.gateway) == (0x10, GatewayState.LOST, NAME)
    assert subscribe == mqtt.subscribe([f"kanhu/v1/down/{NAME}/receipt"], packet_id=1)
    assert heartbeat[0] == 0x33  # QoS 1, retained
    assert wire.statuses()[0].state is GatewayState.ONLINE


def test_nothing_is_said_before_the_broker_has_answered(bench: Bench) -> None:
    bench.gateway.wake()
    wire = FakeWire()
    bench.gateway.opened(wire)
    assert len(wire.sent) == 1
    bench.gateway.received(mqtt.Connack(0))
    assert len(wire.sent) == 2


@pytest.mark.parametrize("refusal", [mqtt.Connack(5), mqtt.Suback(1, (0x80,)), mqtt.Suback(1, (0,))])
def test_a_broker_that_refuses_or_answers_out_of_turn_is_left(bench: Bench, refusal: mqtt.Packet) -> None:
    bench.gateway.wake()
    wire = FakeWire()
    bench.gateway.opened(wire)
    bench.gateway.received(refusal)
    assert (wire.ended, bench.gateway.stage) == ("dropped", Stage.AWAY)


def test_a_broker_that_never_answers_is_left_after_eight_seconds(bench: Bench) -> None:
    bench.gateway.wake()
    bench.gateway.opened(wire := FakeWire())
    bench.play(7.9)
    assert bench.gateway.stage is Stage.GREETING
    bench.play(0.2)
    assert wire.ended == "dropped"


def test_a_heartbeat_comes_once_a_minute_and_each_is_another_one(bench: Bench) -> None:
    wire = bench.connect()
    for _ in range(6):
        bench.play(30)
        bench.receipt(bench.gateway.outbox.accepted)
    assert len({status.sent_ms for status in wire.statuses()}) == len(wire.statuses()) == 4


def test_a_quiet_gateway_pings_within_its_keepalive() -> None:
    bench = Bench(readings_a_minute=0.001)
    bench.connect()
    bench.play(46)
    assert bench.pings() == 3


def test_a_ping_that_is_not_answered_ends_the_connection() -> None:
    bench = Bench(readings_a_minute=0.001)
    wire = bench.connect()
    bench.clock.advance(15)
    bench.gateway.wake()
    bench.clock.advance(15)
    bench.gateway.wake()
    assert wire.ended == "dropped"


def test_readings_leave_in_one_parcel_a_minute_numbered_from_one(bench: Bench) -> None:
    wire = bench.connect()
    for _ in range(4):
        bench.play(30)
        bench.receipt(bench.gateway.outbox.accepted)
    parcels = wire.envelopes("live")
    seqs = [seq for parcel in parcels for seq, _ in parcel.records]
    assert len(parcels) == 2
    assert seqs == [*range(1, bench.gateway.outbox.accepted + 1)]
    assert {parcel.epoch for parcel in parcels} == {bench.gateway.outbox.epoch}


def test_a_reading_carries_the_moment_it_was_measured_not_the_moment_it_left(bench: Bench) -> None:
    wire = bench.connect()
    while not wire.envelopes("live"):
        bench.play(5)
    arrivals = [record.times.arrival_ms for _, record in wire.envelopes("live")[0].records if hasattr(record, "times")]
    assert all(5_000 <= later - earlier <= 15_000 for earlier, later in pairwise(arrivals))


def test_a_puback_deletes_nothing_and_a_receipt_does(bench: Bench) -> None:
    bench.connect()
    while not bench.tally.parcels:
        bench.play(5)
    owed = bench.gateway.outbox.owed
    bench.gateway.received(mqtt.Puback(3))
    assert bench.gateway.outbox.owed == owed > 0
    bench.receipt(owed)
    assert (bench.gateway.outbox.owed, bench.tally.receipted) == (0, owed)


def test_receipts_of_another_gateway_or_outbox_delete_nothing(bench: Bench) -> None:
    bench.connect()
    while not bench.tally.parcels:
        bench.play(5)
    owed = bench.gateway.outbox.owed
    bench.receipt(owed, gateway="fleet-00002")
    bench.receipt(owed, epoch="0" * 32)
    bench.gateway.received(mqtt.Publish(f"kanhu/v1/down/{NAME}/receipt", b"nonsense"))
    assert (bench.gateway.outbox.owed, bench.tally.foreign_receipts) == (owed, 3)


def test_without_a_receipt_for_twenty_seconds_everything_flies_again_on_a_fresh_connection(bench: Bench) -> None:
    first = bench.connect()
    while not first.envelopes("live"):
        bench.play(1)
    bench.play(18.5)
    assert not first.ended
    bench.play(1.6)
    assert (first.ended, bench.tally.silent) == ("dropped", 1)
    bench.play(1)
    second = bench.connect()
    bench.gateway.wake()
    again = [seq for envelope in second.envelopes("backfill") for seq, _ in envelope.records]
    assert again == [*range(1, bench.gateway.outbox.accepted + 1)]
    sent_before = {seq for envelope in first.envelopes("live") for seq, _ in envelope.records}
    assert sent_before <= {*again}


def test_each_silence_in_a_row_doubles_the_wait_for_a_receipt_up_to_eighty_seconds_until_one_comes(
    bench: Bench,
) -> None:
    def silent_after_s() -> float:
        bench.connect()
        bench.gateway.wake()
        began_ns, silences = bench.clock.mono_ns(), bench.tally.silent
        while bench.tally.silent == silences:
            bench.play(1)
        waited_s = (bench.clock.mono_ns() - began_ns) / 1e9
        bench.play(1)
        return waited_s

    bench.connect()
    while not bench.tally.parcels:
        bench.play(1)
    while not bench.tally.silent:
        bench.play(1)
    bench.play(1)
    assert [silent_after_s() for _ in range(3)] == [40, 80, 80]
    bench.connect()
    bench.gateway.wake()
    bench.receipt(1)
    while bench.tally.silent == 4:
        bench.play(1)
    bench.play(1)
    assert silent_after_s() == 40


def test_a_lost_connection_is_dialled_again_with_growing_pauses(bench: Bench) -> None:
    bench.gateway.wake()
    pauses = []
    for _ in range(8):
        bench.gateway.unreachable()
        pauses.append((bench.gateway.planned_ns - bench.clock.mono_ns()) / 1e9)
        bench.clock.advance(pauses[-1])
        bench.gateway.wake()
    assert bench.dials == 9
    assert 0.25 <= pauses[0] <= 0.5
    assert 15 <= pauses[-1] <= 30


def test_a_link_that_is_cut_stays_cut_and_what_is_measured_meanwhile_comes_as_backfill(bench: Bench) -> None:
    wire = bench.connect()
    bench.gateway.cut(bench.clock.mono_ns() + 90 * 10**9)
    bench.play(89)
    assert (wire.ended, bench.dials) == ("dropped", 1)
    bench.play(1.1)
    assert bench.dials == 2
    back = bench.connect()
    bench.gateway.wake()
    assert len(back.envelopes("backfill")[0].records) == bench.gateway.outbox.accepted >= 6


def test_a_connection_that_comes_too_late_is_not_used(bench: Bench) -> None:
    bench.gateway.wake()
    bench.gateway.cut(bench.clock.mono_ns() + 10**9)
    bench.gateway.opened(wire := FakeWire())
    assert (wire.ended, bench.gateway.stage) == ("dropped", Stage.AWAY)


def test_leaving_says_stopped_and_spares_the_will(bench: Bench) -> None:
    wire = bench.connect()
    bench.gateway.leave()
    assert wire.statuses()[-1].state is GatewayState.STOPPED
    assert (wire.sent[-1], wire.ended) == (mqtt.disconnect(), "closed")
    bench.gateway.closed(wire)
    assert bench.gateway.stage is Stage.GONE


def test_readings_end_when_the_fleet_says_so_and_the_rest_is_flushed(bench: Bench) -> None:
    wire = bench.connect()
    bench.play(10)
    bench.habits.emit_until_ns = bench.clock.mono_ns()
    bench.gateway.flush(bench.clock.mono_ns() + 10**9)
    bench.play(1)
    accepted = bench.gateway.outbox.accepted
    bench.receipt(accepted)
    bench.play(120)
    assert bench.gateway.outbox.accepted == accepted
    assert len(wire.envelopes("live")) <= 2
    assert bench.gateway.outbox.owed == 0


def test_a_gateway_always_knows_when_it_wants_to_be_woken_next(bench: Bench) -> None:
    bench.connect()
    for _ in range(500):
        assert bench.gateway.planned_ns > bench.clock.mono_ns()
        bench.play(1)
        bench.receipt(bench.gateway.outbox.accepted)
