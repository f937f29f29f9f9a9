"""Whose arm: two people and one cuff, a finger that stays, a bed that changes hands; never a wrong name."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kanhu.contract import ClockState, FakeClock, Observation, QualityLevel, QualityReason, Subject, SubjectKind
from kanhu.edge.codecs.date_time import encode_date_time
from kanhu.edge.devices import DeviceConfig
from kanhu.edge.folding import WINDOW_PACKETS
from kanhu.edge.intake import Intake
from kanhu.edge.kinds import cuff_ble
from kanhu.edge.oximeter import Oximeter
from kanhu.edge.peers import ConnectedPeer
from kanhu.edge.sessions import Sessions
from kanhu.edge.whose import SESSION_S, Attendance, Choice, People, Stay, Whose, WhoseReason
from tests.edge.readings import RememberingMemory, RememberingSink, until
from tests.edge.test_cms50d import packet_of

CUFF = DeviceConfig(id="cuff", kind="cuff-ble", address="F0:0D:00:00:00:03")
STRAP = DeviceConfig(id="strap", kind="strap-ble", address="F0:0D:00:00:00:04")
OXIMETER = DeviceConfig(id="ox", kind="oximeter-cms50d", port="/dev/ttyUSB0")
BED_CUFF = DeviceConfig(id="bed-cuff", kind="cuff-ble", address="F0:0D:00:00:00:06", bed="3-1")
BED_BUTTON = DeviceConfig(id="bell", kind="button-bthome", address="F0:0D:00:00:00:07", bed="3-1", dwelling="home-03")
CUFF_FRAME = bytes((0x00, 128, 0, 76, 0, 93, 0))  # 128/76, mean 93 mmHg, whole numbers
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Room:
    """Shared devices, and the person in front of them."""

    def __init__(self, *, stays: tuple[Stay, ...] = (), start: datetime = NOON) -> None:
        self.clock = FakeClock(start)
        self.attendance = Attendance(clock=self.clock)
        self.people = People(clock=self.clock, attendance=self.attendance, stays=stays)

    def sessions(self, device: DeviceConfig) -> Sessions:
        return Sessions(device, clock=self.clock, people=self.people)

    def inflate(self, sessions: Sessions, *, takes_s: float = 40) -> str:
        """Somebody's arm is measured: the subject's id, or `nobody`."""
        self.clock.advance(takes_s)
        sessions.begin(ago_s=15)
        subject = sessions.measured()
        return subject.id if subject.kind is SubjectKind.RESIDENT else "nobody"


def test_two_people_take_turns_at_one_cuff() -> None:
    room = Room()
    cuff = room.sessions(CUFF)
    measured = []
    for person in ("r-1", "r-2", "r-1", "r-1", "r-2"):
        room.attendance.choose(person)
        measured.append(room.inflate(cuff))
    assert measured == ["r-1", "r-2", "r-1", "r-1", "r-2"]
    assert room.people.reasons == {WhoseReason.CHOSEN: 5}


async def test_two_people_one_cuff_interleaved_through_the_radios_door() -> None:
    room, sink = Room(), RememberingSink()
    peer = ConnectedPeer(Intake(CUFF, sink=sink, clock=room.clock, people=room.people), kind=cuff_ble.KIND)
    for person in ("r-1", "r-2", None, "r-1"):  # all arrive before the disk answers once
        if person is None:
            room.attendance.done()
        else:
            room.attendance.choose(person)
        room.clock.advance(40)
        peer.notified(CUFF_FRAME)
    draining = asyncio.create_task(peer.inbox.drain())
    await until(lambda: len(sink.accepted) == 4)
    draining.cancel()
    with suppress(asyncio.CancelledError):
        await draining
    kinds = [(each.subject.kind, each.subject.id) for each in sink.accepted if each.subject.kind == "resident"]
    assert kinds == [("resident", "r-1"), ("resident", "r-2"), ("resident", "r-1")]
    nobody = sink.accepted[2]
    assert nobody.subject.kind is SubjectKind.UNIDENTIFIED
    assert nobody.quality.level is QualityLevel.QUESTIONABLE
    assert QualityReason.IDENTITY_UNKNOWN in nobody.quality.reasons


def test_a_result_that_was_begun_before_the_next_person_was_chosen_is_of_nobody() -> None:
    room = Room()
    cuff = room.sessions(CUFF)
    room.attendance.choose("r-1")
    room.clock.advance(30)
    room.attendance.choose("r-2")
    assert room.inflate(cuff, takes_s=5) == "nobody"
    assert room.people.latest["cuff"] is WhoseReason.CHANGED
    assert room.inflate(cuff) == "r-2"


def test_a_slip_of_the_finger_between_two_people_is_seen_too() -> None:
    room = Room()
    cuff = room.sessions(CUFF)
    room.attendance.choose("r-2")
    room.attendance.choose("r-1")
    room.attendance.done()
    room.attendance.choose("r-1")
    assert room.inflate(cuff, takes_s=5) == "nobody"
    assert room.inflate(cuff) == "r-1"


def test_choosing_the_same_person_again_is_no_change() -> None:
    room = Room()
    cuff = room.sessions(CUFF)
    assert room.attendance.choose("r-1") is Choice.BEGAN
    assert room.attendance.choose("r-1") is Choice.EXTENDED
    assert room.inflate(cuff, takes_s=5) == "r-1"
    assert room.attendance.choose("r-2") is Choice.REPLACED


def test_time_is_over_after_five_minutes_and_each_measurement_gives_five_more() -> None:
    room = Room()
    cuff = room.sessions(CUFF)
    room.attendance.choose("r-1")
    assert [room.inflate(cuff, takes_s=SESSION_S - 1) for _ in range(3)] == ["r-1"] * 3
    assert room.attendance.left_s == SESSION_S
    assert room.inflate(cuff, takes_s=SESSION_S) == "nobody"
    assert room.people.latest["cuff"] is WhoseReason.TIME_OVER
    assert room.attendance.present() == Whose(None, WhoseReason.TIME_OVER)
    assert room.attendance.left_s == 0


def test_done_ends_it_and_nobody_chosen_is_nobody_known() -> None:
    room = Room()
    cuff = room.sessions(CUFF)
    assert room.inflate(cuff) == "nobody"
    room.attendance.choose("r-1")
    room.attendance.done()
    assert room.inflate(cuff) == "nobody"
    assert room.people.reasons == {WhoseReason.NOBODY_CHOSEN: 2}


def test_a_finger_that_stays_in_while_the_person_changes_is_of_nobody_until_it_is_out() -> None:
    room = Room()
    finger = room.sessions(OXIMETER)
    room.attendance.choose("r-1")
    finger.begin()
    room.clock.advance(10)
    first = finger.measured()
    room.attendance.choose("r-2")
    room.clock.advance(10)
    second = finger.measured()
    finger.begin()
    room.clock.advance(10)
    assert (first.id, finger.measured().id) == ("r-1", "r-2")
    assert second.kind is SubjectKind.UNIDENTIFIED


async def test_the_windows_of_an_oximeter_are_of_the_person_chosen() -> None:
    room, sink = Room(), RememberingSink()
    oximeter = Oximeter(Intake(OXIMETER, sink=sink, clock=room.clock, people=room.people))
    await oximeter.received(packet_of() * WINDOW_PACKETS)
    room.attendance.choose("r-1")
    room.clock.advance(10)
    await oximeter.received(packet_of() * WINDOW_PACKETS)
    await oximeter.paused()
    assert [each.subject.kind for each in sink.accepted] == [SubjectKind.UNIDENTIFIED, SubjectKind.RESIDENT]


def test_nobodys_readings_before_and_after_a_person_are_two_subjects() -> None:
    room = Room()
    strap = room.sessions(STRAP)
    before = strap.measured()
    assert strap.measured() == before
    room.attendance.choose("r-1")
    room.clock.advance(1)
    assert strap.measured().id == "r-1"
    room.attendance.done()
    after = strap.measured()
    assert after.kind is SubjectKind.UNIDENTIFIED
    assert after != before


def test_a_device_of_a_bed_measures_who_lies_there_at_that_time() -> None:
    noon = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    stays = (
        Stay(bed="3-1", resident="r-1", until=noon + timedelta(hours=1)),
        Stay(bed="3-1", resident="r-2", since=noon + timedelta(hours=2)),
        Stay(bed="3-2", resident="r-3"),
    )
    room = Room(stays=stays)
    cuff = room.sessions(BED_CUFF)
    room.attendance.choose("r-9")  # the choice at the screen is for shared devices only
    told = []
    for _ in range(3):
        told.append((room.inflate(cuff, takes_s=0), room.people.latest["bed-cuff"]))
        room.clock.advance(3600)
    assert told == [
        ("r-1", WhoseReason.IN_BED),
        ("nobody", WhoseReason.BED_EMPTY),
        ("r-2", WhoseReason.IN_BED),
    ]


def test_a_clock_that_nobody_has_set_names_nobody_in_a_bed() -> None:
    room = Room(stays=(Stay(bed="3-1", resident="r-1"),))
    room.clock.set_state(ClockState.UNSET)
    assert room.inflate(room.sessions(BED_CUFF)) == "nobody"
    assert room.people.latest["bed-cuff"] is WhoseReason.CLOCK_UNSET


def test_a_press_at_an_empty_bed_is_still_a_call_from_the_place() -> None:
    stays = (Stay(bed="3-1", resident="r-1", until=NOON + timedelta(hours=1)),)
    room = Room(stays=stays)
    bell = room.sessions(BED_BUTTON)
    assert bell.measured().id == "r-1"
    room.clock.advance(7200)
    assert (bell.measured().kind, bell.measured().id) == (SubjectKind.DWELLING, "home-03")


@pytest.mark.parametrize(
    ("first", "second", "meets"),
    [
        ((None, None), (1, 2), True),
        ((0, 1), (1, 2), False),
        ((0, 2), (1, 3), True),
        ((None, 1), (1, None), False),
        ((None, 1), (None, 1), True),
    ],
)
def test_stays_that_touch_do_not_meet(
    first: tuple[int | None, int | None], second: tuple[int | None, int | None], *, meets: bool
) -> None:
    def stay(span: tuple[int | None, int | None]) -> Stay:
        since, until = (None if at is None else NOON + timedelta(days=at) for at in span)
        return Stay(bed="3-1", resident="r-1", since=since, until=until)

    assert stay(first).meets(stay(second)) is meets
    assert stay(second).meets(stay(first)) is meets


_deeds = st.one_of(
    st.sampled_from(["r-1", "r-2", "r-3", "done", "measure"]).map(lambda deed: (deed, 0)),
    st.integers(1, 400).map(lambda seconds: ("wait", seconds)),
)


@given(st.lists(_deeds, max_size=40))
@example([("r-1", 0), ("wait", 300), ("r-2", 0), ("measure", 0)])  # it began while the time of the first still ran
def test_whatever_is_pressed_a_name_was_alone_while_the_reading_was_measured(deeds: list[tuple[str, int]]) -> None:
    """Against a diary of every second: who was chosen in it."""
    room = Room()
    cuff = room.sessions(CUFF)
    chosen_in: list[str | None] = []
    touched: set[tuple[int, str]] = set()  # chosen for less than a second counts as well
    left_s = 0
    for deed, seconds in deeds:
        present = room.attendance.present().resident
        if deed == "wait":
            room.clock.advance(seconds)
            chosen_in += [present if second < left_s else None for second in range(seconds)]
            left_s = max(0, left_s - seconds)
        elif deed == "measure":
            name = room.inflate(cuff, takes_s=0)
            since = len(chosen_in) - 15
            others = {who for who in chosen_in[max(0, since) :] if who} | {who for at, who in touched if at > since}
            assert name == (present if others <= {present} and present else "nobody")
            left_s = 300 if name != "nobody" else left_s
        elif deed == "done":
            room.attendance.done()
            left_s = 0
        else:
            room.attendance.choose(deed)
            touched.add((len(chosen_in), deed))
            left_s = 300


class Kept:
    """A shared cuff with a memory and a clock, and its way to the sink."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.sink = RememberingSink()
        now = lambda: (room.clock.wall_ms(), room.clock.wall_ms())  # noqa: E731  # its zone is UTC
        self.intake = Intake(CUFF, sink=self.sink, clock=room.clock, people=room.people, local_time=now)
        self.peer = ConnectedPeer(self.intake, kind=cuff_ble.KIND)

    async def tells(self, *, ago_s: float, clock_ahead_s: float = 0.0) -> str:
        """It hands over what it measured so long ago: the subject's id, or `nobody`."""
        local_ms = self.room.clock.wall_ms() - round(1000 * (ago_s - clock_ahead_s))
        frame = bytes((0x02,)) + CUFF_FRAME[1:] + encode_date_time(local_ms)
        self.peer.notified(frame)
        before = len(self.sink.accepted)
        draining = asyncio.create_task(self.peer.inbox.drain())
        await until(lambda: len(self.sink.accepted) > before)
        draining.cancel()
        with suppress(asyncio.CancelledError):
            await draining
        subject = self.sink.accepted[-1].subject
        return subject.id if subject.kind is SubjectKind.RESIDENT else "nobody"


