"""What becomes of an analyser's results: whose they are, which are none, and which were there before."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from kanhu.contract import FakeClock, Observation, QualityReason, SubjectKind
from kanhu.edge.analyser import Analyser
from kanhu.edge.devices import DeviceConfig
from kanhu.edge.errors import LinkReason
from kanhu.edge.intake import Intake
from kanhu.edge.known_results import REPEAT_S
from kanhu.edge.whose import Attendance, People, WhoseReason
from kanhu.firmware_sim.wire.astm_link import astm_frames
from kanhu.firmware_sim.wire.astm_records import SentResult, astm_message
from tests.edge.readings import RememberingSink

_NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
_NOW_MS = int(_NOW.timestamp()) * 1000
_AT = "20261127075500"


class FullSink(RememberingSink):
    """A card that takes so many readings, and no more until it is emptied."""

    def __init__(self) -> None:
        super().__init__()
        self.room = 1_000

    async def accept(self, observation: Observation) -> bool:
        if not self.room:
            return False
        self.room -= 1
        return await super().accept(observation)


class Bench:
    """One analyser, the residents whom the gateway knows, and what was made of its messages."""

    def __init__(self, *, subject: str | None = None) -> None:
        self.clock = FakeClock(_NOW)
        self.sink = FullSink()
        self.attendance = Attendance(clock=self.clock)
        self.people = People(clock=self.clock, attendance=self.attendance, residents=["r-0001", "r-0002"])
        device = DeviceConfig(id="lab-1", kind="analyser-astm", port="/dev/ttyS0", subject=subject)
        self.analyser = Analyser(
            Intake(
                device,
                sink=self.sink,
                clock=self.clock,
                people=self.people,
                local_time=lambda: (self.clock.wall_ms(), self.clock.wall_ms()),
            )
        )

    async def send(self, *records: bytes) -> None:
        reply = await self.analyser.received(b"\x05" + b"".join(astm_frames(records)) + b"\x04")
        assert reply == b"\x06" * (len(records) + 1)

    def subjects(self) -> list[str | None]:
        return [one.subject.id if one.subject.kind is SubjectKind.RESIDENT else None for one in self.sink.accepted]


def glucose(value: str = "5.5", *, flag: str = "", completed: str = _AT) -> SentResult:
    return SentResult("GLU", value, "mmol/L", flag, "F", completed, "15074-8")


def message(patient_id: str = "r-0001", results: Sequence[SentResult] = (), **more: str) -> list[bytes]:
    return astm_message(list(results) or [glucose()], **{"specimen": "S1", "patient_id": patient_id, **more})


@pytest.mark.parametrize(
    ("patient_id", "resident", "reason"),
    [
        ("r-0002", "r-0002", WhoseReason.NAMED),
        (" r-0002 ", "r-0002", WhoseReason.NAMED),
        ("R-0002", None, WhoseReason.UNNAMED),
        ("r-00021", None, WhoseReason.UNNAMED),
        ("r-0003", None, WhoseReason.UNNAMED),
        ("", None, WhoseReason.UNNAMED),
    ],
)
async def test_only_the_exact_id_of_a_resident_here_names_one(
    patient_id: str, resident: str | None, reason: WhoseReason
) -> None:
    bench = Bench()
    bench.attendance.choose("r-0001")  # may stand there for another measurement
    await bench.send(*message(patient_id))
    assert bench.subjects() == [resident]
    assert bench.people.reasons == {reason: 1}
    reasons = bench.sink.accepted[0].quality.reasons
    assert (QualityReason.IDENTITY_UNKNOWN in reasons) is (resident is None)


async def test_a_record_that_names_two_residents_names_nobody() -> None:
    bench = Bench()
    records = message()
    await bench.send(records[0], b"P|1|r-0001|r-0002", *records[2:])
    assert bench.subjects() == [None]


async def test_the_number_of_a_specimen_names_nobody_because_the_analyser_counts_it() -> None:
    bench = Bench()
    await bench.send(*message("", specimen="r-0001"))
    assert bench.subjects() == [None]


async def test_an_analyser_of_one_person_measures_that_person_unless_its_record_names_another() -> None:
    bench = Bench(subject="r-0001")
    for minute, patient_id in enumerate(["", "r-0001", "r-0002"]):
        await bench.send(*message(patient_id, [glucose(completed=f"2026112707{minute:02d}00")]))
    assert bench.subjects() == ["r-0001", "r-0001", None]


async def test_unknown_people_of_one_message_are_as_many_as_its_samples() -> None:
    bench = Bench()
    first = message("", [glucose(), glucose("6.0")], specimen="S1")
    second = message("", [glucose("7.0")], specimen="S2")
    await bench.send(*first[:-1], *second[1:])
    one, same, other = (reading.subject for reading in bench.sink.accepted)
    assert one == same
    assert one != other


async def test_control_material_and_what_has_no_metric_are_counted_and_no_reading() -> None:
    bench = Bench()
    await bench.send(*message(action="Q"))
    await bench.send(*message(processing="Q", specimen="S2"))
    await bench.send(*message(results=[SentResult("HbA1c", "5.9", "%", completed=_AT), glucose("---")], specimen="S3"))
    assert bench.sink.accepted == []
    assert [reason for _, reason in bench.sink.refused] == ["no_value"] * 3 + ["not_a_number"]
    assert bench.sink.details[2] == "no metric for 'HbA1c'"


async def test_flags_of_the_range_stay_values_and_bounds_of_the_analyser_are_marked() -> None:
    bench = Bench()
    sent = [glucose("12.0", flag="H"), glucose("2.9", flag="L"), glucose("33.3", flag=">"), glucose("<0.6")]
    await bench.send(*message(results=sent))
    marks = {QualityReason.ABOVE_RANGE, QualityReason.BELOW_RANGE}
    told = [(str(one.value("glucose_capillary")), set(one.quality.reasons) & marks) for one in bench.sink.accepted]
    assert told == [
        ("12", set()),
        ("2.9", set()),
        ("33.3", {QualityReason.ABOVE_RANGE}),
        ("0.6", {QualityReason.BELOW_RANGE}),
    ]


async def test_a_result_with_its_time_is_one_however_often_and_however_late_it_comes() -> None:
    bench = Bench()
    for hours in (0, 1, 48):
        bench.clock.advance(hours * 3600)
        await bench.send(*message(sent=f"202611{27 + hours // 24}080000"))
    await bench.send(*message(results=[glucose(), glucose("8.1")]))
    assert [str(one.value("glucose_capillary")) for one in bench.sink.accepted] == ["5.5", "8.1"]
    seen = bench.sink.latest("lab-1")
    assert seen is not None
    assert seen.repeats == 3


async def test_the_same_value_without_a_time_is_a_repeat_only_for_a_while() -> None:
    bench = Bench()
    for wait_s in (0.0, REPEAT_S - 1, REPEAT_S + 1):
        bench.clock.advance(wait_s)
        await bench.send(*message(results=[glucose(completed="")]))
    assert len(bench.sink.accepted) == 2


async def test_the_clock_of_an_analyser_is_judged_by_when_it_sent_and_not_by_old_results() -> None:
    bench = Bench()
    await bench.send(*message(results=[glucose(completed="20261120080000")], sent="20261127080300"))
    seen = bench.sink.latest("lab-1")
    assert seen is not None
    assert seen.clock_error_s == 180
    assert bench.sink.accepted[0].times.device_ms == _NOW_MS - 7 * 86_400_000


async def test_a_message_without_header_is_refused_and_acknowledged_since_it_would_come_again_just_so() -> None:
    bench = Bench()
    await bench.send(b"R|1|^^^GLU|5.5|mmol/L", b"L|1|N")
    assert bench.sink.refused == [("lab-1", "not_synchronised")]


async def test_another_speed_is_shown_as_garbled_until_the_analyser_is_understood() -> None:
    bench = Bench()
    bench.analyser.opened()
    for _ in range(11):
        await bench.analyser.received(b"\xfe\x80" * 50)
    assert (seen := bench.sink.latest("lab-1")) is not None
    assert seen.reason is LinkReason.GARBLED
    await bench.send(*message())
    assert (seen := bench.sink.latest("lab-1")) is not None
    assert seen.reason is LinkReason.OPEN


async def test_a_whole_message_whose_end_had_no_end_is_taken_where_the_port_is_lost() -> None:
    bench = Bench()
    text = b"\r".join(message())
    body = b"1" + text + b"\x17"
    frame = b"\x02" + body + f"{sum(body) & 0xFF:02X}".encode() + b"\r\n"
    assert await bench.analyser.received(b"\x05" + frame) == b"\x06\x06"
    assert bench.sink.accepted == []
    await bench.analyser.lost(LinkReason.UNPLUGGED, "gone")
    assert bench.subjects() == ["r-0001"]


async def test_what_the_card_does_not_take_is_refused_and_taken_once_when_the_analyser_sends_it_again() -> None:
    bench = Bench()
    *frames, last = astm_frames(message(results=[glucose("5.1"), glucose("5.2"), glucose("5.3")]))
    assert await bench.analyser.received(b"\x05" + b"".join(frames)) == b"\x06" * (len(frames) + 1)
    bench.sink.room = 1
    assert [await bench.analyser.received(last) for _ in range(2)] == [b"\x15"] * 2
    assert len(bench.sink.accepted) == 1
    bench.sink.room = 5
    assert await bench.analyser.received(last) == b"\x06"
    assert await bench.analyser.received(last) == b"\x06", "its ACK was lost"
    assert await bench.analyser.received(b"\x04") == b""
    assert [str(one.value("glucose_capillary")) for one in bench.sink.accepted] == ["5.1", "5.2", "5.3"]
    assert bench.sink.refused == []


async def test_a_frame_that_came_in_pieces_and_was_not_kept_leaves_no_piece_behind() -> None:
    bench = Bench()
    *frames, last = astm_frames(message())
    await bench.analyser.received(b"\x05" + b"".join(frames))
    bench.sink.room = 0
    assert [await bench.analyser.received(piece) for piece in (last[:9], last[9:])] == [b"", b"\x15"]
    bench.sink.room = 1
    assert [await bench.analyser.received(piece) for piece in (last[:9], last[9:])] == [b"", b"\x06"]
    assert bench.subjects() == ["r-0001"]


@pytest.mark.parametrize("completed", ["20261127", "20000101000500"], ids=["the day alone", "a clock nobody has set"])
async def test_a_time_that_may_come_again_makes_no_result_the_same_for_good(completed: str) -> None:
    bench = Bench()
    for _ in range(2):
        await bench.send(*message(results=[glucose(completed=completed)]))
        bench.clock.advance(REPEAT_S / 2)
    assert len(bench.sink.accepted) == 1, "sent again at once it is a repeat"
    bench.clock.advance(4 * 3600)
    await bench.send(*message(results=[glucose(completed=completed)]))
    assert len(bench.sink.accepted) == 2