async def test_what_a_cuff_kept_is_not_of_who_is_chosen_when_it_is_told() -> None:
    room = Room()
    cuff = Kept(room)
    room.attendance.choose("r-1")
    assert await cuff.tells(ago_s=5) == "r-1"
    room.clock.advance(200)  # r-1 is measured out of reach; nobody ends it
    assert await cuff.tells(ago_s=180) == "nobody"
    assert room.people.latest[CUFF.id] is WhoseReason.STORED
    assert QualityReason.IDENTITY_UNKNOWN in cuff.sink.accepted[-1].quality.reasons
    assert cuff.sink.accepted[-1].times.device_ms == room.clock.wall_ms() - 180_000


async def test_a_reading_of_two_minutes_is_of_who_was_chosen_all_that_time() -> None:
    room = Room()
    cuff = Kept(room)
    room.attendance.choose("r-1")
    room.clock.advance(100)
    assert await cuff.tells(ago_s=80) == "r-1"
    room.attendance.choose("r-2")
    assert await cuff.tells(ago_s=60) == "nobody", "measured while r-1 was chosen"
    assert room.people.latest[CUFF.id] is WhoseReason.CHANGED


async def test_who_is_chosen_after_it_was_measured_is_not_meant_by_it() -> None:
    room = Room()
    cuff = Kept(room)
    room.clock.advance(80)
    room.attendance.choose("r-1")
    room.clock.advance(10)
    assert await cuff.tells(ago_s=80) == "nobody"
    assert room.people.latest[CUFF.id] is WhoseReason.NOBODY_CHOSEN
    assert await cuff.tells(ago_s=15) == "r-1", "chosen while the cuff was at work, and told at once"
    room.clock.advance(200)
    room.attendance.choose("r-1")
    assert await cuff.tells(ago_s=60) == "r-1", "chosen again is chosen still"


async def test_a_clock_that_is_known_to_be_wrong_is_put_right_and_one_that_is_not_makes_it_nobodys() -> None:
    room = Room()
    cuff = Kept(room)
    room.attendance.choose("r-1")
    room.clock.advance(60)
    assert await cuff.tells(ago_s=5, clock_ahead_s=-3600) == "nobody", "an hour ago, as far as anybody knows"
    cuff.intake.clock_read(-3600)
    room.clock.advance(60)
    assert await cuff.tells(ago_s=5, clock_ahead_s=-3600) == "r-1"
    assert await cuff.tells(ago_s=5, clock_ahead_s=0) == "nobody", "an hour ahead is no time at all"


async def test_of_a_cuff_of_one_person_what_it_kept_is_theirs() -> None:
    room = Room()
    own = msgspec.structs.replace(CUFF, subject="r-7")
    sink = RememberingSink()
    peer = ConnectedPeer(Intake(own, sink=sink, clock=room.clock, people=room.people), kind=cuff_ble.KIND)
    peer.notified(bytes((0x02,)) + CUFF_FRAME[1:] + encode_date_time(room.clock.wall_ms() - 86_400_000))
    draining = asyncio.create_task(peer.inbox.drain())
    await until(lambda: sink.accepted)
    draining.cancel()
    with suppress(asyncio.CancelledError):
        await draining
    assert sink.accepted[0].subject == Subject(SubjectKind.RESIDENT, "r-7")


async def test_a_reading_that_a_cuff_sends_again_is_one_reading_over_a_restart_too() -> None:
    """Some send all their memory on each contact, others what was not confirmed in time."""
    room, sink, memory = Room(), RememberingSink(), RememberingMemory()
    frames = [
        bytes((0x02,)) + CUFF_FRAME[1:] + encode_date_time(room.clock.wall_ms() - 1000 * ago_s)
        for ago_s in (300, 200, 5)
    ]
    for start, extra in ((1, []), (2, [CUFF_FRAME])):
        known = await memory.recall()
        notes = known.get(CUFF.id, {})
        intake = Intake(CUFF, sink=sink, clock=room.clock, people=room.people, memory=memory, notes=notes)
        peer = ConnectedPeer(intake, kind=cuff_ble.KIND)
        draining = asyncio.create_task(peer.inbox.drain())
        for frame in (*frames, *frames[:2], *extra):
            peer.notified(frame)
        await peer.inbox.settled()
        draining.cancel()
        with suppress(asyncio.CancelledError):
            await draining
        assert len(sink.accepted) == 3 + len(extra), start


async def test_of_two_readings_without_a_time_none_is_taken_for_the_other() -> None:
    room, sink = Room(), RememberingSink()
    peer = ConnectedPeer(Intake(CUFF, sink=sink, clock=room.clock, people=room.people), kind=cuff_ble.KIND)
    draining = asyncio.create_task(peer.inbox.drain())
    for _ in range(2):
        peer.notified(CUFF_FRAME)
    await peer.inbox.settled()
    draining.cancel()
    with suppress(asyncio.CancelledError):
        await draining
    assert len(sink.accepted) == 2


class Full(RememberingSink):
    """A card that takes nothing while it is full."""

    full = True

    async def accept(self, observation: Observation) -> bool:
        return False if self.full else await super().accept(observation)


async def test_what_nothing_kept_may_come_again() -> None:
    room, sink = Room(), Full()
    peer = ConnectedPeer(Intake(CUFF, sink=sink, clock=room.clock, people=room.people), kind=cuff_ble.KIND)
    draining = asyncio.create_task(peer.inbox.drain())
    frame = bytes((0x02,)) + CUFF_FRAME[1:] + encode_date_time(room.clock.wall_ms())
    for full, taken in ((True, 0), (False, 1), (False, 1)):
        sink.full = full
        peer.notified(frame)
        await peer.inbox.settled()
        assert len(sink.accepted) == taken
    draining.cancel()
    with suppress(asyncio.CancelledError):
        await draining


@pytest.mark.parametrize("stopped_before_its_turn", [False, True])
async def test_what_nothing_kept_may_come_again_after_a_restart_too(stopped_before_its_turn: bool) -> None:
    room, sink, memory = Room(), Full(), RememberingMemory()
    frame = bytes((0x02,)) + CUFF_FRAME[1:] + encode_date_time(room.clock.wall_ms())
    for full, taken in ((True, 0), (False, 1), (False, 1)):
        sink.full = full
        notes = (await memory.recall()).get(CUFF.id, {})
        intake = Intake(CUFF, sink=sink, clock=room.clock, people=room.people, memory=memory, notes=notes)
        peer = ConnectedPeer(intake, kind=cuff_ble.KIND)
        draining = asyncio.create_task(peer.inbox.drain())
        await asyncio.sleep(0)
        peer.notified(frame)
        if not stopped_before_its_turn:
            await peer.inbox.settled()
        draining.cancel()
        with suppress(asyncio.CancelledError):
            await draining
        assert len(sink.accepted) == taken
